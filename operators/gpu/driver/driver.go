package driver

import "time"

// Pointer is an address in a device's memory. The zero Pointer is none.
type Pointer uint64

// Driver is an open device. Calls of Alloc, Free, Memory, Load and NewStream, and
// all of its streams, are allowed only between Bind and the function it gives.
type Driver interface {
	// Properties describe the device; they never change.
	Properties() Properties
	// Bind ties the calling goroutine to the device until the returned function is
	// called, by the same goroutine.
	Bind() (release func(), err error)
	// Memory is how many bytes are free, and how many there are.
	Memory() (free, total int64, err error)
	// Alloc takes memory with unspecified contents, aligned to 256 bytes.
	Alloc(bytes int64) (Pointer, error)
	// Free gives back what Alloc took, once nothing that was queued needs it.
	Free(Pointer) error
	// Load makes the kernels of a PTX module ready, by their names.
	Load(ptx string) (Module, error)
	// NewStream makes a queue.
	NewStream() (Stream, error)
}

// Pinner is a Driver to which memory of the host can be tied, between Bind and the function
// it gives, so that the device makes copies by itself, without one in between. Pinning is of
// whole pages: what else lay in one could be neither pinned nor, together with what lies behind
// it, copied. So the memory is of Pages, and not empty.
type Pinner interface {
	Pin(memory []byte) (unpin func() error, err error)
}

// Properties of a device.
type Properties struct {
	Name       string // as its maker calls it
	Capability [2]int // compute capability, major and minor
	Processors int    // multiprocessors
	Memory     int64  // bytes
	// SharedMemory is the bytes of shared memory that a block may have, SharedMemoryMost
	// those that it may have where its kernel was found with a wish for more.
	SharedMemory, SharedMemoryMost int

	// Of the multiprocessors and of the memory, in Hz, and the bits that the memory moves at
	// a time; 0 where the driver does not tell.
	Clock, MemoryClock int64
	MemoryBus          int
}

// Module is a loaded module.
type Module interface {
	// Kernel finds a kernel, and lets its launches give a block so many bytes of
	// dynamic shared memory.
	Kernel(name string, shared int) (Kernel, error)
}

// Kernel is one that can be launched on the driver that it came from.
type Kernel interface{}

// Launch is how a kernel is run: so many blocks along each axis, each of so many
// threads and bytes of dynamic shared memory, with arguments of 8 bytes each; smaller ones
// stand in the low bytes.
type Launch struct {
	Grid   [3]int
	Block  int
	Shared int
	Args   []uint64
}

// Stream is a queue of work, done in order. One goroutine uses it at a time.
type Stream interface {
	// Upload copies from the host. When it returns, from may be used again; memory that is
	// pinned must stay as it is until the device has come past the copy.
	Upload(to Pointer, from []byte) error
	// Download copies to the host, after all that was queued. When it returns, it
	// is there.
	Download(to []byte, from Pointer) error
	// Launch queues a kernel.
	Launch(k Kernel, l Launch) error
	// Record queues a mark. Marks that were recorded before may be recorded anew,
	// nil makes one.
	Record(Event) (Event, error)
	// Wait waits until all that was queued is done.
	Wait() error
	// Close lets go of the queue and of its marks.
	Close() error
}

// Event is a mark in a stream.
type Event interface {
	// Done tells whether the device has come past the mark.
	Done() (bool, error)
	// Since is the device's time from another mark to this one; it has come past
	// both.
	Since(Event) (time.Duration, error)
}
