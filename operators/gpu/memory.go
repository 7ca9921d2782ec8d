package gpu

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"occlude/operators/gpu/driver"
)

// heap is memory on a device. Buffers that nobody refers to any more are
// given back, like any memory of Go's: at the next allocation, for only who is bound to
// the device may do so. What is needed no more at a known time is freed then.
type heap struct {
	driver driver.Driver

	mutex   sync.Mutex
	garbage []*block       // that nobody refers to
	held    int64          // bytes
	unpins  []func() error // of memory of the host that nobody refers to
}

// block is one allocation.
type block struct {
	at    driver.Pointer
	bytes int64
}

// buffer is memory on the device.
type buffer struct {
	*block
	heap    *heap
	cleanup runtime.Cleanup
	others  atomic.Int32 // views that share it, beside one
}

// alignment of everything in device memory, in bytes.
const alignment = 256

// aligned rounds a number of bytes up.
func aligned(bytes int64) int64 { return (bytes + alignment - 1) / alignment * alignment }

// take allocates. The caller is bound to the device.
func (h *heap) take(bytes int64) (*buffer, error) {
	bytes = aligned(max(bytes, 1))
	if err := h.sweep(); err != nil {
		return nil, err
	}
	at, err := h.driver.Alloc(bytes)
	if err != nil { // maybe there is some that nobody refers to
		collect()
		if err := h.sweep(); err != nil {
			return nil, err
		}
		at, err = h.driver.Alloc(bytes)
	}
	if err != nil {
		free, total, _ := h.driver.Memory()
		return nil, fmt.Errorf("%d MB, where %d of %d MB are free: %w", bytes>>20, free>>20, total>>20, err)
	}
	h.mutex.Lock()
	h.held += bytes
	h.mutex.Unlock()
	b := &buffer{block: &block{at, bytes}, heap: h}
	b.cleanup = runtime.AddCleanup(b, h.drop, b.block)
	return b, nil
}

// drop keeps a block for the next sweep.
func (h *heap) drop(b *block) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.garbage = append(h.garbage, b)
}

// cleaning is how long cleanups may take to be run after a collection.
const cleaning = 10 * time.Millisecond

// collect finds what nobody refers to any more. Cleanups are run by goroutines of their
// own: when that of something that is garbage now was run, the others probably were.
func collect() {
	done := make(chan struct{})
	runtime.AddCleanup(new(*int), func(done chan struct{}) { close(done) }, done)
	runtime.GC()
	select {
	case <-done:
	case <-time.After(cleaning):
	}
}

// share counts one more who will let go of a buffer, which may be nil.
func (b *buffer) share() *buffer {
	if b != nil {
		b.others.Add(1)
	}
	return b
}

// release frees a buffer, which may be nil, when the last of those who share it lets go.
func (b *buffer) release() {
	if b != nil && b.others.Add(-1) < 0 {
		b.free()
	}
}

// free lets go of a buffer, which may be nil, by the next sweep.
func (b *buffer) free() {
	if b == nil {
		return
	}
	b.cleanup.Stop()
	b.heap.drop(b.block)
}

// pointer is where a buffer is, zero for none.
func (b *buffer) pointer() driver.Pointer {
	if b == nil {
		return 0
	}
	return b.at
}

// size is how many bytes a buffer takes, none for none.
func (b *buffer) size() int64 {
	if b == nil {
		return 0
	}
	return b.bytes
}

// sweep gives back what was dropped. The caller is bound to the device.
func (h *heap) sweep() error {
	h.mutex.Lock()
	garbage, unpins := h.garbage, h.unpins
	h.garbage, h.unpins = nil, nil
	for _, b := range garbage {
		h.held -= b.bytes
	}
	h.mutex.Unlock()
	for _, unpin := range unpins {
		if err := unpin(); err != nil {
			return err
		}
	}
	for _, b := range garbage {
		if err := h.driver.Free(b.at); err != nil {
			return fmt.Errorf("giving back %d bytes: %w", b.bytes, err)
		}
	}
	return nil
}
