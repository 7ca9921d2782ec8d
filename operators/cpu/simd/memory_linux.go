package simd

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// adviseHuge asks for huge pages under data, which are whole ones. It is advice:
// where the system does not follow it, nothing is lost but speed.
func adviseHuge(data []float32) {
	bytes := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(data))), 4*len(data))
	_ = unix.Madvise(bytes, unix.MADV_HUGEPAGE)
}
