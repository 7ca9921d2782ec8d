package compensation_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
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
}

// settle makes it, nil for a network that has no gradient.
func settle(t testing.TB, net *network.Network, image *tensor.Dense, o cpu.Options, objectives ...gradient.Objective) *setting {
	t.Helper()
	ctx := context.Background()
	s := &setting{net: net, image: image, objectives: objectives}
	var err error
	if s.program, err = cpu.New(ctx, net, o); err != nil {
		t.Fatal(err)
	}
	if s.views, err = s.program.Base(ctx, image, 2); err != nil {
		t.Fatal(err)
	}
	p, err := gradient.New(net, gradient.Options{Kernels: o.Kernels, Algorithms: o.Algorithms})
	if unknown := (*gradient.UnknownError)(nil); errors.As(err, &unknown) {
		return nil
	} else if err != nil {
		t.Fatal(err)
	}
	g, err := p.Run(ctx, s.views, objectives, compensation.Wanted(net, p), 2)
	if err != nil {
		t.Fatal(err)
	}
	if s.views.Compensation, err = compensation.New(ctx, net, p, s.views, g, 2); err != nil {
		t.Fatal(err)
	}
	return s
}

// update is one with estimates; its patch is the image's where change is nil.
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

func (s *setting) run(t testing.TB, batch ...operators.Update) {
	t.Helper()
	if err := s.program.NewWorker().Run(context.Background(), s.views, batch); err != nil {
		t.Fatal(err)
	}
}

// value is an objective of an output that is probabilities.
func value(out []float32, o gradient.Objective) float64 {
	p, others := float64(out[o.Class]), 0.0
	for j, v := range out {
		if j != o.Class {
			others += float64(v)
		}
	}
	switch o.Kind {
	case gradient.LogOdds:
		return math.Log(p) - math.Log(others)
	case gradient.LogProbability:
		return math.Log(p)
	}
	return p
}

func randomRect(rng *rand.Rand, s network.Shape) region.Rect {
	w, h := 1+rng.IntN(s.W), 1+rng.IntN(s.H)
	return region.Of(rng.IntN(s.W-w+1), rng.IntN(s.H-h+1), w, h)
}

func random(rng *rand.Rand) func(float32) float32 {
	return func(float32) float32 { return float32(rng.NormFloat64()) }
}

// Where nothing is left out the estimates are the objectives: in networks of all
// operators that have a derivative, whole and incremental.
func TestNothingLeftOut(t *testing.T) {
	objectives := []gradient.Objective{{Kind: gradient.LogOdds, Class: 1}, {Kind: gradient.LogProbability, Class: 3}, {Kind: gradient.Score, Class: 2}}
	worst, unknown := 0.0, 0
	const seeds = 200
	for seed := range uint64(seeds) {
		rng := rand.New(rand.NewPCG(seed, 31))
		net := networktest.Random(rng, networktest.Options{Side: 14})
		s := settle(t, net, networktest.Image(rng, net.Input().Shape), cpu.Options{}, objectives...)
		if s == nil {
			unknown++
			continue
		}
		for range 4 {
			r := randomRect(rng, net.Input().Shape)
			u := s.update(r, net.Trace(r, nil), random(rng))
			s.run(t, u)
			for k, o := range objectives {
				want := value(u.Out, o)
				d := math.Abs(u.Estimates[k]-want) / (1 + math.Abs(want))
				if !(d < 2e-5) {
					t.Errorf("seed %d, %s: %s is %g, by the output %g", seed, r, o, u.Estimates[k], want)
					for _, l := range net.Layers {
						t.Log(l.Index, l, l.Op.Detail(), l.Shape)
					}
					t.FailNow()
				}
				worst = max(worst, d)
			}
		}
	}
	t.Logf("off by %.1e at most; %d networks without a gradient", worst, unknown)
	if unknown > seeds/3 {
		t.Errorf("only %d networks", seeds-unknown)
	}
}
