// Package cost predicts what a layer takes: seconds from multiply-adds at the
// measured rate of the kernel that runs them, plus element steps and copied
// bytes at theirs, plus fixed costs.
//
//	seconds = max(MACs / rate[class], groups * weight bytes / bandwidth)
//	        + steps / steps[class]
//	        + read-in bytes / bandwidth
//	        + runs * per run + groups * per group
//
// A group is the positions for which a layer's weights are read once. The next
// weights are fetched while these are multiplied, so that only the longer of the
// two counts.
//
// # Algorithms
//
// A convolution can be computed in several ways, its Forms. Winograd's
// algorithms (Lavin and Gray, CVPR 2016) replace MACs / rate by
//
//	products * Cin * Cout             / rate["product"]
//	+ products * depth * (Cin + Cout) / steps["transform"]
//	+ groups * weight bytes           / bandwidth
//
// for points * Cin * Cout weights, where a whole tile takes as many products as
// the algorithm has points, and one at the rim those of its cells: a group has too few tiles at a point to fetch
// the next one's weights beside them. Each form also says how much it rounds,
// and Error what becomes of that at the network's end. The planner chooses by
// both.
//
// # GPUs
//
// A Device is the same for a GPU, where not layers but launches take time:
//
//	seconds = max(MACs of whole tiles / rate[kind of kernel], bytes / bandwidth) / fill
//	        + seconds of a launch
//
// fill is the share of the device that the blocks of a launch occupy: they come in waves. What
// the host prepares and copies for one batch goes on beside the launches of another. A
// Device was measured, by a model or quickly by a made-up network, or it is OfProperties, which
// are assumed shares of what a card's clocks allow: then it says so.
//
// # The constants
//
// A Profile holds the constants of a machine, by set of kernels, for a thread that
// works alone and for each while all cores work; Rates gives those for a number of
// threads between. Each has a unit, and the profile says where and when it was
// measured. There are three kinds.
//
//	default  embedded: another machine's. It was measured by `go test
//	         ./planner/cost -bench Profile`, but for the rates of products and
//	         transforms of tiles, which are fitted to what EXPLAIN ANALYZE shows of
//	         whole networks. Reading an image and drawing a picture were timed by
//	         EXPLAIN ANALYZE. Plans in golden files rest on it or on their own.
//	quick    this machine, by trials of a made-up network
//	model    this machine and a model, by ANALYZE MODEL
//
// Calibrate makes the last two. Fit finds the rates at which timings of layers are
// predicted best; too few layers differ enough to tell all constants apart, so each
// is held back from moving apart from the others, the more the less of the time it
// accounts for. What rates cannot say of a model's layers, Own does:
//
//	seconds = the above * factor[layer, algorithm](cells of a rectangle, threads)
//
// A Book is profiles in a file, for people and other machines.
//
// # Promises
//
//   - The same profile gives the same estimates, and so the same plans.
//   - The rates of one thread choose algorithms, so that threads change no result.
//   - Factors count for the network that they were measured of and for no other.
//   - Nothing is measured here: trials are handed in.
package cost
