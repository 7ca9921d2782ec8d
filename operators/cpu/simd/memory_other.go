//go:build !linux

package simd

// adviseHuge asks for huge pages where the system takes such advice.
func adviseHuge([]float32) {}
