package cost

import (
	"maps"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"occlude/internal/network"
	"occlude/operators"
)

// Timing is what one thread was measured to take for an amount of a layer.
type Timing struct {
	Layer *network.Layer
	How   operators.Algorithm
	Amount
	Seconds float64
}

// Term is one of the constants of Rates, for people.
type Term struct {
	Name  string
	Unit  string
	Value float64
	// Share is the part of the measured time that the constant accounts for, 0 to
	// 1: one with hardly any was not measured, but moved along with the others.
	Share float64
}

// Units of terms.
const (
	UnitMACs    = "multiply-adds/s"
	UnitSteps   = "steps/s"
	UnitBytes   = "bytes/s"
	UnitSeconds = "s"
)

// constant is one number of Rates: its time is its inverse for a rate.
type constant struct {
	name, unit string
	value      func(*Rates) float64
	slow       func(r *Rates, factor float64) // multiplies its time
}

// constants are all numbers of Rates in a fixed order.
func (r *Rates) constants() (all []constant) {
	table := func(unit string, of func(*Rates) map[string]float64) {
		for _, class := range slices.Sorted(maps.Keys(of(r))) {
			all = append(all, constant{class, unit, func(r *Rates) float64 { return of(r)[class] },
				func(r *Rates, f float64) { of(r)[class] /= f }})
		}
	}
	table(UnitMACs, func(r *Rates) map[string]float64 { return r.MACs })
	table(UnitSteps, func(r *Rates) map[string]float64 { return r.Steps })
	rate := func(name string, of func(*Rates) *float64) {
		all = append(all, constant{name, UnitBytes, func(r *Rates) float64 { return *of(r) }, func(r *Rates, f float64) { *of(r) /= f }})
	}
	fixed := func(name string, of func(*Rates) *float64) {
		all = append(all, constant{name, UnitSeconds, func(r *Rates) float64 { return *of(r) }, func(r *Rates, f float64) { *of(r) *= f }})
	}
	rate("gather", func(r *Rates) *float64 { return &r.Gather })
	rate("weights", func(r *Rates) *float64 { return &r.Weights })
	fixed("per run", func(r *Rates) *float64 { return &r.PerRun })
	fixed("per group", func(r *Rates) *float64 { return &r.PerGroup })
	return all
}

// slowed is a copy with each constant's time multiplied by the exponential of a
// number.
func (r *Rates) slowed(by []float64) *Rates {
	c := *r
	c.MACs, c.Steps = maps.Clone(r.MACs), maps.Clone(r.Steps)
	for i, k := range r.constants() {
		k.slow(&c, math.Exp(by[i]))
	}
	return &c
}

// The weight of what holds constants back, beside that of the trials, each of which
// is 1. One that accounts for a smaller share of the time than apartWeight moves
// with the others rather than apart from them; the move of all is held back only
// where there is next to nothing to go by.
const (
	apartWeight    = 3e-3
	togetherWeight = 1e-6
)

// Fit gives the rates at which trials are predicted best, each of them a list of
// timings that weighs as much as any other. It is Poisson regression, which keeps
// sums: for each constant that matters, what it accounts for is predicted to take as
// long, in all, as it took.
//
// What constants move apart from each other counts against them. So one that the
// timings say nothing of, such as the rate of depthwise convolutions of a network
// that has none, gets what the machine is faster or slower in all.
func (r *Rates) Fit(trials ...[]Timing) *Rates {
	var timings []Timing
	var weights []float64
	for _, trial := range trials {
		sum := 0.0
		for _, t := range trial {
			if r.usable(t) {
				sum += t.Seconds
			}
		}
		for _, t := range trial {
			if r.usable(t) {
				timings, weights = append(timings, t), append(weights, 1/sum)
			}
		}
	}
	// The unknowns are the logarithms of what the times of all constants are
	// multiplied by, and of each apart from that: Fisher's scoring.
	n := len(r.constants())
	unknown := make([]float64, 1+n)
	now := func() *Rates {
		by := make([]float64, n)
		for k := range by {
			by[k] = unknown[0] + unknown[1+k]
		}
		return r.slowed(by)
	}
	rows := len(timings) + 1 + n
	a, b := mat.NewDense(rows, 1+n, nil), mat.NewVecDense(rows, nil)
	for range 50 {
		present := now()
		for i, parts := range present.parts(timings) {
			t := timings[i]
			predicted := present.Seconds(t.Layer, t.How, t.Amount)
			root := math.Sqrt(weights[i] * predicted)
			b.SetVec(i, root*(t.Seconds/predicted-1))
			sum := 0.0
			for k, part := range parts {
				a.Set(i, 1+k, root*part)
				sum += part
			}
			a.Set(i, 0, root*sum)
		}
		for k := range unknown {
			root := math.Sqrt(apartWeight)
			if k == 0 {
				root = math.Sqrt(togetherWeight)
			}
			a.Set(len(timings)+k, k, root)
			b.SetVec(len(timings)+k, -root*unknown[k])
		}
		var step mat.VecDense
		if err := step.SolveVec(a, b); err != nil {
			break // not reached: the last rows make the columns independent
		}
		largest := 0.0
		for k := range unknown {
			// No further than the straight line can be trusted.
			d := max(-1, min(1, step.AtVec(k)))
			unknown[k] += d
			largest = max(largest, math.Abs(d))
		}
		if largest < 1e-6 {
			break
		}
	}
	return now()
}

// usable tells whether something can be learnt from a timing.
func (r *Rates) usable(t Timing) bool {
	return t.Seconds > 0 && r.Seconds(t.Layer, t.How, t.Amount) > 0
}

// parts are, for each timing and constant, which part of the predicted time the
// constant accounts for; what is hidden behind something longer accounts for
// nothing.
func (r *Rates) parts(timings []Timing) [][]float64 {
	const h = 1e-4
	n := len(r.constants())
	all := make([][]float64, len(timings))
	for i := range all {
		all[i] = make([]float64, n)
	}
	by := make([]float64, n)
	for k := range n {
		by[k] = h
		slower := r.slowed(by)
		by[k] = 0
		for i, t := range timings {
			all[i][k] = math.Log(slower.Seconds(t.Layer, t.How, t.Amount)/r.Seconds(t.Layer, t.How, t.Amount)) / h
		}
	}
	return all
}

// Terms lists the constants, with their shares in timings.
func (r *Rates) Terms(timings []Timing) []Term {
	timings = slices.DeleteFunc(slices.Clone(timings), func(t Timing) bool { return !(r.Seconds(t.Layer, t.How, t.Amount) > 0) })
	terms := make([]Term, 0, len(r.constants()))
	for _, c := range r.constants() {
		terms = append(terms, Term{Name: c.name, Unit: c.unit, Value: c.value(r)})
	}
	all := r.Predict(timings)
	for i, parts := range r.parts(timings) {
		t := timings[i]
		for k, part := range parts {
			terms[k].Share += part * r.Seconds(t.Layer, t.How, t.Amount) / all
		}
	}
	return terms
}

// Predict is what one thread would take for all that was timed.
func (r *Rates) Predict(timings []Timing) float64 {
	s := 0.0
	for _, t := range timings {
		s += r.Seconds(t.Layer, t.How, t.Amount)
	}
	return s
}
