package compensation_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gorgonia.org/tensor"

	"occlude/internal/network"
	"occlude/internal/network/networktest"
	"occlude/operators"
	"occlude/operators/compensation"
	"occlude/operators/cpu"
	"occlude/operators/gradient"
	"occlude/operators/region"
)

// setting is a network with everything that its estimates take.
type setting struct {
	net        *network.Network
	image      *tensor.Dense
	program    *cpu.Program
	views      *operators.Views
	objectives []gradient.Objective
	gradients  []*gradient.Gradients // all of them
}

// settle makes it, nil for a network that has no gradient.
func settle(t testing.TB, net *network.Network, image *tensor.Dense, o cpu.Options, objectives ...gradient.Objective) *setting {
	t.Helper()
	return settleBy(t, 1, net, image, o, objectives...)
}

// settleBy does so with a number of threads.
func settleBy(t testing.TB, threads int, net *network.Network, image *tensor.Dense, o cpu.Options, objectives ...gradient.Objective) *setting {
	t.Helper()
	s, err := try(t, threads, net, image, o, objectives...)
	if unknown := (*gradient.UnknownError)(nil); errors.As(err, &unknown) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// try does so where the gradient may be unknown, or the compensation be refused.
func try(t testing.TB, threads int, net *network.Network, image *tensor.Dense, o cpu.Options, objectives ...gradient.Objective) (*setting, error) {
	t.Helper()
	ctx := context.Background()
	s := &setting{net: net, image: image, objectives: objectives}
	var err error
	if s.program, err = cpu.New(ctx, net, o); err != nil {
		t.Fatal(err)
	}
	if s.views, err = s.program.Base(ctx, image, threads); err != nil {
		t.Fatal(err)
	}
	p, err := gradient.New(net, gradient.Options{Kernels: o.Kernels, Algorithms: o.Algorithms})
	if err != nil {
		return nil, err
	}
	g, err := p.Run(ctx, s.views, objectives, compensation.Wanted(net, p), threads)
	if err != nil {
		t.Fatal(err)
	}
	all := func(int) bool { return true }
	everything := gradient.Wanted{Out: all, Pre: all, Edge: func(int, int) bool { return true }}
	if s.gradients, err = p.Run(ctx, s.views, objectives, everything, threads); err != nil {
		t.Fatal(err)
	}
	s.views.Compensation, err = compensation.New(ctx, net, p, s.views, g, threads)
	return s, err
}

// fail ends the test with the layers of the network.
func (s *setting) fail(t testing.TB, format string, args ...any) {
	t.Helper()
	t.Errorf(format, args...)
	for _, l := range s.net.Layers {
		t.Log(l.Index, l, l.Op.Detail(), l.Shape)
	}
	t.FailNow()
}

// update is one with estimates, whose patch has the image's values, changed.
func (s *setting) update(r region.Rect, rects []region.Rect, change func(v float32) float32) operators.Update {
	in := s.net.Input().Shape
	patch := operators.NewTile(r, in.C, make([]float32, r.Area()*in.C))
	image := operators.WholeTile(in, s.image.Float32s())
	for y := r.Y.Lo; y < r.Y.Hi; y++ {
		row := patch.Row(y, r.X.Lo, r.X.Hi)
		for i, v := range image.Row(y, r.X.Lo, r.X.Hi) {
			row[i] = change(v)
		}
	}
	return operators.Update{
		Patch: patch, Rects: rects,
		Out: make([]float32, s.net.Output.Shape.Len()), Estimates: make([]float64, len(s.objectives)),
	}
}

// whole is an update of full inference.
func (s *setting) whole(change func(v float32) float32) operators.Update {
	rects := make([]region.Rect, len(s.net.Layers))
	for i, l := range s.net.Layers {
		if len(l.In) > 0 || i == 0 {
			rects[i] = l.Shape.Whole()
		}
	}
	return s.update(s.net.Input().Shape.Whole(), rects, change)
}

// covered is the image with an update's patch.
func (s *setting) covered(u operators.Update) []float32 {
	in := s.net.Input().Shape
	image := slices.Clone(s.image.Float32s())
	for y := u.Patch.Rect.Y.Lo; y < u.Patch.Rect.Y.Hi; y++ {
		row := u.Patch.Row(y, u.Patch.Rect.X.Lo, u.Patch.Rect.X.Hi)
		copy(image[(y*in.W+u.Patch.Rect.X.Lo)*in.C:], row)
	}
	return image
}

func (s *setting) run(t testing.TB, batch ...operators.Update) {
	t.Helper()
	if err := s.program.NewWorker().Run(context.Background(), s.views, batch); err != nil {
		t.Fatal(err)
	}
}

// value is an objective of an output that is probabilities.
func value(out []float32, o gradient.Objective) float64 { return value64(wide(out), o) }

func value64(out []float64, o gradient.Objective) float64 {
	others := 0.0
	for j, v := range out {
		if j != o.Class {
			others += v
		}
	}
	switch p := out[o.Class]; o.Kind {
	case gradient.LogOdds:
		return math.Log(p) - math.Log(others)
	case gradient.LogProbability:
		return math.Log(p)
	default:
		return p
	}
}

func wide(v []float32) []float64 {
	to := make([]float64, len(v))
	for i, x := range v {
		to[i] = float64(x)
	}
	return to
}

func randomRect(rng *rand.Rand, s network.Shape) region.Rect {
	w, h := 1+rng.IntN(s.W), 1+rng.IntN(s.H)
	return region.Of(rng.IntN(s.W-w+1), rng.IntN(s.H-h+1), w, h)
}

func random(rng *rand.Rand) func(float32) float32 {
	return func(float32) float32 { return float32(rng.NormFloat64()) }
}

func conv(rng *rand.Rand, in, out int, act network.Activation) network.Conv {
	axis := region.Window{Kernel: 3, Stride: 1, Pad: 1, Dilation: 1}
	return network.Conv{
		Window: network.Window{Y: axis, X: axis}, After: network.PadAfter{Y: 1, X: 1}, Groups: 1, Act: act,
		Weights: tensor.New(tensor.WithShape(out, 3, 3, in), tensor.WithBacking(networktest.Values(rng, out*9*in, 1/math.Sqrt(float64(9*in))))),
	}
}

func dense(rng *rand.Rand, in, out int) network.Dense {
	return network.Dense{Weights: tensor.New(tensor.WithShape(out, in), tensor.WithBacking(networktest.Values(rng, out*in, 2/math.Sqrt(float64(in)))))}
}
