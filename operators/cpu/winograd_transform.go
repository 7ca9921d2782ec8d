package cpu

import (
	"math"
	"unsafe"

	"occlude/operators"
	"occlude/operators/cpu/simd"
)

// address is that of value i.
func address(data []float32, i int) unsafe.Pointer { return unsafe.Pointer(&data[i]) }

const (
	// winogradBuffer is the number of values between the axes, 32 KiB: they stay
	// in the first-level cache.
	winogradBuffer = 1 << 13
	// winogradBlock is the most channels that are transformed along one axis and
	// then along the other.
	winogradBlock = 512
)

// toPoints transforms a strip's input into V.
func (k *winograd) toPoints(w *worker, s *winogradStrip) {
	c := &w.winograd
	in, first, copied := inPiece(w, s.task.in[0], k.reads(s.out))
	t := &c.input
	*t = simd.WinogradInput{
		In: address(in.Data, first), Down: in.Stride * 4, Right: in.C * 4, InStep: k.x.tile * in.C * 4,
		OutStride: c.planeV * 4, OutStep: k.rowV * 4,
		Count: s.n, Channels: k.cin, Buffer: address(c.buffer.data, 0),
	}
	y, x := k.y.part(s.h), k.x.part(s.w)
	t.Out = address(c.v.data, k.firstPoint(y, x)*c.planeV+s.at*k.rowV)
	switch {
	case y == nil:
		x.LineInput(t)
	case x == nil:
		t.Right = t.Down
		y.LineInput(t)
	case y == k.y.Winograd && x == k.x.Winograd:
		x.SquareInput(t)
	default:
		k.partToPoints(c, y, x)
	}
	w.release(copied)
}

// firstPoint is the first of the points that tiles use, along either axis, nil
// where the window has one tap.
func (k *winograd) firstPoint(y, x *simd.Winograd) int {
	point := 0
	if y != nil {
		point = y.First * k.x.points
	}
	if x != nil {
		point += x.First
	}
	return point
}

// partToPoints transforms tiles that are smaller than others: some channels of a
// tile along y into the buffer, then that along x.
func (k *winograd) partToPoints(c *winogradScratch, y, x *simd.Winograd) {
	t, line := &c.input, &c.lineInput
	block := channelBlock(k.cin, y.Points*x.Points)
	cell := block * 4
	for tile := range t.Count {
		for lo := 0; lo < k.cin; lo += block {
			n := min(block, k.cin-lo)
			*line = simd.WinogradInput{
				In: unsafe.Add(t.In, tile*t.InStep+lo*4), Right: t.Down, InStep: t.Right,
				Out: t.Buffer, OutStride: x.Points * cell, OutStep: cell,
				Count: x.Points, Channels: n,
			}
			y.LineInput(line)
			*line = simd.WinogradInput{
				In: t.Buffer, Right: cell, InStep: x.Points * cell,
				Out: unsafe.Add(t.Out, tile*t.OutStep+lo*4), OutStride: t.OutStride, OutStep: k.x.points * t.OutStride,
				Count: y.Points, Channels: n,
			}
			x.LineInput(line)
		}
	}
}

// channelBlock is how many of the channels to transform along one axis and then
// along the other when there are so many vectors between the two.
func channelBlock(channels, vectors int) int {
	most := min(winogradBlock, winogradBuffer/vectors/alignment*alignment)
	blocks := (channels + most - 1) / most
	return aligned((channels + blocks - 1) / blocks)
}

// toCells transforms a strip of M into the output, with the epilogue.
func (k *winograd) toCells(w *worker, s *winogradStrip) {
	c := &w.winograd
	out := s.task.out.Sub(s.out)
	y, x := k.y.part(s.h), k.x.part(s.w)
	low, high := k.epilogue.bounds(s.task)
	f := &c.output
	*f = simd.WinogradOutput{
		InStride: c.planeM * 4, InStep: k.rowM * 4,
		Out: address(out.Data, 0), Down: out.Stride * 4, Right: out.C * 4, OutStep: k.x.tile * out.C * 4,
		Rows: s.h, Columns: s.w, Count: s.n,
		Channels: k.cout, Bias: address(k.bias, 0), Low: low, High: high,
		Buffer: address(c.buffer.data, 0),
	}
	f.In = address(c.m.data, k.firstPoint(y, x)*c.planeM+s.at*k.rowM)
	var copied block
	if k.op.Residual {
		var add operators.Tile
		var first int
		add, first, copied = inPiece(w, s.task.in[1], out.Rect)
		f.Add, f.AddDown, f.AddRight, f.AddStep = address(add.Data, first), add.Stride*4, add.C*4, k.x.tile*add.C*4
	}
	switch {
	case y == nil:
		x.LineOutput(f)
	case x == nil:
		f.Right, f.AddRight, f.Columns = f.Down, f.AddDown, f.Rows
		y.LineOutput(f)
	case y == k.y.Winograd && x == k.x.Winograd:
		x.SquareOutput(f)
	default:
		k.partToCells(c, y, x)
	}
	w.release(copied)
	switch r := s.task.out.Rect; {
	case s.task.departure == nil:
		k.epilogue.finish(w, s.task, out)
	case s.out.Y.Hi == r.Y.Hi && s.out.X.Hi == r.X.Hi: // the task's last strip
		k.epilogue.finish(w, s.task, s.task.out)
	}
}

// partToCells transforms tiles that are smaller than others back, as partToPoints
// does.
func (k *winograd) partToCells(c *winogradScratch, y, x *simd.Winograd) {
	t, line := &c.output, &c.lineOutput
	block := channelBlock(k.cout, y.Tile*x.Points)
	cell := block * 4
	inf := float32(math.Inf(1))
	for tile := range t.Count {
		for lo := 0; lo < k.cout; lo += block {
			n := min(block, k.cout-lo)
			*line = simd.WinogradOutput{
				In: unsafe.Add(t.In, tile*t.InStep+lo*4), InStride: k.x.points * t.InStride, InStep: t.InStride,
				Out: t.Buffer, Right: x.Points * cell, OutStep: cell,
				Columns: y.Tile, Count: x.Points, Channels: n,
				Bias: address(k.zeros, 0), Low: -inf, High: inf,
			}
			y.LineOutput(line)
			*line = simd.WinogradOutput{
				In: t.Buffer, InStride: cell, InStep: x.Points * cell,
				Out: unsafe.Add(t.Out, tile*t.OutStep+lo*4), Right: t.Right, OutStep: t.Down,
				Columns: x.Tile, Count: y.Tile, Channels: n,
				Bias: unsafe.Add(t.Bias, lo*4), Low: t.Low, High: t.High,
			}
			if t.Add != nil {
				line.Add = unsafe.Add(t.Add, tile*t.AddStep+lo*4)
				line.AddRight, line.AddStep = t.AddRight, t.AddDown
			}
			x.LineOutput(line)
		}
	}
}
