package driver

import (
	"os"
	"unsafe"
)

// Pages is memory for a Pinner: so many bytes and what fills up the last of the system's pages, in
// which nothing else lies.
func Pages(bytes int) []byte {
	page := os.Getpagesize()
	bytes = (bytes + page - 1) / page * page
	if bytes == 0 {
		return nil
	}
	memory := make([]byte, bytes+page)
	first := -int(uintptr(unsafe.Pointer(&memory[0]))) & (page - 1)
	return memory[first : first+bytes : first+bytes]
}
