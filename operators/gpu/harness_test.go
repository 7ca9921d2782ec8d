package gpu

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gorgonia.org/tensor"

	"occlude/internal/network"
	"occlude/internal/network/networktest"
	"occlude/operators"
	"occlude/operators/cpu"
	"occlude/operators/gpu/driver"
	"occlude/operators/region"
)

// long skips a test that only computes for long.
func long(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("only computes for long")
	}
}

// program brings a network to a device.
func program(t testing.TB, net *network.Network, d driver.Driver, o Options) *Program {
	t.Helper()
	p, err := New(t.Context(), net, NewDevice(d), o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// tensorOn are options with tensor cores wherever they can be, or without.
func tensorOn(net *network.Network, on bool) Options {
	if !on {
		return Options{}
	}
	return Options{Algorithms: Wherever(net, operators.Tensor)}
}

// processor is the program that others are compared with.
func processor(t testing.TB, net *network.Network) *cpu.Program {
	t.Helper()
	p, err := cpu.New(t.Context(), net, cpu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func base(t testing.TB, p operators.Program, image *tensor.Dense) *operators.Views {
	t.Helper()
	v, err := p.Base(t.Context(), image, 2)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func run(t testing.TB, w operators.Worker, views *operators.Views, batch []operators.Update) {
	t.Helper()
	if err := w.Run(t.Context(), views, batch); err != nil {
		t.Fatal(err)
	}
}

// supported makes a random network that a GPU computes.
func supported(rng *rand.Rand, o networktest.Options) *network.Network {
	for {
		net := networktest.Random(rng, o)
		if unsupported := (*Unsupported)(nil); !errors.As(Check(net), &unsupported) {
			return net
		}
	}
}

// occluded is an image of which a rectangle was replaced.
func occluded(image *tensor.Dense, s network.Shape, patch operators.Tile) *tensor.Dense {
	changed := image.Clone().(*tensor.Dense)
	whole := operators.WholeTile(s, changed.Float32s())
	for y := patch.Rect.Y.Lo; y < patch.Rect.Y.Hi; y++ {
		copy(whole.Row(y, patch.Rect.X.Lo, patch.Rect.X.Hi), patch.Row(y, patch.Rect.X.Lo, patch.Rect.X.Hi))
	}
	return changed
}

// patchOf fills a rectangle with random values; its rows lie apart in memory.
func patchOf(rng *rand.Rand, s network.Shape, r region.Rect) operators.Tile {
	stride := (r.W() + 2) * s.C
	return operators.Tile{Rect: r, C: s.C, Stride: stride, Data: networktest.Values(rng, r.H()*stride, 1)}
}

func randomRect(rng *rand.Rand, s network.Shape) region.Rect {
	w, h := 1+rng.IntN(s.W), 1+rng.IntN(s.H)
	return region.Of(rng.IntN(s.W-w+1), rng.IntN(s.H-h+1), w, h)
}

// patches are rectangles at every border, single cells, lines, the whole image.
func patches(rng *rand.Rand, s network.Shape) []operators.Tile {
	w, h := 1+rng.IntN(max(1, s.W/2)), 1+rng.IntN(max(1, s.H/2))
	rects := []region.Rect{
		region.Of(0, 0, w, h), region.Of(s.W-w, 0, w, h), region.Of(0, s.H-h, w, h), region.Of(s.W-w, s.H-h, w, h),
		region.Of((s.W-w)/2, (s.H-h)/2, w, h), region.Of(0, 0, 1, 1), region.Of(s.W-1, s.H-1, 1, 1),
		region.Of(0, rng.IntN(s.H), s.W, 1), region.Of(rng.IntN(s.W), 0, 1, s.H), s.Whole(), {},
	}
	for range 3 {
		rects = append(rects, randomRect(rng, s))
	}
	tiles := make([]operators.Tile, len(rects))
	for i, r := range rects {
		tiles[i] = patchOf(rng, s, r)
	}
	return tiles
}

// updatesOf makes an update for each patch, with the rectangles that the region algebra
// gives.
func updatesOf(net *network.Network, patches []operators.Tile) []operators.Update {
	batch := make([]operators.Update, len(patches))
	for i, p := range patches {
		batch[i] = operators.Update{Patch: p, Rects: net.Trace(p.Rect, nil), Out: make([]float32, net.Output.Shape.Len())}
	}
	return batch
}

// wholesOf makes an update for each patch that computes everything.
func wholesOf(net *network.Network, image *tensor.Dense, patches []operators.Tile) []operators.Update {
	in := net.Input().Shape
	batch := make([]operators.Update, len(patches))
	for i, p := range patches {
		u := operators.Update{Patch: operators.WholeTile(in, occluded(image, in, p).Float32s()), Out: make([]float32, net.Output.Shape.Len())}
		for _, l := range net.Layers {
			r := l.Shape.Whole()
			if _, fixed := l.Op.(network.Const); fixed {
				r = region.Rect{}
			}
			u.Rects = append(u.Rects, r)
		}
		batch[i] = u
	}
	return batch
}

// cutAt is the part of a network that computes layer i.
func cutAt(net *network.Network, i int) *network.Network {
	c := net.Clone()
	c.Output = c.Layers[i]
	c.Sort()
	return c
}

// distance is how far apart two results are, relative to the largest value; infinite
// where one is not finite and the other is not the same.
func distance(a, b []float32) float64 {
	scale, far := 1.0, 0.0
	for _, v := range b {
		if x := math.Abs(float64(v)); x > scale && !math.IsInf(x, 0) {
			scale = x
		}
	}
	for i := range a {
		x, y := float64(a[i]), float64(b[i])
		if x == y || math.IsNaN(x) && math.IsNaN(y) {
			continue
		}
		if d := math.Abs(x-y) / scale; d > far || math.IsNaN(d) {
			far = d
			if math.IsNaN(d) {
				far = math.Inf(1)
			}
		}
	}
	return far
}

func sameBits(a, b []float32) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) })
}
