package cpu

import (
	"unsafe"

	"occlude/operators"
	"occlude/operators/cpu/simd"
	"occlude/operators/region"
)

// address is that of value i.
func address(data []float32, i int) unsafe.Pointer { return unsafe.Pointer(&data[i]) }

// toPoints transforms a strip's input into V.
func (k *winograd) toPoints(w *worker, s winogradStrip) {
	c := &w.winograd
	r := region.Rect{Y: k.y.reads(s.y, 1, k.op.Y.Pad), X: k.x.reads(s.x, s.n, k.op.X.Pad)}
	in, first, copied := k.piece(w, s.task.in[0], r)
	defer w.release(copied)
	t := &c.input
	*t = simd.WinogradInput{
		In: address(in.Data, first), Down: in.Stride * 4, Right: in.C * 4, InStep: k.x.tile * in.C * 4,
		Out: address(c.v.data, s.at*k.rowV), OutStride: c.planeV * 4, OutStep: k.rowV * 4,
		Count: s.n, Channels: k.cin, Buffer: address(c.buffer.data, 0),
	}
	switch {
	case k.y.Winograd == nil:
		k.x.LineInput(t)
	case k.x.Winograd == nil:
		t.Right = t.Down
		k.y.LineInput(t)
	default:
		k.x.SquareInput(t)
	}
}

// toCells transforms a strip of M into the output, with the epilogue.
func (k *winograd) toCells(w *worker, s winogradStrip) {
	c := &w.winograd
	out := s.task.out.Sub(region.Of(s.x, s.y, s.n*k.x.tile, k.y.tile)) // without what tiles reach past the rectangle
	f := &c.output
	*f = simd.WinogradOutput{
		InStride: c.planeM * 4, InStep: k.rowM * 4,
		Down: out.Stride * 4, Right: out.C * 4, OutStep: k.x.tile * out.C * 4,
		Channels: k.cout, Bias: address(k.bias, 0), Low: k.epilogue.low, High: k.epilogue.high,
		Buffer: address(c.buffer.data, 0),
	}
	var add operators.Tile
	first := 0
	if k.op.Residual {
		var copied block
		add, first, copied = inPiece(w, s.task.in[1], out.Rect)
		defer w.release(copied)
		f.AddDown, f.AddRight, f.AddStep = add.Stride*4, add.C*4, k.x.tile*add.C*4
	}
	// Whole tiles together, then the one that reaches past the rectangle.
	for x, width := 0, out.Rect.W(); x < width; x += f.Count * k.x.tile {
		f.Rows, f.Columns, f.Count = out.Rect.H(), k.x.tile, (width-x)/k.x.tile
		if f.Count == 0 {
			f.Columns, f.Count = width-x, 1
		}
		f.In = address(c.m.data, (s.at+x/k.x.tile)*k.rowM)
		f.Out = address(out.Data, x*out.C)
		if k.op.Residual {
			f.Add = address(add.Data, first+x*add.C)
		}
		switch {
		case k.y.Winograd == nil:
			k.x.LineOutput(f)
		case k.x.Winograd == nil:
			f.Right, f.AddRight, f.Columns = f.Down, f.AddDown, f.Rows
			k.y.LineOutput(f)
		default:
			k.x.SquareOutput(f)
		}
	}
	k.epilogue.rows(out)
}
