package cpu

import (
	"math/rand/v2"
	"testing"
	"unsafe"

	"gorgonia.org/tensor"

	"occlude/internal/network"
	"occlude/operators"
	"occlude/operators/cpu/simd"
	"occlude/operators/region"
)

// TestKernelsForget checks that a worker keeps nothing of what its tasks lie in,
// also behind the ends of its lists: lists that grew shorter from one part of
// the work to the next would keep an image's views in memory until the next one.
func TestKernelsForget(t *testing.T) {
	axis := region.Window{Kernel: 3, Stride: 1, Pad: 1, Dilation: 1}
	win, after := network.Window{Y: axis, X: axis}, network.PadAfter{Y: 1, X: 1}
	in := network.Shape{H: 9, W: 9, C: 20}
	rng := rand.New(rand.NewPCG(1, 210))
	residual := convOf(20, 20, 3, 1, 1)
	residual.Residual = true
	for _, c := range []struct {
		op  network.Op
		how operators.Algorithm
	}{
		{op: convOf(20, 40, 3, 1, 1)}, {op: residual}, {op: convOf(20, 40, 3, 1, 20)},
		{op: residual, how: operators.Winograd2}, {op: residual, how: operators.Winograd4},
		{op: network.Pool{Window: win, After: after, Max: true}},
		{op: network.Dense{Weights: tensor.New(tensor.WithShape(denseRows+5, in.Len()), tensor.Of(tensor.Float32))}},
	} {
		shapes := []network.Shape{in}
		if conv, ok := c.op.(network.Conv); ok && conv.Residual {
			shapes = append(shapes, in)
		}
		l, inputs := layerOf(t, rng, c.op, shapes...)
		for _, set := range simd.Available() {
			k, err := newKernel(l, set, c.how)
			if err != nil {
				t.Fatal(err)
			}
			w := (&Program{net: &network.Network{}}).newWorker()
			done := w.watch(t.Context())
			tasks := make([]task, 3)
			for i := range tasks {
				tasks[i].out = newCanvas(rng, l.Shape.Whole(), l.Shape.C).tile
				for j, p := range l.In {
					tasks[i].in = append(tasks[i].in, sourceOf(rng, p.Shape, inputs[j]))
				}
			}
			// As an update of its last row alone, the first task is in the last
			// blocks of the inputs and in no other.
			tasks[0].in[0] = operators.Source{
				Shape: in, View: operators.WholeTile(in, inputs[0]),
				Update: operators.NewTile(region.Of(0, 8, 9, 1), in.C, make([]float32, 9*in.C)),
			}
			tasks[0].base, tasks[0].sums = tasks[0].out, make([]float32, l.Shape.Len())
			if err := k.forward(w, tasks); err != nil {
				t.Fatal(err)
			}
			done()
			name := set.Name + ": " + c.op.Kind() + " " + string(c.how)
			for list, pointers := range map[string][]unsafe.Pointer{
				"conv.in": w.conv.in, "conv.out": w.conv.out, "conv.add": w.conv.add,
				"dense.in": w.dense.in, "dense.out": w.dense.out, "pool.taps": w.pool.taps,
				"winograd.rowsV": w.winograd.rowsV, "winograd.rowsM": w.winograd.rowsM,
				"winograd.in": w.winograd.in, "winograd.out": w.winograd.out,
			} {
				for i, p := range pointers[:cap(pointers)] {
					if p != nil {
						t.Errorf("%s keeps %s[%d]", name, list, i)
						break
					}
				}
			}
			for i, p := range w.dense.positions[:cap(w.dense.positions)] {
				if p != nil {
					t.Errorf("%s keeps position %d", name, i)
				}
			}
			for i, row := range w.pool.rows[:cap(w.pool.rows)] {
				if row != nil {
					t.Errorf("%s keeps row %d", name, i)
				}
			}
			if d := w.depthwise; d.In != nil || d.Out != nil || d.Add != nil {
				t.Errorf("%s keeps its maps", name)
			}
		}
	}
}
