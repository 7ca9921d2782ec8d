// Package cuda is an NVIDIA GPU as a driver.Driver, through gorgonia.org/cu and the CUDA
// driver's API. With the build tag cuda, on Linux, it is there; without, Open says so.
//
// # Building and starting
//
// cu needs cuda.h and a libcuda to link against. The program in folder toolkit makes both
// out of what cu itself ships, so that a binary can be built where there is no CUDA. And
// cu starts the driver before main begins, and ends the process where there is none. Both
// are cured by driver.c: it defines the driver's functions itself, each of which looks up
// its namesake in libcuda.so.1 when it is called first; cuInit alone does nothing until
// Open. So one binary runs everywhere, and Open gives the reason where there is no GPU.
//
// # What is used, and what is not
//
// The primary context, made current on a locked thread for as long as a batch takes
// (Bind): cu's own contexts hand every call to another thread, and its BatchedContext
// leaks and aborts. Plain allocations, streams that do not wait for the default one, events,
// launches by cu's Function.Launch, which copies 8 bytes of every argument. Memory of the
// host is pinned by cuMemHostRegister, which cu has not, either: copies of other memory go through
// the driver's own buffers, and return when their source has been read.
package cuda
