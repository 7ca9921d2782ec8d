// Package memorytest tells tests how much memory something took from the heap.
package memorytest

import "runtime/metrics"

// Allocated is the bytes that the process has taken from its heap so far.
func Allocated() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}
