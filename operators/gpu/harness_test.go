package gpu

import (
	"errors"
	"math/rand/v2"
	"testing"

	"gorgonia.org/tensor"

	"occlude/internal/network"
	"occlude/internal/network/networktest"
	"occlude/operators"
	"occlude/operators/cpu"
	"occlude/operators/gpu/driver"
	"occlude/operators/operatorstest"
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

// supported makes a random network that a GPU computes.
func supported(rng *rand.Rand, o networktest.Options) *network.Network {
	for {
		net := networktest.Random(rng, o)
		if unsupported := (*Unsupported)(nil); !errors.As(Check(net), &unsupported) {
			return net
		}
	}
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

// patches are rectangles at every border, none, and others.
func patches(rng *rand.Rand, s network.Shape) []operators.Tile {
	rects := append(operatorstest.Borders(rng, s), region.Rect{})
	for range 3 {
		rects = append(rects, randomRect(rng, s))
	}
	tiles := make([]operators.Tile, len(rects))
	for i, r := range rects {
		tiles[i] = patchOf(rng, s, r)
	}
	return tiles
}

// wholesOf makes an update for each patch that computes everything.
func wholesOf(net *network.Network, image *tensor.Dense, patches []operators.Tile) []operators.Update {
	in := net.Input().Shape
	batch := make([]operators.Update, len(patches))
	for i, p := range patches {
		u := operators.Update{Patch: operators.WholeTile(in, operatorstest.Occluded(image, in, p).Float32s()), Out: make([]float32, net.Output.Shape.Len())}
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
