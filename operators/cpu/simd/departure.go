package simd

import (
	"math"
	"unsafe"
)

// departures is the loops that tell how results depart from what is linear in
// what changed, see package compensation.
type departures struct {
	dot func(a, b *float32, n int) float64
	// clamp is given the limits as offsets of tangents, too: 0 where infinite.
	clamp   func(out, in, marked *float32, n int, low, high, offset0, offset2 float32) float64
	tangent func(out, in, slopes, offsets *float32, n int)
	// pool is PoolDeparture for the first channels of cells that are stride values
	// apart: as many as fill registers.
	pool func(out *float32, taps *unsafe.Pointer, shown *uint8, n, step, cells, channels, stride int)
}

// The tangents of a clamp, as the lowest two bits of marked gradients number them.
const (
	tangentLow   = iota // the lower limit
	tangentValue        // the value itself
	tangentHigh         // the upper limit
	tangentMask
)

// Mark notes in the lowest two bits of each gradient where the clean value y of a
// clamp lies: at the lower limit, between the limits, or at the upper one. It is
// all that ClampDeparture takes to know the clamp's tangent, and changes gradients
// by no more than rounding.
func Mark(marked, gradients, y []float32, low, high float32) {
	for i, g := range gradients {
		bits := math.Float32bits(g) &^ tangentMask
		switch {
		case y[i] >= high:
			bits |= tangentHigh
		case y[i] > low:
			bits |= tangentValue
		}
		marked[i] = math.Float32frombits(bits)
	}
}

// Dot is the sum of a[i]*b[i] over all of a. Products are added up in float32 in
// as many parts as fill a few registers.
func (s *Set) Dot(a, b []float32) float64 {
	if len(a) == 0 {
		return 0
	}
	_ = b[len(a)-1]
	return s.dot(&a[0], &b[0], len(a))
}

// ClampDeparture computes out[i] = min(high, max(low, in[i])) for all of out, which
// may be in, and returns the sum of
//
//	marked[i] * (out[i] - tangent)
//
// where the tangent is in[i] itself if the gradient is marked to lie between the
// limits, and else the limit at which it is marked to be.
func (s *Set) ClampDeparture(out, in, marked []float32, low, high float32) float64 {
	if len(out) == 0 {
		return 0
	}
	_, _ = in[len(out)-1], marked[len(out)-1]
	return s.departures.clamp(&out[0], &in[0], &marked[0], len(out), low, high, offsetOf(low), offsetOf(high))
}

// offsetOf is a limit, 0 instead of an infinite one: nothing is at that.
func offsetOf(limit float32) float32 {
	if limit-limit != 0 {
		return 0
	}
	return limit
}

// TangentDeparture computes out[i] -= slopes[i]*in[i] + offsets[i] for all of out.
func (s *Set) TangentDeparture(out, in, slopes, offsets []float32) {
	if len(out) > 0 {
		_, _, _ = in[len(out)-1], slopes[len(out)-1], offsets[len(out)-1]
		s.tangent(&out[0], &in[0], &slopes[0], &offsets[0], len(out))
	}
}

// PoolDeparture subtracts from each of the values at p.Out that at the tap which
// is shown, a number for each of them:
//
//	Out[x*Channels+c] -= Taps[shown[x*Channels+c]][x*Step+c]
//
// for taps that there are.
func (s *Set) PoolDeparture(p Pool, shown []uint8) {
	_ = shown[p.Cells*p.Channels-1]
	full := p.Channels / s.Lanes * s.Lanes
	if full > 0 {
		s.departures.pool((*float32)(p.Out), &p.Taps[0], &shown[0], len(p.Taps), p.Step, p.Cells, full, p.Channels)
	}
	if rest := p.Channels - full; rest > 0 {
		poolDeparture((*float32)(unsafe.Add(p.Out, full*4)), &p.Taps[0], &shown[full], full*4, p.Step, p.Cells, rest, p.Channels)
	}
}

// poolDeparture is the loop for channels whose values are shift bytes behind the
// taps.
func poolDeparture(out *float32, taps *unsafe.Pointer, shown *uint8, shift, step, cells, channels, stride int) {
	for x := range cells {
		to := cellAt(out, x*stride*4, channels)
		for c, tap := range unsafe.Slice((*uint8)(unsafe.Add(unsafe.Pointer(shown), x*stride)), channels) {
			from := *(*unsafe.Pointer)(unsafe.Add(unsafe.Pointer(taps), uintptr(tap)*unsafe.Sizeof(*taps)))
			to[c] -= *(*float32)(unsafe.Add(from, shift+x*step+c*4))
		}
	}
}

// departuresGeneric is in Go.
var departuresGeneric = departures{
	dot: func(a, b *float32, n int) float64 {
		sum := 0.0
		y := unsafe.Slice(b, n)
		for i, x := range unsafe.Slice(a, n) {
			sum += float64(x * y[i])
		}
		return sum
	},
	clamp: func(out, in, marked *float32, n int, low, high, offset0, offset2 float32) float64 {
		sum := 0.0
		to, gradients := unsafe.Slice(out, n), unsafe.Slice(marked, n)
		offsets := [...]float32{tangentLow: offset0, tangentHigh: offset2, tangentMask: 0}
		for i, x := range unsafe.Slice(in, n) {
			number := math.Float32bits(gradients[i]) & tangentMask
			tangent := offsets[number]
			if number == tangentValue {
				tangent = x
			}
			to[i] = min(high, max(low, x))
			sum += float64(gradients[i] * (to[i] - tangent))
		}
		return sum
	},
	tangent: func(out, in, slopes, offsets *float32, n int) {
		to, slope, offset := unsafe.Slice(out, n), unsafe.Slice(slopes, n), unsafe.Slice(offsets, n)
		for i, x := range unsafe.Slice(in, n) {
			to[i] -= slope[i]*x + offset[i]
		}
	},
	pool: func(out *float32, taps *unsafe.Pointer, shown *uint8, _, step, cells, channels, stride int) {
		poolDeparture(out, taps, shown, 0, step, cells, channels, stride)
	},
}
