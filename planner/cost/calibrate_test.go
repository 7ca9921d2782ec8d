package cost_test

import (
	"math"
	"testing"

	"occlude/internal/network"
	"occlude/operators"
	"occlude/operators/region"
	"occlude/planner/cost"
)

// chain is a network of three convolutions.
func chain(t *testing.T) *network.Network {
	t.Helper()
	net := network.New("in", network.Shape{H: 32, W: 32, C: 16})
	last := net.Input()
	for _, name := range []string{"first", "second", "third"} {
		l, err := net.Add(name, conv(last.Shape.C, 32, 3, 1, network.Activation{Fn: network.Relu}), last)
		if err != nil {
			t.Fatal(err)
		}
		last = l
	}
	return net
}

// truth is a machine on which layers take what rates say, times a factor that the
// rates cannot say: it depends on the layer and on the size of the rectangle.
func truth(l *network.Layer, side, threads int) float64 {
	f := 1 + float64(l.Index)/2 + 4/float64(side)
	if threads > 1 {
		f *= 1.3 // two busy cores are slower
	}
	return f
}

// tried is a trial on that machine: runs rectangles of a side by some threads.
func tried(net *network.Network, rates *cost.Rates, side, threads int, how operators.Algorithm) cost.Trial {
	const runs = 64
	t := cost.Trial{Net: net, Threads: threads, Views: 1 << 20, Fresh: 8 << 20}
	for _, l := range net.Layers[1:] {
		of := func(r region.Rect, n int64) cost.Amount {
			a := cost.Amount{Runs: n, Values: n * int64(r.Area()*l.Shape.C), Products: n * cost.Of(l, how).Products(r), Groups: float64(n) / 8}
			for range n {
				a.Work = a.Work.Plus(l.Work(r))
			}
			return a
		}
		update, whole := of(region.Of(0, 0, side, side), runs), of(l.Shape.Whole(), 1)
		seconds := rates.Seconds(l, how, update) * truth(l, side, threads)
		t.Updates = append(t.Updates, cost.Timing{Layer: l, How: how, Amount: update, Seconds: seconds})
		t.Base = append(t.Base, cost.Timing{Layer: l, How: how, Amount: whole})
		t.Seconds += seconds / float64(threads)
		t.BaseSeconds += 2 * rates.Seconds(l, how, whole) * truth(l, 32, threads) / float64(threads)
	}
	t.First = t.Seconds + float64(t.Fresh)/2e9
	return t
}

// trials are of several sizes, by one thread and by two.
func trialsOf(t *testing.T, net *network.Network) (all []cost.Trial, rates *cost.Rates) {
	t.Helper()
	rates, err := cost.Default().For("avx2")
	if err != nil {
		t.Fatal(err)
	}
	for _, how := range []operators.Algorithm{operators.Direct, operators.Winograd4} {
		for _, side := range []int{4, 12, 32} {
			for _, threads := range []int{1, 2} {
				all = append(all, tried(net, rates, side, threads, how))
			}
		}
	}
	return all, rates
}

// What no rate can say the layers' own factors do: sizes that were tried are predicted
// as they were measured, those between them nearly so, for one thread and for two.
func TestCalibrate(t *testing.T) {
	net := chain(t)
	trials, rates := trialsOf(t, net)
	p := cost.Calibrate(rates, "avx2", "c0ffee", trials)
	p.Kind = cost.OfModel
	for _, c := range []struct {
		side      int
		tolerance float64
	}{{4, 0.02}, {12, 0.02}, {32, 0.02}, {7, 0.1}, {20, 0.1}} {
		for _, threads := range []int{1, 2} {
			for _, how := range []operators.Algorithm{operators.Direct, operators.Winograd4} {
				trial := tried(net, rates, c.side, threads, how)
				got, err := p.Elapsed("avx2", trial)
				if err != nil {
					t.Fatal(err)
				}
				if off := math.Abs(got/trial.Took() - 1); off > c.tolerance {
					t.Errorf("rectangles of %d by %d threads, %s: off by %.3f", c.side, threads, how, off)
				}
			}
		}
	}
	if s := p.Of("c0ffee"); s.Least > 0.95 || s.Least < 0.8 || s.Most < 1.05 || s.Most > 1.25 {
		t.Errorf("the spread is %+v", s)
	}
	if own, other := p.Of("c0ffee"), p.Of("decaf"); other.Least >= own.Least || other.Most <= own.Most {
		t.Errorf("another model is predicted as well: %+v, %+v", own, other)
	}
}

