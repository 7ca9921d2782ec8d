package gpu

import (
	"unsafe"

	"occlude/operators/gpu/kernels"
)

// entries is a table of n rows at the front of bytes, which are aligned.
func entries(b []byte, n int) []kernels.Entry {
	b = b[:int64(n)*kernels.EntryBytes]
	if n == 0 {
		return nil
	}
	return unsafe.Slice((*kernels.Entry)(unsafe.Pointer(&b[0])), n)
}

// floats is n values at the front of bytes, which are aligned.
func floats(b []byte, n int) []float32 {
	b = b[:4*n]
	if n == 0 {
		return nil
	}
	return unsafe.Slice((*float32)(unsafe.Pointer(&b[0])), n)
}

// bytesOf is the memory of values.
func bytesOf[T float32 | int32 | uint32](v []T) []byte {
	if len(v) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&v[0])), 4*len(v))
}
