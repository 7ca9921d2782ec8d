package sampling

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// exactly is data without sketches.
func exactly(sampled []int, classes ...*class) *data {
	return &data{sampled: sampled, exact: len(sampled), classes: classes}
}

// few is a process given n samples of a smooth map, on a grid of 20 by 17.
func few(t *testing.T, n int, s shape) (p *process, wanted []int, f []float64) {
	t.Helper()
	g := grid(20, 17)
	places, wanted := g.points(16, 16)
	f = smooth(g, 7)
	d := newDesign(places, wanted, rand.New(rand.NewPCG(3, 3)))
	sampled := append(d.anywhere(n/2), d.widest(t.Context(), n-n/2, nil)...)
	c := &class{f: at(f, sampled)}
	p, _ = newProcess(places, wanted, exactly(sampled, c), s, newThreads(1), nil)
	for _, b := range p.blocks {
		b.gather(p.places, p.at, p.sampleAt)
		if err := p.factorise(&b.factor, b.samples, s); err != nil {
			t.Fatal(err)
		}
	}
	return p, wanted, f
}

func correlation(s shape, p, q point) float64 {
	var to [1]float64
	s.correlations(to[:], p, []point{q})
	return to[0]
}

// kriging predicts f at a place from samples by the system of ordinary kriging,
// with a Lagrange multiplier for the mean; variance is per unit of the process'.
func kriging(t *testing.T, s shape, at []point, f []float64, u point) (mean, variance float64) {
	t.Helper()
	n := len(at)
	k := mat.NewDense(n+1, n+1, nil)
	right := mat.NewVecDense(n+1, nil)
	for i := range n {
		for j := range n {
			k.Set(i, j, correlation(s, at[i], at[j]))
		}
		k.Set(i, i, 1+s.noise())
		k.Set(i, n, 1)
		k.Set(n, i, 1)
		right.SetVec(i, correlation(s, at[i], u))
	}
	right.SetVec(n, 1)
	var w mat.VecDense
	if err := w.SolveVec(k, right); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		mean += w.AtVec(i) * f[i]
	}
	return mean, 1 + s.noise() - mat.Dot(&w, right)
}

// As long as a block is predicted from all samples, blocks change nothing.
func TestBlocksKrige(t *testing.T) {
	s := shape{0, 5, 1}
	p, _, _ := few(t, near, s)
	if len(p.blocks) < 3 {
		t.Fatalf("%d blocks: nothing is cut", len(p.blocks))
	}
	c := p.classes[0]
	c.chi2 = make([]float64, near)
	for i := range c.chi2 {
		c.chi2[i] = 1 // a process of unit variance everywhere
	}
	c.prior = 1
	c.link = Identity
	if err := p.predict(context.Background()); err != nil {
		t.Fatal(err)
	}
	seen := map[int]bool{}
	for i, u := range p.sampled {
		seen[u] = true
		if c.p[u] != c.f[i] || c.variance[u] != 0 {
			t.Errorf("sample %d is %g ± %g in the map, and was %g", u, c.p[u], c.variance[u], c.f[i])
		}
	}
	for u := range p.places {
		if seen[u] {
			continue
		}
		mean, variance := kriging(t, s, p.at, c.f, p.places[u])
		if math.Abs(c.p[u]-mean) > 1e-9 || math.Abs(c.variance[u]-variance) > 1e-9 {
			t.Fatalf("position %d: %g ± %g, want %g ± %g", u, c.p[u], c.variance[u], mean, variance)
		}
	}
}

// Leaving a sample out is kriging it from the others.
func TestLeaveOut(t *testing.T) {
	s := shape{1, 4, 2}
	p, _, _ := few(t, 40, s)
	c := p.classes[0]
	visited := 0
	check := func(i int, e, v float64) {
		visited++
		var at []point
		var f []float64
		for j := range p.at {
			if j != i {
				at, f = append(at, p.at[j]), append(f, c.f[j])
			}
		}
		mean, variance := kriging(t, s, at, f, p.at[i])
		if math.Abs(e-(c.f[i]-mean)) > 1e-8 || math.Abs(v-variance) > 1e-8 {
			t.Errorf("sample %d: error %g, variance %g; want %g, %g", i, e, v, c.f[i]-mean, variance)
		}
	}
	for _, b := range p.blocks {
		p.leaveOut(c, b, check)
	}
	if visited != 40 {
		t.Errorf("%d of 40 samples were left out", visited)
	}
}

