// Package driver is what operators/gpu asks of a device: memory, queues, kernels by
// name. It is as small as that allows, so that there can be three of them:
//
//	operators/gpu/cuda      an NVIDIA GPU through gorgonia.org/cu, build tag cuda
//	operators/gpu/soft      no device: memory is Go slices, each kernel its plain twin
//	operators/gpu/emulator  no device: the kernels' own source, run thread by thread
//
// A stream's work is done later, in order. What a host may rely on is in the
// comments: copies to the device have taken their bytes when Upload returns, unless they
// are of memory that is pinned; copies to the host are done when Download returns; nothing
// else is done before Wait, or before an event says so. That is what CUDA promises, and no
// more.
package driver
