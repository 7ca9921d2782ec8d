package gpu

import (
	"errors"
	"slices"
	"weak"

	"occlude/operators/gpu/driver"
)

// host is memory of the host that batches are copied from or to. It is pinned where the driver
// can do that: then the device fetches it by itself, and the host goes on. Like buffers it is
// unpinned at the next allocation when nobody refers to it any more, or when it was freed.
type host struct {
	memory []byte
	heap   *heap
}

// pin is memory of the host that is pinned.
type pin struct {
	of    weak.Pointer[host] // nobody's once it was freed or nobody refers to it any more
	unpin func() error
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
	m := &host{memory: driver.Pages(int(bytes)), heap: h}
	p, ok := h.driver.(driver.Pinner)
	if !ok || bytes > mostPinned || bytes == 0 {
		return m
	}
	unpin, err := p.Pin(m.memory)
	if err != nil { // it can be copied all the same
		return m
	}
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.pins = append(h.pins, pin{weak.Make(m), unpin})
	return m
}

// free lets go of memory, which may be nil, by the next sweep.
func (m *host) free() {
	if m == nil {
		return
	}
	m.heap.mutex.Lock()
	defer m.heap.mutex.Unlock()
	for i := range m.heap.pins {
		if p := &m.heap.pins[i]; p.of.Value() == m {
			p.of = weak.Pointer[host]{}
		}
	}
}

// unpin unpins what nobody has. The caller holds the mutex.
func (h *heap) unpin() error {
	var failed error
	h.pins = slices.DeleteFunc(h.pins, func(p pin) bool {
		if p.of.Value() != nil {
			return false
		}
		failed = errors.Join(failed, p.unpin())
		return true
	})
	return failed
}

// size is how many bytes there are, none in none.
func (m *host) size() int64 {
	if m == nil {
		return 0
	}
	return int64(len(m.memory))
}
