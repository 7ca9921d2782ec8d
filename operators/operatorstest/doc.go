// Package operatorstest is what the tests of all devices share: occluded images and batches
// of updates at every border, and demands that do not depend on what computes.
//
// It knows operators.Program and operators.Worker alone; a device's own tests make these.
package operatorstest
