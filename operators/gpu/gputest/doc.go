// Package gputest has what devices are tested with: a case for every kernel in each of its
// variants, and small networks that have what the well-known ones have. The tests here run
// them on the software device and on the emulator against the definitions in float64
// (networktest); the program operators/gpu/cuda/check runs them on a GPU against the
// software device.
package gputest
