package gpu

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"weak"

	"occlude/operators/gpu/driver"
)

// heap is memory on a device. Buffers that nobody refers to any more are given back, like any
// memory of Go's: at the next allocation, for only who is bound to the device may do so. What
// is needed no more at a known time is freed then.
type heap struct {
	driver driver.Driver

	mutex sync.Mutex
	taken map[driver.Pointer]allocation // and not given back
	held  int64                         // bytes
	pins  []pin
}

// allocation is memory that was taken.
type allocation struct {
	bytes int64
	// of is who has it: nobody once the collector has found that nobody refers to the
	// buffer, or it was freed.
	of weak.Pointer[buffer]
}

// buffer is memory on the device.
type buffer struct {
	at     driver.Pointer
	bytes  int64
	heap   *heap
	others atomic.Int32 // views that share it, beside one
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
		runtime.GC()
		if err := h.sweep(); err != nil {
			return nil, err
		}
		at, err = h.driver.Alloc(bytes)
	}
	if err != nil {
		free, total, _ := h.driver.Memory()
		return nil, fmt.Errorf("%d MB, where %d of %d MB are free: %w", bytes>>20, free>>20, total>>20, err)
	}
	b := &buffer{at: at, bytes: bytes, heap: h}
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.taken[at] = allocation{bytes, weak.Make(b)}
	h.held += bytes
	return b, nil
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
	b.heap.mutex.Lock()
	defer b.heap.mutex.Unlock()
	if a := b.heap.taken[b.at]; a.of.Value() == b { // it may be free, and be another's
		b.heap.taken[b.at] = allocation{bytes: b.bytes}
	}
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

// sweep gives back what nobody has. The caller is bound to the device.
func (h *heap) sweep() error {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if err := h.unpin(); err != nil {
		return err
	}
	for at, a := range h.taken {
		if a.of.Value() != nil {
			continue
		}
		delete(h.taken, at)
		h.held -= a.bytes
		if err := h.driver.Free(at); err != nil {
			return fmt.Errorf("giving back %d bytes: %w", a.bytes, err)
		}
	}
	return nil
}
