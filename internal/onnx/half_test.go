package onnx

import (
	"math"
	"testing"
)

// Every half is exact in float32 and comes back unchanged.
func TestHalfRoundTrip(t *testing.T) {
	for h := 0; h <= math.MaxUint16; h++ {
		f := HalfToFloat32(uint16(h))
		back := Float32ToHalf(f)
		if f != f {
			if HalfToFloat32(back) == HalfToFloat32(back) {
				t.Fatalf("%#04x is NaN and comes back as %#04x", h, back)
			}
			continue
		}
		if back != uint16(h) {
			t.Fatalf("%#04x is %g and comes back as %#04x", h, f, back)
		}
	}
}

func TestHalfValues(t *testing.T) {
	for h, want := range map[uint16]float64{
		0x0001: math.Ldexp(1, -24), 0x03ff: math.Ldexp(1023, -24), 0x0400: math.Ldexp(1, -14),
		0x3555: 0.333251953125, 0x3c00: 1, 0xc000: -2, 0x7bff: 65504, 0x7c00: math.Inf(1), 0xfc00: math.Inf(-1),
	} {
		if got := float64(HalfToFloat32(h)); got != want {
			t.Errorf("HalfToFloat32(%#04x) = %g, want %g", h, got, want)
		}
	}
}

// Rounding is checked against its definition: the nearer of the two halves
// around a value, at equal distance the one with an even last bit.
func TestHalfRoundsToNearestEven(t *testing.T) {
	for h := uint16(0); h < 0x7bff; h++ {
		lo, hi := float64(HalfToFloat32(h)), float64(HalfToFloat32(h+1))
		mid := float32((lo + hi) / 2) // exact: it needs one bit more
		even := h + h&1
		for _, c := range []struct {
			f    float32
			want uint16
		}{
			{mid, even},
			{math.Nextafter32(mid, 0), h},
			{math.Nextafter32(mid, math.MaxFloat32), h + 1},
		} {
			if got := Float32ToHalf(c.f); got != c.want {
				t.Fatalf("Float32ToHalf(%v) = %#04x, want %#04x", c.f, got, c.want)
			}
			if got := Float32ToHalf(-c.f); got != c.want|0x8000 {
				t.Fatalf("Float32ToHalf(%v) = %#04x, want %#04x", -c.f, got, c.want|0x8000)
			}
		}
	}
	for _, f := range []float32{65520, 1e30, float32(math.Inf(1))} {
		if got := Float32ToHalf(f); got != 0x7c00 {
			t.Errorf("Float32ToHalf(%g) = %#04x, want infinity", f, got)
		}
	}
}

func TestBFloat16(t *testing.T) {
	for b := 0; b <= math.MaxUint16; b++ {
		f := BFloat16ToFloat32(uint16(b))
		back := Float32ToBFloat16(f)
		if f == f && back != uint16(b) || f != f && BFloat16ToFloat32(back) == BFloat16ToFloat32(back) {
			t.Fatalf("%#04x is %g and comes back as %#04x", b, f, back)
		}
	}
	for _, c := range []struct{ bits, want uint32 }{
		{0x3f808000, 0x3f80}, // a tie goes to the even neighbour below
		{0x3f818000, 0x3f82}, // and above
		{0x3f808001, 0x3f81},
		{0x3f807fff, 0x3f80},
		{0x7f7fffff, 0x7f80}, // the largest float32 overflows
	} {
		if got := Float32ToBFloat16(math.Float32frombits(c.bits)); uint32(got) != c.want {
			t.Errorf("Float32ToBFloat16(%#08x) = %#04x, want %#04x", c.bits, got, c.want)
		}
	}
}

func TestRound(t *testing.T) {
	for d, want := range map[DType]float32{Float32: 0.1, Float16: 0.0999755859375, BFloat16: 0.10009765625} {
		x := &Tensor{DType: d, Dims: []int{1}, Data: []float32{0.1}}
		x.Round()
		if got := x.Data.([]float32)[0]; got != want {
			t.Errorf("0.1 rounds to %v as %s, want %v", got, d, want)
		}
	}
}
