package operators_test

import (
	"math/rand/v2"
	"reflect"
	"testing"

	"gorgonia.org/tensor"

	"occlude/internal/network"
	"occlude/operators"
	"occlude/operators/region"
)

// numbered is a whole map in which every value is its own place, plus first.
func numbered(s network.Shape, first int) operators.Tile {
	data := make([]float32, s.Len())
	for i := range data {
		data[i] = float32(first + i)
	}
	return operators.WholeTile(s, data)
}

// rectIn is any rectangle, maybe empty, inside an h x w map.
func rectIn(rng *rand.Rand, h, w int) region.Rect {
	x, y := rng.IntN(w), rng.IntN(h)
	return region.Of(x, y, rng.IntN(w-x+1), rng.IntN(h-y+1))
}

func TestSub(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	s := network.Shape{H: 7, W: 6, C: 2}
	whole := numbered(s, 0)
	for range 500 {
		a, b := rectIn(rng, s.H, s.W), rectIn(rng, s.H, s.W)
		sub := whole.Sub(a).Sub(b)
		if want := a.Intersect(b); sub.Rect != want {
			t.Fatalf("the part of %v in %v is %v", a, b, sub.Rect)
		}
		for y := sub.Rect.Y.Lo; y < sub.Rect.Y.Hi; y++ {
			for x := sub.Rect.X.Lo; x < sub.Rect.X.Hi; x++ {
				if got, want := sub.Cell(y, x), whole.Cell(y, x); !reflect.DeepEqual(got, want) {
					t.Fatalf("cell (%d, %d) is %v instead of %v", x, y, got, want)
				}
			}
		}
	}
}

// TestSource compares rows and gathered rectangles with a map into which the
// update was copied.
func TestSource(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	for range 500 {
		s := network.Shape{H: 1 + rng.IntN(8), W: 1 + rng.IntN(8), C: 1 + rng.IntN(3)}
		const pad = -7
		src := operators.Source{Shape: s, View: numbered(s, 0)}
		overlaid := numbered(s, 0)
		if r := rectIn(rng, s.H, s.W); !r.Empty() {
			src.Update = numbered(s, 1000).Sub(r)
			for y := r.Y.Lo; y < r.Y.Hi; y++ {
				copy(overlaid.Row(y, r.X.Lo, r.X.Hi), src.Update.Row(y, r.X.Lo, r.X.Hi))
			}
		}
		if r := rectIn(rng, s.H, s.W); !r.Empty() {
			got := src.Row(r.Y.Lo, r.X.Lo, r.X.Hi, make([]float32, r.W()*s.C))
			if want := overlaid.Row(r.Y.Lo, r.X.Lo, r.X.Hi); !reflect.DeepEqual(got, want) {
				t.Fatalf("row %d, %v over %v: %v instead of %v", r.Y.Lo, r.X, src.Update.Rect, got, want)
			}
		}
		r := region.Of(rng.IntN(12)-4, rng.IntN(12)-4, 1+rng.IntN(12), 1+rng.IntN(12))
		dst := make([]float32, r.Area()*s.C)
		src.Gather(dst, r, pad)
		got := operators.NewTile(r, s.C, dst)
		for y := r.Y.Lo; y < r.Y.Hi; y++ {
			for x := r.X.Lo; x < r.X.Hi; x++ {
				inside := s.Whole().Contains(region.Of(x, y, 1, 1))
				for c, v := range got.Cell(y, x) {
					want := float32(pad)
					if inside {
						want = overlaid.Cell(y, x)[c]
					}
					if v != want {
						t.Fatalf("gathering %s of %s: cell (%d, %d) is %g instead of %g", r, s, x, y, v, want)
					}
				}
			}
		}
	}
}

func TestViews(t *testing.T) {
	var none *operators.Views
	if !none.Tile(3).Empty() {
		t.Error("no views have a tile")
	}
	image := tensor.New(tensor.WithShape(2, 3, 1), tensor.WithBacking([]float32{1, 2, 3, 4, 5, 6}))
	v := &operators.Views{Layers: []*tensor.Dense{image, nil, image}}
	if got := v.Tile(0).Cell(1, 2)[0]; got != 6 {
		t.Errorf("the last cell is %g", got)
	}
	if !v.Tile(1).Empty() {
		t.Error("a view that was not kept has a tile")
	}
	if v.Bytes() != 48 {
		t.Errorf("%d bytes", v.Bytes())
	}
	v.Drop(func(layer int) bool { return layer == 2 })
	if v.Layers[0] != nil || v.Layers[2] == nil || v.Bytes() != 24 {
		t.Error("dropped the wrong view")
	}
	if out := v.Output(2); len(out) != 6 {
		t.Errorf("output %v", out)
	}
}

func TestStatsPlus(t *testing.T) {
	one := operators.LayerStats{Nanos: 1, MACs: 2, Steps: 3, Cells: 4, Runs: 5}
	a := operators.Stats{Layers: []operators.LayerStats{one}, Peak: 10}
	b := operators.Stats{Layers: []operators.LayerStats{one, one}, Peak: 5}
	want := operators.Stats{
		Layers: []operators.LayerStats{{Nanos: 2, MACs: 4, Steps: 6, Cells: 8, Runs: 10}, one},
		Peak:   15,
	}
	for _, sum := range []operators.Stats{a.Plus(b), b.Plus(a)} {
		if !reflect.DeepEqual(sum, want) {
			t.Errorf("sum %+v, want %+v", sum, want)
		}
	}
	if want.MACs() != 6 {
		t.Errorf("%d multiply-adds", want.MACs())
	}
	if a.Layers[0] != one {
		t.Error("adding changed an operand")
	}
}
