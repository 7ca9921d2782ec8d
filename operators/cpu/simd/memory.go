package simd

import "unsafe"

// CacheLine is the alignment, in floats, of packed weights and of buffers: 64
// bytes.
const CacheLine = 16

// hugePage is 2 MiB, in floats: as much as a huge page of x86 and ARM holds.
const hugePage = 1 << 19

// Aligned makes n zero values that start at a cache line. Where they are many,
// they start at a huge page and ask the system for such: packed weights and
// arenas are walked with large strides, and a processor remembers the places of
// about 2000 pages, which are 8 MiB of ordinary ones.
func Aligned(n int) []float32 {
	if n < hugePage {
		return alignedTo(CacheLine, n)
	}
	data := alignedTo(hugePage, n)
	adviseHuge(data[:n/hugePage*hugePage])
	return data
}

// alignedTo makes n zero values whose first one's address is a multiple of unit
// floats, a power of two.
func alignedTo(unit, n int) []float32 {
	data := make([]float32, n+unit-1)
	skip := 0
	if over := int(uintptr(unsafe.Pointer(unsafe.SliceData(data))) / 4 % uintptr(unit)); over > 0 {
		skip = unit - over
	}
	return data[skip : skip+n : skip+n]
}
