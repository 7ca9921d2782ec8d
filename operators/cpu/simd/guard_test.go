package simd

import (
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"
)

// canary is what surrounds every buffer in these tests: a NaN, so that reading
// it spoils a result, of bits that no computation gives, so that a stray write
// is seen.
var canary = math.Float32frombits(0x7fc0dead)

func isCanary(v float32) bool { return math.Float32bits(v) == math.Float32bits(canary) }

// guarded makes n canaries, aligned to a cache line, among more of them.
// inspect reports an error if the ones around have changed.
func guarded(n int) (data []float32, inspect func(t *testing.T, what string)) {
	const guard = 4 * CacheLine
	all := Aligned(n + 2*guard)
	for i := range all {
		all[i] = canary
	}
	return all[guard : guard+n : guard+n], func(t *testing.T, what string) {
		t.Helper()
		for i, v := range all {
			if (i < guard || i >= guard+n) && !isCanary(v) {
				t.Errorf("wrote %v at %d, beside the %d values of %s", v, i-guard, n, what)
			}
		}
	}
}

// fillRandom puts values between -1 and 1 into x.
func fillRandom(rng *rand.Rand, x []float32) {
	for i := range x {
		x[i] = 2*rng.Float32() - 1
	}
}

// sameBits tells whether two slices are equal, NaNs and signs of zeros included.
func sameBits(a, b []float32) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if math.Float32bits(a[i]) != math.Float32bits(b[i]) {
			return false
		}
	}
	return true
}

// at is the address of x[i].
func at(x []float32, i int) unsafe.Pointer { return unsafe.Pointer(&x[i]) }
