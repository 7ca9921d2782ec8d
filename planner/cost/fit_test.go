package cost_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"occlude/internal/network"
	"occlude/operators"
	"occlude/planner/cost"
)

// timings are what a machine with the given rates would take for layers of many
// kinds, off by a random factor whose logarithm has a standard deviation of noise.
func timings(t *testing.T, rates *cost.Rates, classes []string, noise float64) (all []cost.Timing) {
	t.Helper()
	rng := rand.New(rand.NewPCG(7, 8))
	relu := network.Activation{Fn: network.Relu}
	add := func(side, in int, op network.Op, how operators.Algorithm) {
		l := layer(t, network.Shape{H: side, W: side, C: in}, op)
		for _, runs := range []int64{1, 7, 64} {
			whole := l.Shape.Whole()
			a := cost.Amount{Runs: runs, Values: runs * int64(l.Shape.Len()), Groups: math.Ceil(float64(runs) / 16)}
			for range runs {
				a.Work = a.Work.Plus(l.Work(whole))
			}
			a.Products = runs * cost.Of(l, how).Products(whole)
			all = append(all, cost.Timing{Layer: l, How: how, Amount: a, Seconds: rates.Seconds(l, how, a) * math.Exp(noise*rng.NormFloat64())})
		}
	}
	for _, class := range classes {
		for _, side := range []int{7, 14, 28} {
			for _, c := range []int{32, 64} {
				switch class {
				case cost.Conv:
					add(side, c, conv(c, 2*c, 3, 1, relu), "")
				case cost.Depthwise:
					add(side, c, conv(c, c, 3, c, relu), "")
				case cost.Product:
					add(side, c, conv(c, 2*c, 3, 1, relu), operators.Winograd2)
					add(side, c, conv(c, 2*c, 3, 1, relu), operators.Winograd4)
				case cost.Curve:
					add(side, c, network.Pointwise{Act: network.Activation{Fn: network.Tanh}}, "")
				}
			}
		}
	}
	return all
}

// machine is the default profile's with some times multiplied.
func machine(t *testing.T, factor func(class string) float64) (standard, other *cost.Rates) {
	t.Helper()
	standard, err := cost.Default().For("avx2")
	if err != nil {
		t.Fatal(err)
	}
	copied, err := cost.Default().For("avx2")
	if err != nil {
		t.Fatal(err)
	}
	for c := range copied.MACs {
		copied.MACs[c] /= factor(c)
	}
	for c := range copied.Steps {
		copied.Steps[c] /= factor(c)
	}
	copied.Gather /= factor("gather")
	copied.Weights /= factor("weights")
	copied.PerRun *= factor("per run")
	copied.PerGroup *= factor("per group")
	return standard, copied
}

// A machine whose classes are off by factors of their own is found again, and what
// was not measured follows the others.
func TestFit(t *testing.T) {
	factors := map[string]float64{cost.Conv: 3, cost.Product: 2.5, cost.Transform: 4, cost.Curve: 2}
	standard, truth := machine(t, func(class string) float64 {
		if f, ok := factors[class]; ok {
			return f
		}
		return 3
	})
	measured := timings(t, truth, []string{cost.Conv, cost.Product, cost.Curve}, 0.05)
	got := standard.Fit(measured)
	for class, f := range factors {
		was, is := standard.MACs[class]/got.MACs[class], 0.0
		if standard.MACs[class] == 0 {
			was = standard.Steps[class] / got.Steps[class]
		}
		if is = was / f; is < 0.85 || is > 1.15 {
			t.Errorf("%s takes %.3g times as long, %g is right", class, was, f)
		}
	}
	for _, class := range []string{cost.Depthwise, cost.Dense} {
		if f := standard.MACs[class] / got.MACs[class]; f < 2.2 || f > 4 {
			t.Errorf("%s, which was not measured, takes %.3g times as long, where all takes about 3 times", class, f)
		}
	}
	sum := 0.0
	for _, m := range measured {
		sum += m.Seconds
	}
	before, after := standard.Predict(measured)/sum, got.Predict(measured)/sum
	if before > 0.5 || math.Abs(after-1) > 0.03 {
		t.Errorf("the predicted time is %.3g of the measured one, before it was %.3g", after, before)
	}
}

// Exact timings of the machine that the rates are of change nothing, and neither
// do none at all, or such as make no sense.
func TestFitOfNothingNew(t *testing.T) {
	standard, _ := machine(t, func(string) float64 { return 1 })
	useless := timings(t, standard, []string{cost.Conv}, 0)
	for i := range useless {
		useless[i].Seconds = []float64{0, -1, math.NaN()}[i%3]
	}
	for name, list := range map[string][]cost.Timing{
		"exact": timings(t, standard, []string{cost.Conv, cost.Depthwise, cost.Curve}, 0), "none": nil, "useless": useless,
	} {
		got := standard.Fit(list)
		for i, term := range standard.Terms(nil) {
			if now := got.Terms(nil)[i]; math.Abs(now.Value/term.Value-1) > 1e-6 {
				t.Errorf("%s timings change %s from %g to %g", name, term.Name, term.Value, now.Value)
			}
		}
	}
}

// The shares of the constants in the time add up to all of it.
func TestTerms(t *testing.T) {
	standard, _ := machine(t, func(string) float64 { return 1 })
	sum := 0.0
	for _, term := range standard.Terms(timings(t, standard, []string{cost.Conv, cost.Product, cost.Depthwise, cost.Curve}, 0)) {
		if term.Value <= 0 || term.Unit == "" || term.Share < -1e-6 {
			t.Errorf("%+v", term)
		}
		switch {
		case term.Name == cost.Dense && term.Share > 1e-9, term.Name == cost.Depthwise && term.Share < 0.01:
			t.Errorf("%+v", term)
		}
		sum += term.Share
	}
	if math.Abs(sum-1) > 1e-3 {
		t.Errorf("the shares add up to %g", sum)
	}
}
