package gputest

import (
	"context"
	"fmt"
	"math/rand/v2"

	"gorgonia.org/tensor"

	"occlude/internal/network"
	"occlude/internal/network/networktest"
	"occlude/operators"
	"occlude/operators/gpu"
	"occlude/operators/operatorstest"
	"occlude/operators/region"
)

// Case is a network with an image and a batch of updates.
type Case struct {
	Name    string
	Net     *network.Network
	Options gpu.Options
	Image   *tensor.Dense
	Patches []operators.Tile
}

// newCase gives a network an image and updates, the same ones for the same network.
func newCase(name string, net *network.Network, o gpu.Options) Case {
	rng := rand.New(rand.NewPCG(uint64(len(net.Layers)), 40))
	in := net.Input().Shape
	return Case{name, net, o, networktest.Image(rng, in), Patches(rng, in)}
}

// Patches are updates at every border, single cells, lines, the whole image, nothing.
func Patches(rng *rand.Rand, s network.Shape) []operators.Tile {
	w, h := 1+rng.IntN(max(1, s.W/2)), 1+rng.IntN(max(1, s.H/2))
	rects := []region.Rect{
		region.Of(0, 0, w, h), region.Of(s.W-w, 0, w, h), region.Of(0, s.H-h, w, h), region.Of(s.W-w, s.H-h, w, h),
		region.Of((s.W-w)/2, (s.H-h)/2, w, h), region.Of(0, 0, 1, 1), region.Of(s.W-1, s.H-1, 1, 1),
		region.Of(0, rng.IntN(s.H), s.W, 1), region.Of(rng.IntN(s.W), 0, 1, s.H), s.Whole(), {},
	}
	tiles := make([]operators.Tile, len(rects))
	for i, r := range rects {
		tiles[i] = operators.NewTile(r, s.C, networktest.Values(rng, r.Area()*s.C, 1))
	}
	return tiles
}

// Result is what a case came to: the views of all layers, and the network's output on
// the image with each of the patches.
type Result struct {
	Views   [][]float32
	Outputs [][]float32
}

// Run runs a case on a device.
func Run(ctx context.Context, d *gpu.Device, c Case) (Result, error) {
	var r Result
	p, err := gpu.New(ctx, c.Net, d, c.Options)
	if err != nil {
		return r, err
	}
	views, err := p.Base(ctx, c.Image, 1)
	if err != nil {
		return r, err
	}
	for i := range c.Net.Layers {
		v, err := p.View(ctx, views, i)
		if err != nil {
			return r, err
		}
		r.Views = append(r.Views, v.Float32s())
	}
	var batch []operators.Update
	for _, patch := range c.Patches {
		out := make([]float32, c.Net.Output.Shape.Len())
		r.Outputs = append(r.Outputs, out)
		batch = append(batch, operators.Update{Patch: patch, Rects: c.Net.Trace(patch.Rect, nil), Out: out})
	}
	w := p.NewWorker()
	defer p.Trim()
	defer w.Release()
	return r, w.Run(ctx, views, batch)
}

// Definition is what a case comes to by the definitions of its layers in float64.
func Definition(c Case) (Result, error) {
	var r Result
	all, err := networktest.Eval(c.Net, c.Image.Float32s())
	if err != nil {
		return r, err
	}
	for _, v := range all {
		r.Views = append(r.Views, narrow(v))
	}
	in := c.Net.Input().Shape
	for _, patch := range c.Patches {
		changed := c.Image.Clone().(*tensor.Dense)
		whole := operators.WholeTile(in, changed.Float32s())
		for y := patch.Rect.Y.Lo; y < patch.Rect.Y.Hi; y++ {
			copy(whole.Row(y, patch.Rect.X.Lo, patch.Rect.X.Hi), patch.Row(y, patch.Rect.X.Lo, patch.Rect.X.Hi))
		}
		out, err := networktest.Output(c.Net, changed.Float32s())
		if err != nil {
			return r, err
		}
		r.Outputs = append(r.Outputs, narrow(out))
	}
	return r, nil
}

func narrow(v []float64) []float32 {
	out := make([]float32, len(v))
	for i, x := range v {
		out[i] = float32(x)
	}
	return out
}

// Tolerance is how far results of the cases here may be apart by Compare: those of a device,
// of its twin and of the definitions. Sums of float32 are in another order.
const Tolerance = 5e-6

// Compare is how far apart two results of a case are at most, and where.
func Compare(c Case, a, b Result) (far float64, where string) {
	for i, l := range c.Net.Layers {
		if d := operatorstest.Distance(a.Views[i], b.Views[i]); d > far {
			far, where = d, fmt.Sprintf("%s of %s", l, l.Shape)
		}
	}
	for i, patch := range c.Patches {
		if d := operatorstest.Distance(a.Outputs[i], b.Outputs[i]); d > far {
			far, where = d, fmt.Sprintf("the output with the patch %s", patch.Rect)
		}
	}
	return far, where
}
