package gpu

import (
	"runtime"

	"occlude/operators/gpu/driver"
)

// host is memory of the host that batches are copied from or to. It is pinned where the driver
// can do that: then the device fetches it by itself, and the host goes on. Like buffers it is
// unpinned at the next allocation when nobody refers to it any more, or when it was freed.
type host struct {
	memory  []byte
	heap    *heap
	unpin   func() error // nil where it is not pinned
	cleanup runtime.Cleanup
}

// mostPinned is how many bytes a piece of memory has at most that is pinned, for the system
// can use it for nothing else.
const mostPinned = 64 << 20

// room gives memory of at least so many bytes: old, which may be nil, or, where that is
// smaller, by an eighth more than it was. The caller is bound to the device.
func (h *heap) room(old *host, bytes int64) *host {
	if old.size() >= bytes {
		return old
	}
	bytes = max(bytes, old.size()*9/8)
	old.free()
	m := &host{memory: bytesOf(make([]float32, (bytes+3)/4)), heap: h}
	p, ok := h.driver.(driver.Pinner)
	if !ok || bytes > mostPinned || bytes == 0 {
		return m
	}
	unpin, err := p.Pin(m.memory)
	if err != nil { // it can be copied all the same
		return m
	}
	m.unpin, m.cleanup = unpin, runtime.AddCleanup(m, h.later, unpin)
	return m
}

// later keeps what unpins memory for the next sweep.
func (h *heap) later(unpin func() error) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.unpins = append(h.unpins, unpin)
}

// free lets go of memory, which may be nil, by the next sweep.
func (m *host) free() {
	if m != nil && m.unpin != nil {
		m.cleanup.Stop()
		m.heap.later(m.unpin)
	}
}

// size is how many bytes there are, none in none.
func (m *host) size() int64 {
	if m == nil {
		return 0
	}
	return int64(len(m.memory))
}
