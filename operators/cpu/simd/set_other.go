//go:build !amd64 || noasm

package simd

// assembled lists the sets in assembly that this processor can run.
func assembled() []*Set { return nil }
