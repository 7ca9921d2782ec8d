// Package gputest has what devices are tested and measured with: a case for every kernel in
// each of its variants, small networks that have what the well-known ones have, random
// networks, and the functions of one number; and measurements of convolutions, of kernels that
// move values, of launches and of copies.
//
// The tests here run the cases on the software device and on the emulator against the
// definitions in float64 (networktest); the program operators/gpu/cuda/check runs them on a GPU
// against both, and measures it.
package gputest
