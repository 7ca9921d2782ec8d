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
// # The constants
//
// A Profile holds the constants of a machine, by set of kernels. Each has a
// unit, and the profile says where and when it was measured. The default
// profile is embedded; it was measured by `go test ./planner/cost -bench
// Profile`, but for the rates of products and transforms of tiles, which are
// fitted to what EXPLAIN ANALYZE shows of whole networks. It is what EXPLAIN
// calls uncalibrated: right in proportion, not for your machine. Reading an image and drawing a picture were timed by EXPLAIN
// ANALYZE.
//
// ANALYZE MODEL makes a profile of this machine: Fit finds the rates at which
// timings of layers are predicted best. Too few layers differ enough to tell all
// constants apart, so each is held back from moving apart from the others, the
// more the less of the time it accounts for.
//
// Rates are those of one thread, and threads are taken to divide the time as
// long as the machine has a core for each.
//
// On the machine of the profile, EXPLAIN (ANALYZE, LAYERS) of full inference gave
// 0.78 to 1.27 of the estimate for the convolutions of VGG16, but for the stem
// (2.2), and 0.64 to 1.42 for those of ResNet18 in tiles of 4x4; pools, concats and
// softmax, a few percent of the time, take up to several times as long as predicted,
// for their values come from further away than when they are measured alone.
package cost
