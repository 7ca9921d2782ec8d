package cpu

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"occlude/internal/network"
	"occlude/internal/network/networktest"
	"occlude/operators"
	"occlude/operators/operatorstest"
	"occlude/operators/region"
)

// TestSurround checks an update's surroundings against a gathered copy, in the
// middle of maps and at their borders.
func TestSurround(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 180))
	for range 300 {
		s := network.Shape{H: 1 + rng.IntN(8), W: 1 + rng.IntN(8), C: 1 + rng.IntN(3)}
		view := operators.WholeTile(s, networktest.Values(rng, s.Len(), 1))
		inner := randomRect(rng, s)
		grow := func(i region.Interval) region.Interval {
			return region.Interval{Lo: i.Lo - rng.IntN(4), Hi: i.Hi + rng.IntN(4)}
		}
		outer := region.Rect{Y: grow(inner.Y), X: grow(inner.X)}
		around := newCanvas(rng, outer, s.C)
		update := around.tile.Sub(inner)
		for y := inner.Y.Lo; y < inner.Y.Hi; y++ {
			copy(update.Row(y, inner.X.Lo, inner.X.Hi), networktest.Values(rng, inner.W()*s.C, 1))
		}
		surround(around.tile, inner, view, s)
		if !around.intact() {
			t.Fatalf("%s in %s of %s: wrote beside the tile", inner, outer, s)
		}
		want := make([]float32, outer.Area()*s.C)
		operators.Source{Shape: s, View: view, Update: update}.Gather(want, outer, 0)
		for y := outer.Y.Lo; y < outer.Y.Hi; y++ {
			for x := outer.X.Lo; x < outer.X.Hi; x++ {
				if !operatorstest.SameBits(around.tile.Cell(y, x), operators.NewTile(outer, s.C, want).Cell(y, x)) {
					t.Fatalf("%s in %s of %s: cell (%d, %d) is %v", inner, outer, s, x, y, around.tile.Cell(y, x))
				}
			}
		}
	}
}

// TestReadersCopyNothing checks that a convolution finds its input in one piece
// where the layer below wrote it, wherever the patch lies.
func TestReadersCopyNothing(t *testing.T) {
	in := network.Shape{H: 20, W: 20, C: 3}
	net := network.New("image", in)
	l := net.Input()
	for i := range 3 {
		var err error
		if l, err = net.Add(fmt.Sprint(i), convOf(l.Shape.C, 5, 3, 1, 1), l); err != nil {
			t.Fatal(err)
		}
	}
	rng := rand.New(rand.NewPCG(2, 180))
	p := program(t, net)
	views := base(t, p, networktest.Image(rng, in), 1)
	w := p.newWorker()
	for i := 1; i < 3; i++ {
		p.kernels[i] = probe{p.kernels[i], func(tasks []task) {}}
	}
	found := 0
	p.kernels[3] = probe{p.kernels[3], func(tasks []task) {
		for _, t3 := range tasks {
			wanted := p.consumers[2][0].wants(t3.out.Rect)
			_, _, copied := inPiece(w, t3.in[0], wanted)
			if copied.hi > copied.lo {
				t.Errorf("%s is copied together for %s", wanted, t3.out.Rect)
			}
			found++
		}
	}}
	batch := operatorstest.Updates(net, []operators.Tile{
		patchOf(rng, in, region.Of(0, 0, 4, 4)), patchOf(rng, in, region.Of(8, 9, 4, 4)), patchOf(rng, in, region.Of(16, 16, 4, 4)),
	})
	operatorstest.Run(t, w, views, batch)
	if found != len(batch) {
		t.Errorf("looked at %d positions of %d", found, len(batch))
	}
}

// probe shows a kernel's tasks before they run.
type probe struct {
	kernel
	look func([]task)
}

func (p probe) forward(w *worker, tasks []task) error {
	p.look(tasks)
	return p.kernel.forward(w, tasks)
}
