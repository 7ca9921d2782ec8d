package cpu

import (
	"unsafe"

	"occlude/operators"
	"occlude/operators/cpu/simd"
	"occlude/operators/region"
)

// channelBlock is how many channels of a strip are transformed along one axis
// before the other.
const channelBlock = 64

// address is that of value i.
func address(data []float32, i int) unsafe.Pointer { return unsafe.Pointer(&data[i]) }

// toPoints transforms a strip's input into V.
func (k *winograd) toPoints(w *worker, s winogradStrip) {
	c := &w.winograd
	r := region.Rect{Y: k.y.reads(s.y, 1, k.op.Y.Pad), X: k.x.reads(s.x, s.n, k.op.X.Pad)}
	in, first, copied := k.piece(w, s.task.in[0], r)
	defer w.release(copied)
	down, right := in.Stride*4, in.C*4
	t := &c.transform
	if k.y.Winograd == nil || k.x.Winograd == nil {
		*t = simd.Transform{
			In:  address(in.Data, first),
			Out: address(c.v.data, s.at*k.rowV), OutStride: c.planeV * 4, OutStep: k.rowV * 4,
			Count: s.n, Channels: k.cin,
		}
		if k.x.Winograd != nil {
			t.InStride, t.InStep = right, k.x.tile*right
			k.x.Input(t)
		} else {
			t.InStride, t.InStep = down, right
			k.y.Input(t)
		}
		return
	}
	for channel := 0; channel < k.cin; channel += channelBlock {
		n := min(channelBlock, k.cin-channel)
		cell := aligned(n)
		row := r.W() * cell
		*t = simd.Transform{
			In: address(in.Data, first+channel), InStride: down, InStep: right,
			Out: address(c.t.data, 0), OutStride: row * 4, OutStep: cell * 4,
			Count: r.W(), Channels: n,
		}
		k.y.Input(t)
		for i := range k.y.points {
			*t = simd.Transform{
				In: address(c.t.data, i*row), InStride: cell * 4, InStep: k.x.tile * cell * 4,
				Out: address(c.v.data, i*k.x.points*c.planeV+s.at*k.rowV+channel), OutStride: c.planeV * 4, OutStep: k.rowV * 4,
				Count: s.n, Channels: n,
			}
			k.x.Input(t)
		}
	}
}

// toCells transforms a strip of M into the output, with the epilogue.
func (k *winograd) toCells(w *worker, s winogradStrip) {
	c := &w.winograd
	out := s.task.out.Sub(region.Of(s.x, s.y, s.n*k.x.tile, k.y.tile)) // without what tiles reach past the rectangle
	f := &c.store
	*f = simd.Store{Low: k.epilogue.low, High: k.epilogue.high}
	down, right := out.Stride*4, out.C*4
	var add operators.Tile
	var first, addDown, addRight int
	if k.op.Residual {
		var copied block
		add, first, copied = inPiece(w, s.task.in[1], out.Rect)
		defer w.release(copied)
		addDown, addRight = add.Stride*4, add.C*4
	}
	// to sets where the results of the cells from x on go, and their channels.
	to := func(x, channel, n int) {
		f.Out = address(out.Data, x*out.C+channel)
		f.Bias = address(k.bias, channel)
		if k.op.Residual {
			f.Add = address(add.Data, first+x*add.C+channel)
		}
		f.Channels = n
	}
	switch {
	case k.y.Winograd == nil:
		// The cells of a tile follow each other, and the last one may be cut.
		f.InStride, f.InStep = c.planeM*4, k.rowM*4
		f.OutStride, f.OutStep = right, k.x.tile*right
		f.AddStride, f.AddStep = addRight, k.x.tile*addRight
		for x, width := 0, out.Rect.W(); x < width; x += f.Count * f.Rows {
			if f.Rows, f.Count = k.x.tile, (width-x)/k.x.tile; f.Count == 0 {
				f.Rows, f.Count = width-x, 1
			}
			f.In = address(c.m.data, (s.at+x/k.x.tile)*k.rowM)
			to(x, 0, k.cout)
			k.x.Store(f)
		}
	case k.x.Winograd == nil:
		f.In, f.InStride, f.InStep = address(c.m.data, s.at*k.rowM), c.planeM*4, k.rowM*4
		f.OutStride, f.OutStep = down, right
		f.AddStride, f.AddStep = addDown, addRight
		f.Rows, f.Count = out.Rect.H(), out.Rect.W()
		to(0, 0, k.cout)
		k.y.Store(f)
	default:
		f.OutStride, f.OutStep = down, right
		f.AddStride, f.AddStep = addDown, addRight
		f.Rows, f.Count = out.Rect.H(), out.Rect.W()
		for channel := 0; channel < k.cout; channel += channelBlock {
			n := min(channelBlock, k.cout-channel)
			cell := aligned(n)
			row := s.n * k.x.tile * cell
			for i := range k.y.points {
				c.transform = simd.Transform{
					In: address(c.m.data, i*k.x.points*c.planeM+s.at*k.rowM+channel), InStride: c.planeM * 4, InStep: k.rowM * 4,
					Out: address(c.t.data, i*row), OutStride: cell * 4, OutStep: k.x.tile * cell * 4,
					Count: s.n, Channels: n,
				}
				k.x.Output(&c.transform)
			}
			f.In, f.InStride, f.InStep = address(c.t.data, 0), row*4, cell*4
			to(0, channel, n)
			k.y.Store(f)
		}
	}
	k.epilogue.rows(out)
}
