package simd

import "unsafe"

// The transforms in Go. They take a few channels at a time, side by side, for
// which the compiler makes good loops.

// lanes is the number of channels that the generic transforms take at a time.
const lanes = 16

// vector is n values at p + offset bytes.
func vector(p unsafe.Pointer, offset, n int) []float32 {
	return unsafe.Slice((*float32)(unsafe.Add(p, offset)), n)
}

// generic are the loops of an algorithm in Go.
func (w *Winograd) generic() winogradLoops {
	return winogradLoops{
		lineInput: func(_ *float32, t *WinogradInput) {
			eachVector(t.Count, t.Channels, func(tile, c, n int) {
				w.linePoints(unsafe.Add(t.In, tile*t.InStep+4*c), t.Right, unsafe.Add(t.Out, tile*t.OutStep+4*c), t.OutStride, n)
			})
		},
		squareInput: func(_ *float32, t *WinogradInput) {
			row := w.Points * lanes * 4 // of the buffer
			eachVector(t.Count, t.Channels, func(tile, c, n int) {
				in, out := unsafe.Add(t.In, tile*t.InStep+4*c), unsafe.Add(t.Out, tile*t.OutStep+4*c)
				for x := range w.Points {
					w.linePoints(unsafe.Add(in, x*t.Right), t.Down, unsafe.Add(t.Buffer, x*lanes*4), row, n)
				}
				for y := range w.Points {
					w.linePoints(unsafe.Add(t.Buffer, y*row), lanes*4, unsafe.Add(out, y*w.Points*t.OutStride), t.OutStride, n)
				}
			})
		},
		lineOutput: func(_ *float32, t *WinogradOutput) {
			eachVector(t.Count, t.Channels, func(tile, c, n int) {
				in := unsafe.Add(t.In, tile*t.InStep+4*c)
				for x := range t.Columns {
					cell := vector(t.Out, tile*t.OutStep+x*t.Right+4*c, n)
					w.lineCell(cell, x, in, t.InStride)
					t.epilogue(cell, tile*t.AddStep+x*t.AddRight, c)
				}
			})
		},
		squareOutput: func(_ *float32, t *WinogradOutput) {
			row := w.Points * lanes * 4
			eachVector(t.Count, t.Channels, func(tile, c, n int) {
				in := unsafe.Add(t.In, tile*t.InStep+4*c)
				for x := range w.Points {
					for y := range t.Rows {
						w.lineCell(vector(t.Buffer, y*row+x*lanes*4, n), y, unsafe.Add(in, x*t.InStride), w.Points*t.InStride)
					}
				}
				for y := range t.Rows {
					for x := range t.Columns {
						cell := vector(t.Out, tile*t.OutStep+y*t.Down+x*t.Right+4*c, n)
						w.lineCell(cell, x, unsafe.Add(t.Buffer, y*row), lanes*4)
						t.epilogue(cell, tile*t.AddStep+y*t.AddDown+x*t.AddRight, c)
					}
				}
			})
		},
	}
}

// eachVector calls do for all vectors of channels of all tiles, with the first
// channel and how many there are.
func eachVector(tiles, channels int, do func(tile, c, n int)) {
	for tile := range tiles {
		for c := 0; c < channels; c += lanes {
			do(tile, c, min(lanes, channels-c))
		}
	}
}

// linePoints computes Bᵀ d of n channels, see LineInput.
func (w *Winograd) linePoints(from unsafe.Pointer, right int, to unsafe.Pointer, stride, n int) {
	p := len(w.pairs)
	in := func(k int) []float32 { return vector(from, k*right, n) }
	out := func(point int) []float32 { return vector(to, (point-w.First)*stride, n) }
	// polynomial is the sum of every second value from first on times the
	// coefficients.
	polynomial := func(sum []float32, coefficients []float32, first int) {
		last := len(coefficients) - 1
		for j, v := range in(first + 2*last) {
			sum[j] = coefficients[last] * v
		}
		for k := last - 1; k >= 0; k-- {
			addScaled(sum, coefficients[k], in(first+2*k))
		}
	}
	if w.First == 0 {
		sum := out(0)
		copy(sum, in(1+2*p))
		for k := p - 1; k >= 0; k-- {
			addScaled(sum, w.toPoints[k], in(1+2*k))
		}
	}
	polynomial(out(1), w.toPoints[p:2*p+1], 0)
	var even, odd [lanes]float32
	for q := range p {
		pair := w.toPoints[2*p+1+q*(p+1):][:p+1]
		x := pair[p]
		polynomial(even[:n], pair[:p], 2)
		polynomial(odd[:n], pair[:p], 1)
		plus, minus := out(2+2*q), out(3+2*q)
		for j, e := range even[:n] {
			plus[j] = e + x*odd[j]
			minus[j] = e - x*odd[j]
		}
	}
}

// addScaled adds f times the values x to sum.
func addScaled(sum []float32, f float32, x []float32) {
	x = x[:len(sum)]
	for i, v := range x {
		sum[i] += f * v
	}
}

// lineCell computes cell k of Aᵀ m, see LineOutput.
func (w *Winograd) lineCell(cell []float32, k int, from unsafe.Pointer, stride int) {
	in := func(point int) []float32 { return vector(from, (point-w.First)*stride, len(cell)) }
	p := len(w.pairs)
	clear(cell)
	if k == 0 {
		addScaled(cell, 1, in(1))
	}
	if k == w.Tile-1 && w.First == 0 {
		addScaled(cell, 1, in(0))
	}
	for q := range p {
		plus, minus := in(2+2*q), in(3+2*q)
		switch {
		case k == 0:
			for j := range cell {
				cell[j] += plus[j] + minus[j]
			}
		case k%2 == 0:
			f := w.toCells[(k-1)*p+q]
			for j := range cell {
				cell[j] += f * (plus[j] + minus[j])
			}
		default:
			f := w.toCells[(k-1)*p+q]
			for j := range cell {
				cell[j] += f * (plus[j] - minus[j])
			}
		}
	}
}

// epilogue adds the bias of the channels from c on and what is to be added, add
// bytes and c channels from Add on, and clamps.
func (t *WinogradOutput) epilogue(cell []float32, add, c int) {
	for j, b := range vector(t.Bias, 4*c, len(cell)) {
		cell[j] += b
	}
	if t.Add != nil {
		for j, v := range vector(t.Add, add+4*c, len(cell)) {
			cell[j] += v
		}
	}
	for j, v := range cell {
		cell[j] = min(max(v, t.Low), t.High)
	}
}