// Trials that are kept back tell how good predictions are, and nothing else.
func TestChecks(t *testing.T) {
	net := chain(t)
	trials, rates := trialsOf(t, net)
	good := cost.Calibrate(rates, "avx2", "c0ffee", trials)
	check := tried(net, rates, 8, 1, operators.Direct)
	check.Check = true
	check.First *= 2
	bad := cost.Calibrate(rates, "avx2", "c0ffee", append(trials, check))
	if bad.Spread.Most < 1.5*good.Spread.Most {
		t.Errorf("a check that was off by 2 makes the spread %+v of %+v", bad.Spread, good.Spread)
	}
	a, err := good.Elapsed("avx2", trials[0])
	if err != nil {
		t.Fatal(err)
	}
	if b, err := bad.Elapsed("avx2", trials[0]); err != nil || a != b {
		t.Errorf("the check changes an estimate from %g to %g, %v", a, b, err)
	}
}

// Factors are those of one network: for another model, or another network of the
// same file, the rates alone count.
func TestOwnOfAnother(t *testing.T) {
	net := chain(t)
	trials, rates := trialsOf(t, net)
	p := cost.Calibrate(rates, "avx2", "c0ffee", trials)
	seconds := func(u cost.Use) float64 {
		t.Helper()
		u.Kernels, u.Threads = "avx2", 1
		r, err := p.Rates(u)
		if err != nil {
			t.Fatal(err)
		}
		return r.Seconds(net.Layers[2], operators.Direct, trials[0].Updates[1].Amount)
	}
	own, other := seconds(cost.Use{Net: net, Hash: "c0ffee"}), seconds(cost.Use{})
	if math.Abs(own/other-1) < 0.01 {
		t.Fatal("the factors make no difference")
	}
	if got := seconds(cost.Use{Net: net, Hash: "decaf"}); got != other {
		t.Errorf("another model has %g of %g", got, other)
	}
	renamed := chain(t)
	renamed.Layers[2].Name = "middle"
	if got := seconds(cost.Use{Net: renamed, Hash: "c0ffee"}); got != other {
		t.Errorf("another network of the file has %g of %g", got, other)
	}
}

// Between one thread and all cores rates lie between those that were measured.
func TestThreads(t *testing.T) {
	p := measured()
	p.Cores = 5
	busy := *p.Kernels["avx2"]
	busy.Gather, busy.Weights = busy.Gather/2, busy.Weights/4
	p.Busy = map[string]*cost.Rates{"avx2": &busy}
	last := math.Inf(1)
	for threads := 1; threads <= 6; threads++ {
		r, err := p.Rates(cost.Use{Kernels: "avx2", Threads: threads})
		if err != nil {
			t.Fatal(err)
		}
		switch w := p.Kernels["avx2"].Weights; {
		case threads == 1 && r.Weights != w, threads >= 5 && math.Abs(r.Weights/busy.Weights-1) > 1e-9:
			t.Errorf("%d threads get weights at %g", threads, r.Weights)
		case threads == 3 && math.Abs(1/r.Weights-(0.5/w+0.5/busy.Weights)) > 1e-15:
			t.Errorf("half of the cores get weights at %g", r.Weights)
		case r.Weights > last:
			t.Errorf("%d threads are faster each than fewer", threads)
		}
		last = r.Weights
	}
}
