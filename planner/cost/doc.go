// Package cost predicts what a layer takes: seconds from multiply-adds at the
// measured rate of the kernel that runs them, plus element steps and copied
// bytes at theirs, plus a fixed cost for each run.
//
//	seconds = MACs / rate[class] + steps / steps[class]
//	        + read-in bytes / bandwidth + runs * per run
//
// A Profile holds the constants of a machine. Each has a unit, and the profile
// says where and when it was measured. The default profile is embedded; it was
// measured by `go test ./operators/cpu -bench Profile` and is what EXPLAIN calls
// uncalibrated: right in proportion, not for your machine.
package cost
