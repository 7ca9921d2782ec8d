// Package simd holds the inner loops of the CPU's kernels, each in several
// implementations: AVX-512, AVX2 with FMA, and plain Go.
//
// # A set of loops
//
// A Set is one implementation of every loop. It is chosen once, when a program
// is made, and the kernels above never ask what processor they run on:
//
//	kernel (operators/cpu)  ──▶  Set  ──▶  avx512   assembly, processors of 2017 and later
//	                                  ├─▶  avx2     assembly
//	                                  └─▶  generic  Go: other processors, and the tag noasm
//
// Sets differ in the shape of their register tiles (Rows, Panel), and so in how
// weights are packed: what was packed for one set must be used with it. Every
// test of this package and of the kernels runs with every available set.
//
// # Memory
//
// Loops take pointers to float32 values and trust them: the kernels above check
// that rectangles lie in their maps, and the tests surround every buffer with
// guard bands. Pointers are unsafe.Pointer and not uintptr, so that memory
// stays alive and moves with what refers to it; distances between values are
// in bytes. Loops never allocate and never call back.
//
// # Promises
//
//   - What a loop computes for one row, tile or value does not depend on how many
//     others it is given, nor on their order: a remainder is computed by the
//     same operations in the same order as the body.
//   - A loop reads and writes nothing beyond what its comment says.
//   - NaN comes out where NaN goes in.
//
// # The assembly
//
// It is written by the programs in gen, a module of its own, with avo: edit
// those, run "make generate", and commit both. The .s files carry no logic that
// is not in their generators, and each loop's doc comment is the loop in Go.
package simd
