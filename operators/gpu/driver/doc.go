// Package driver is what operators/gpu asks of a device: memory, queues, kernels by
// name. It is as small as that allows, so that there can be three of them:
//
//	operators/gpu/cuda      an NVIDIA GPU through gorgonia.org/cu, build tag cuda
//	operators/gpu/soft      no device: memory is Go slices, each kernel its plain twin
//	operators/gpu/emulator  no device: the kernels' own source, run thread by thread
//
// A stream's work is done later, in order. What a host may rely on is in the
// comments: copies to the device have taken their bytes when Upload returns; copies
// to the host are done when Download returns; nothing else is done before Wait, or
// before an event says so. That is what CUDA promises for memory that is not pinned,
// and no more: gorgonia.org/cu cannot pin.
package driver
