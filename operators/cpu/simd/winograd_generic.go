package simd

import "unsafe"

// genericWinograd are the transforms in Go. They go through the channels in
// short vectors, for which the compiler makes good loops.
var genericWinograd = winogradLoops{inputGeneric, outputGeneric, storeGeneric}

// maxPoints and maxTile are the most that an algorithm has.
const (
	maxPoints = 10
	maxTile   = 6
	// lanes is the number of channels that the generic transforms take at a time.
	lanes = 32
)

// each calls do for every vector of channels of every transform, with the number
// of the transform, the first channel and how many there are.
func (t *Transform) each(do func(i, c, n int)) {
	for i := range t.Count {
		for c := 0; c < t.Channels; c += lanes {
			do(i, c, min(lanes, t.Channels-c))
		}
	}
}

// vector is n values at p + offset bytes.
func vector(p unsafe.Pointer, offset, n int) []float32 {
	return unsafe.Slice((*float32)(unsafe.Add(p, offset)), n)
}

// inputGeneric is Input in Go.
func inputGeneric(w *Winograd, t *Transform) {
	p := len(w.pairs)
	var even, odd [lanes]float32
	t.each(func(i, c, n int) {
		in := func(k int) []float32 { return vector(t.In, i*t.InStep+k*t.InStride+4*c, n) }
		out := func(k int) []float32 { return vector(t.Out, i*t.OutStep+k*t.OutStride+4*c, n) }
		// horner is the sum of in[first+2k] times the coefficients and one.
		horner := func(dst []float32, coefficients []float32, first int) {
			last := len(coefficients)
			copy(dst, in(first+2*last))
			for k := last - 1; k >= 0; k-- {
				addScaled(dst, coefficients[k], in(first+2*k))
			}
		}
		horner(out(0), w.toPoints[:p], 0)
		horner(out(2*p+1), w.toPoints[:p], 1)
		for q := range p {
			pair := w.toPoints[p+q*p:][:p]
			x := pair[p-1]
			horner(even[:n], pair[:p-1], 2)
			horner(odd[:n], pair[:p-1], 1)
			plus, minus := out(1+2*q), out(2+2*q)
			for j, e := range even[:n] {
				plus[j] = e + x*odd[j]
				minus[j] = e - x*odd[j]
			}
		}
	})
}

// addScaled adds f times the values x to dst.
func addScaled(dst []float32, f float32, x []float32) {
	x = x[:len(dst)]
	for i, v := range x {
		dst[i] += f * v
	}
}

// toCells computes row k of Aᵀ for n channels from c on of transform i.
func (w *Winograd) rowOfCells(dst []float32, t *Transform, i, c, k int) {
	in := func(k int) []float32 { return vector(t.In, i*t.InStep+k*t.InStride+4*c, len(dst)) }
	p := len(w.pairs)
	switch k {
	case 0:
		copy(dst, in(0))
	case w.Tile - 1:
		copy(dst, in(2*p+1))
	default:
		clear(dst)
	}
	for q := range p {
		plus, minus := in(1+2*q), in(2+2*q)
		switch {
		case k == 0:
			for j := range dst {
				dst[j] += plus[j] + minus[j]
			}
		case k%2 == 0:
			f := w.toCells[(k-1)*p+q]
			for j := range dst {
				dst[j] += f * (plus[j] + minus[j])
			}
		default:
			f := w.toCells[(k-1)*p+q]
			for j := range dst {
				dst[j] += f * (plus[j] - minus[j])
			}
		}
	}
}

// outputGeneric is Output in Go.
func outputGeneric(w *Winograd, t *Transform) {
	t.each(func(i, c, n int) {
		for k := range w.Tile {
			w.rowOfCells(vector(t.Out, i*t.OutStep+k*t.OutStride+4*c, n), t, i, c, k)
		}
	})
}

// storeGeneric is Store in Go.
func storeGeneric(w *Winograd, s *Store) {
	s.each(func(i, c, n int) {
		bias := vector(s.Bias, 4*c, n)
		for k := range s.Rows {
			out := vector(s.Out, i*s.OutStep+k*s.OutStride+4*c, n)
			w.rowOfCells(out, &s.Transform, i, c, k)
			for j, b := range bias {
				out[j] += b
			}
			if s.Add != nil {
				for j, v := range vector(s.Add, i*s.AddStep+k*s.AddStride+4*c, n) {
					out[j] += v
				}
			}
			for j, v := range out {
				out[j] = min(max(v, s.Low), s.High)
			}
		}
	})
}
