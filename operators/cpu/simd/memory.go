package simd

import "unsafe"

// CacheLine is the alignment, in floats, of packed weights and of buffers: 64
// bytes.
const CacheLine = 16

// Aligned makes n zero values that start at a cache line.
func Aligned(n int) []float32 {
	data := make([]float32, n+CacheLine-1)
	skip := 0
	if over := int(uintptr(unsafe.Pointer(unsafe.SliceData(data))) / 4 % CacheLine); over > 0 {
		skip = CacheLine - over
	}
	return data[skip : skip+n : skip+n]
}
