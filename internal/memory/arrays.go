package memory

import "unsafe"

// Process is what a process takes beside all that is counted, in bytes: its code
// and the runtime. It is the peak of one that runs SHOW ALL, as VmHWM has it,
// under Linux on amd64.
const Process = 22 << 20

// Arrays is a set of arrays. The zero value is empty.
type Arrays struct{ known map[*float32]bool }

// Add adds arrays and tells how many bytes those take that were not there yet.
// Slices that begin at the same place are the same array.
func (a *Arrays) Add(arrays ...[]float32) int64 {
	if a.known == nil {
		a.known = map[*float32]bool{}
	}
	var bytes int64
	for _, array := range arrays {
		at := unsafe.SliceData(array)
		if cap(array) == 0 || a.known[at] {
			continue
		}
		a.known[at] = true
		bytes += 4 * int64(cap(array))
	}
	return bytes
}
