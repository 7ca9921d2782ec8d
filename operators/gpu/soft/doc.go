// Package soft is a device in software: a driver.Driver whose memory is Go slices and
// whose kernels are Go functions, one for each kernel of package kernels with the same
// name and the same arguments. It makes the host's side of operators/gpu run, and be
// tested, where there is no GPU; and it is what the GPU's kernels are compared with
// where there is one.
//
// It is strict where a GPU is lax. Every read and write is checked against the
// allocation that it belongs to. New memory holds NaN, so that what nobody wrote shows.
// And work that is queued is done as late as is allowed: not before somebody waits,
// downloads, or asks whether an event has passed, which does one piece of it.
//
// A twin is the plainest loop that computes what the kernel's comment says, in the order
// in which the kernel adds up where that shows. It knows nothing of tiles, threads and
// shared memory; operators/gpu/emulator is for those.
package soft
