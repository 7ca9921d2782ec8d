package simd

import (
	"math"
	"unsafe"
)

// Operation is an operation on two numbers, NaN where either is NaN.
type Operation int

// The operations. Of zeros with both signs, Maximum and Minimum give either.
const (
	Add Operation = iota
	Subtract
	Multiply
	Divide
	Maximum
	Minimum
	operationCount
)

// rows is the loops over rows of values.
type rows struct {
	functions  [functionCount]rowFunction
	operations [operationCount]func(out, a, b *float32, n int, low, high float32)
	mix        func(out, a, b, c *float32, n int, f, g, h float32)
	affine     func(out, in, scale, shift *float32, channels, cells int, low, high float32)
	prelu      func(out, in, slope *float32, channels, cells int)
	gather     func(out, in *float32, index *int32, n int)
	lrn        func(out, in, squares *float32, n, size int, scale, bias float32)
}

// Combine computes out[i] = min(high, max(low, a[i] op b[i])) for all of out; a
// and b have as many values and may be out itself.
func (s *Set) Combine(op Operation, out, a, b []float32, low, high float32) {
	if len(out) > 0 {
		_, _ = a[len(out)-1], b[len(out)-1]
		s.operations[op](&out[0], &a[0], &b[0], len(out), low, high)
	}
}

// Mix computes out[i] = f*a[i] + g*b[i] + h*c[i] for all of out; the others have as
// many values.
func (s *Set) Mix(out, a, b, c []float32, f, g, h float32) {
	if n := len(out); n > 0 {
		_, _, _ = a[n-1], b[n-1], c[n-1]
		s.mix(&out[0], &a[0], &b[0], &c[0], n, f, g, h)
	}
}

// Affine computes min(high, max(low, in*scale[c] + shift[c])) for whole cells of
// len(scale) channels; out may be in.
func (s *Set) Affine(out, in, scale, shift []float32, low, high float32) {
	if len(out) > 0 {
		_, _ = in[len(out)-1], shift[len(scale)-1]
		s.affine(&out[0], &in[0], &scale[0], &shift[0], len(scale), len(out)/len(scale), low, high)
	}
}

// PRelu computes max(x, 0) + slope[c]*min(x, 0) for whole cells of len(slope)
// channels; out may be in.
func (s *Set) PRelu(out, in, slope []float32) {
	if len(out) > 0 {
		_ = in[len(out)-1]
		s.prelu(&out[0], &in[0], &slope[0], len(slope), len(out)/len(slope))
	}
}

// Gather computes out[i] = in[index[i]] for all of out; the indices must lie
// inside of in.
func (s *Set) Gather(out, in []float32, index []int32) {
	if len(out) > 0 {
		_ = index[len(out)-1]
		s.gather(&out[0], &in[0], &index[0], len(out))
	}
}

// LRN normalizes the channels of one cell by the energy of size neighbours:
//
//	out[c] = in[c] / (bias + scale*(squares[c] + ... + squares[c+size-1]))^(3/4)
//
// out may be in.
func (s *Set) LRN(out, in, squares []float32, size int, scale, bias float32) {
	if len(out) > 0 {
		_, _ = in[len(out)-1], squares[len(out)+size-2]
		s.lrn(&out[0], &in[0], &squares[0], len(out), size, scale, bias)
	}
}

// rowsGeneric is in Go.
var rowsGeneric = rows{
	functions: functionsGeneric,
	operations: [...]func(out, a, b *float32, n int, low, high float32){
		Add: func(out, a, b *float32, n int, low, high float32) {
			to, y := unsafe.Slice(out, n), unsafe.Slice(b, n)
			for i, x := range unsafe.Slice(a, n) {
				to[i] = min(high, max(low, x+y[i]))
			}
		},
		Subtract: func(out, a, b *float32, n int, low, high float32) {
			to, y := unsafe.Slice(out, n), unsafe.Slice(b, n)
			for i, x := range unsafe.Slice(a, n) {
				to[i] = min(high, max(low, x-y[i]))
			}
		},
		Multiply: func(out, a, b *float32, n int, low, high float32) {
			to, y := unsafe.Slice(out, n), unsafe.Slice(b, n)
			for i, x := range unsafe.Slice(a, n) {
				to[i] = min(high, max(low, x*y[i]))
			}
		},
		Divide: func(out, a, b *float32, n int, low, high float32) {
			to, y := unsafe.Slice(out, n), unsafe.Slice(b, n)
			for i, x := range unsafe.Slice(a, n) {
				to[i] = min(high, max(low, x/y[i]))
			}
		},
		Maximum: func(out, a, b *float32, n int, low, high float32) {
			to, y := unsafe.Slice(out, n), unsafe.Slice(b, n)
			for i, x := range unsafe.Slice(a, n) {
				to[i] = min(high, max(low, x, y[i]))
			}
		},
		Minimum: func(out, a, b *float32, n int, low, high float32) {
			to, y := unsafe.Slice(out, n), unsafe.Slice(b, n)
			for i, x := range unsafe.Slice(a, n) {
				to[i] = min(high, max(low, min(x, y[i])))
			}
		},
	},
	mix: func(out, a, b, c *float32, n int, f, g, h float32) {
		to, y, z := unsafe.Slice(out, n), unsafe.Slice(b, n), unsafe.Slice(c, n)
		for i, x := range unsafe.Slice(a, n) {
			to[i] = f*x + g*y[i] + h*z[i]
		}
	},
	affine: func(out, in, scale, shift *float32, channels, cells int, low, high float32) {
		to, from := unsafe.Slice(out, cells*channels), unsafe.Slice(in, cells*channels)
		a, b := unsafe.Slice(scale, channels), unsafe.Slice(shift, channels)
		for ; len(to) > 0; to, from = to[channels:], from[channels:] {
			for c, x := range from[:channels] {
				to[c] = min(high, max(low, x*a[c]+b[c]))
			}
		}
	},
	prelu: func(out, in, slope *float32, channels, cells int) {
		to, from := unsafe.Slice(out, cells*channels), unsafe.Slice(in, cells*channels)
		s := unsafe.Slice(slope, channels)
		for ; len(to) > 0; to, from = to[channels:], from[channels:] {
			for c, x := range from[:channels] {
				to[c] = max(x, 0) + s[c]*min(x, 0)
			}
		}
	},
	gather: func(out, in *float32, index *int32, n int) {
		to := unsafe.Slice(out, n)
		for i, at := range unsafe.Slice(index, n) {
			to[i] = *(*float32)(unsafe.Add(unsafe.Pointer(in), int(at)*4))
		}
	},
	lrn: func(out, in, squares *float32, n, size int, scale, bias float32) {
		to := unsafe.Slice(out, n)
		window := unsafe.Slice(squares, n+size-1)
		for c, x := range unsafe.Slice(in, n) {
			var sum float32
			for _, v := range window[c : c+size] {
				sum += v
			}
			root := math.Sqrt(float64(scale*sum + bias))
			to[c] = float32(float64(x) / (root * math.Sqrt(root)))
		}
	},
}
