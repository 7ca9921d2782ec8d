package kernels

import (
	"math"
	"testing"
)

// TestHalf checks that all numbers of fp16 survive, and that what lies between two becomes
// the nearer one, of both as near the even one.
func TestHalf(t *testing.T) {
	for h := range uint16(0x7c00) {
		v, next := HalfValue(h), HalfValue(h+1)
		if h+1 == 0x7c00 {
			next = 65536 // were there one
		}
		middle := (v + next) / 2
		even := h + h&1
		for x, want := range map[float32]uint16{
			v: h, middle: even, math.Nextafter32(middle, 0): h, math.Nextafter32(middle, next): h + 1,
		} {
			if got, negative := Half(x), Half(-x); got != want || negative != want|0x8000 {
				t.Fatalf("%g became %#x and %#x, want %#x", x, got, negative, want)
			}
		}
		if HalfValue(h|0x8000) != -v || h > 0 && !(v > HalfValue(h-1)) {
			t.Fatalf("%#x is %g, with a sign %g", h, v, HalfValue(h|0x8000))
		}
	}
	inf := float32(math.Inf(1))
	if HalfValue(1) != 0x1p-24 || HalfValue(0x3c00) != 1 || HalfValue(0x7bff) != 65504 || HalfValue(0x7c00) != inf || Half(inf) != 0x7c00 || Half(1e10) != 0x7c00 {
		t.Error("1/2^24, 1, 65504 or infinity is another")
	}
	if nan := float32(math.NaN()); Half(nan)&0x7fff <= 0x7c00 || HalfValue(Half(nan)) == HalfValue(Half(nan)) {
		t.Error("NaN became a number")
	}
}

// TestSplitAt checks that every weight has halves of words of its own.
func TestSplitAt(t *testing.T) {
	const all, columns = 48, 24
	taken := map[[2]int]bool{}
	for k := range all {
		for column := range columns {
			word, shift := SplitAt(k, column, columns)
			for _, place := range [][2]int{{word, shift}, {word + 2, shift}} {
				if taken[place] || word < 0 || word+2 >= all*columns {
					t.Fatalf("%d of column %d lies at %v", k, column, place)
				}
				taken[place] = true
			}
		}
	}
}
