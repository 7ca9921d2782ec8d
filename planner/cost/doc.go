// Package cost predicts what a layer takes: seconds from multiply-adds at the
// measured rate of the kernel that runs them, plus element steps and copied
// bytes at theirs, plus a fixed cost for each run.
//
//	seconds = MACs / rate[class] + steps / steps[class]
//	        + read-in bytes / bandwidth + runs * per run
//
// A Profile holds the constants of a machine. Each has a unit, and the profile
// says where and when it was measured. The default profile is embedded; it was
// measured by `go test ./planner/cost -bench Profile` and is what EXPLAIN calls
// uncalibrated: right in proportion, not for your machine. Reading an image and
// drawing a picture were timed by EXPLAIN ANALYZE.
//
// Rates are those of one thread, and threads are taken to divide the time, which
// holds while the machine has a core for each. On the machine of the profile
// the sums come within a tenth of what EXPLAIN ANALYZE measures with one thread
// on the usual classifiers: convolutions, which are nearly all of it, within a
// few percent; small layers whose values fit no cache within a factor of three.
package cost
