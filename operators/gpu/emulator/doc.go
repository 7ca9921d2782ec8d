// Package emulator runs the kernels' own source on the processor: a driver.Driver for
// tests of what a GPU would run, where there is none. It needs Linux and clang 19, the
// compiler that makes the kernels' PTX.
//
// The source is compiled as C++. The threads of a block become coroutines that take turns at
// barriers and at what warps do together (shuffles; tensor cores, with the PTX manual's layout
// of fragments, and sums as inexact as of any), blocks run one after the other. So tiles,
// loaders, barriers and fragments are those of the source; what is left to the GPU is what the
// compiler, the assembler and the hardware make of it, and how fast that is.
//
// It finds what a plain twin (package soft) cannot have:
//
//   - Writes beyond an allocation: memory has guards, which are looked at after every launch.
//   - Reads beyond one, also of what is not used then: every access is watched (watch.h).
//   - Uses of what nobody wrote: that memory is NaN.
//   - Missing barriers: two accesses to a word, of which one writes, are an error where no
//     barrier stands between two threads, or where these are of two blocks, whatever turns they
//     took.
//   - Barriers to which only some threads of a block come.
//   - Missing waits for asynchronous copies, and copies over what others still read: these are
//     made as early as can be in one launch, as late in the next.
//   - Addresses that are not aligned as the kernel assumes, and overflow of integers, which
//     end the process.
package emulator