// Every wanted position lies in one block, and every sample is one block's own.
func TestPartition(t *testing.T) {
	for _, n := range []int{1, 13, 200, 340} {
		p, wanted, _ := few(t, n, middle)
		positions, owned := map[int]int{}, map[int]int{}
		for _, b := range p.blocks {
			for _, u := range b.positions {
				positions[u]++
			}
			if b.own > own || len(b.samples) != min(n, near) {
				t.Errorf("%d samples: a block has %d of its own and %d in all", n, b.own, len(b.samples))
			}
			inside := map[int]bool{}
			for _, u := range b.positions {
				inside[u] = true
			}
			for i, s := range b.samples {
				if inside[p.sampled[s]] != (i >= len(b.samples)-b.own) {
					t.Errorf("%d samples: number %d of a block with %d of its own", n, i, b.own)
				}
				if i >= len(b.samples)-b.own {
					owned[s]++
				}
			}
		}
		if len(positions) != len(wanted) || len(owned) != n {
			t.Errorf("%d samples: %d of %d positions and %d samples are in blocks", n, len(positions), len(wanted), len(owned))
		}
		for _, times := range positions {
			if times != 1 {
				t.Fatalf("%d samples: a position is in %d blocks", n, times)
			}
		}
	}
}

// The slope of a feature that f really is a multiple of is found, and one that
// has nothing to do with f is not used.
func TestRegress(t *testing.T) {
	p, _, f := few(t, 60, middle)
	random := rand.New(rand.NewPCG(5, 5))
	c := p.classes[0]
	c.feature = make([]float64, len(f))
	for i := range f {
		c.feature[i] = 3 * random.NormFloat64() // rough, so only the slope can explain it
	}
	y := at(f, p.sampled)
	for i, s := range p.sampled {
		c.f[i] = y[i] - 0.7*c.feature[s]
	}
	p.regress(c)
	if math.Abs(c.slope+0.7) > 0.02 {
		t.Errorf("slope %g, want -0.7", c.slope)
	}
	for i := range y {
		if math.Abs(c.rest[i]-y[i]) > 0.15 {
			t.Fatalf("sample %d: %g is left of %g", i, c.rest[i], y[i])
		}
	}
	used := 0
	for range 20 {
		for i := range c.feature {
			c.feature[i] = random.NormFloat64()
		}
		copy(c.f, y)
		if p.regress(c); c.slope != 0 {
			used++
			if math.Abs(c.slope) > 0.1 {
				t.Errorf("noise has slope %g", c.slope)
			}
		}
	}
	if used == 20 {
		t.Error("noise is always of use")
	}
}

// The shape that f was drawn from is found, or a close one.
func TestTune(t *testing.T) {
	g := grid(30, 30)
	places, wanted := g.points(16, 16)
	random := rand.New(rand.NewPCG(8, 8))
	sampled := newDesign(places, wanted, random).anywhere(300)
	for _, truth := range []shape{{0, 2, 1}, {1, 6, 0}} {
		n := len(sampled)
		k := mat.NewSymDense(n, nil)
		for i := range n {
			for j := range i {
				k.SetSym(i, j, correlation(truth, places[sampled[i]], places[sampled[j]]))
			}
			k.SetSym(i, i, 1+truth.noise())
		}
		var cholesky mat.Cholesky
		if !cholesky.Factorize(k) {
			t.Fatal("singular")
		}
		var lower mat.TriDense
		cholesky.LTo(&lower)
		z := mat.NewVecDense(n, nil)
		for i := range n {
			z.SetVec(i, random.NormFloat64())
		}
		var f mat.VecDense
		f.MulVec(&lower, z)
		p, _ := newProcess(places, wanted, exactly(sampled, &class{f: f.RawVector().Data}), middle, newThreads(1), nil)
		for _, b := range p.blocks {
			b.gather(places, p.at, p.sampleAt)
		}
		if err := p.tune(context.Background()); err != nil {
			t.Fatal(err)
		}
		if d := p.shape.length - truth.length; d < -2 || d > 2 || p.shape.nugget > truth.nugget+1 {
			t.Errorf("found %v, drawn from %v", p.shape, truth)
		}
	}
}
