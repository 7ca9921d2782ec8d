package soft

import (
	"fmt"
	"os"
	"unsafe"
)

// Pin implements driver.Pinner. Uploads of memory that is pinned read it no earlier than a
// device might.
func (d *Device) Pin(memory []byte) (unpin func() error, err error) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	at := &memory[0]
	if page := os.Getpagesize(); uintptr(unsafe.Pointer(at))%uintptr(page) != 0 || len(memory)%page != 0 {
		return nil, fmt.Errorf("%d bytes at %p are not of whole pages", len(memory), at)
	}
	if d.pinned[at] > 0 {
		return nil, fmt.Errorf("%d bytes are pinned already", len(memory))
	}
	if d.pinned == nil {
		d.pinned = map[*byte]int{}
	}
	d.pinned[at] = len(memory)
	return func() error {
		d.mutex.Lock()
		defer d.mutex.Unlock()
		if d.pinned[at] == 0 {
			return fmt.Errorf("%d bytes are not pinned", len(memory))
		}
		delete(d.pinned, at)
		return nil
	}, nil
}

// Pinned is how many bytes of the host are pinned.
func (d *Device) Pinned() (n int) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	for _, bytes := range d.pinned {
		n += bytes
	}
	return n
}

// isPinned tells whether memory is the front of some that is pinned.
func (d *Device) isPinned(memory []byte) bool {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	return len(memory) > 0 && d.pinned[&memory[0]] >= len(memory)
}
