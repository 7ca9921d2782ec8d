package cost

import (
	"math"
	"slices"
	"strconv"

	"occlude/internal/network"
	"occlude/operators"
)

// Trial is what a plan over some positions was measured to take, and its base pass.
// Amounts of work are the plan's own, so that predicting a trial is predicting a query.
type Trial struct {
	Net     *network.Network
	Threads int
	// Updates are what the layers took, all threads together, and Seconds the elapsed
	// time, in a round whose memory was there already.
	Updates []Timing
	Seconds float64
	// First is the elapsed time of the first round, and Fresh the bytes that came from
	// the system while it ran.
	First float64
	Fresh int64
	// BaseSeconds is the elapsed time of a base pass; Base is what its layers do, and
	// Views the bytes that it writes.
	BaseSeconds float64
	Base        []Timing
	Views       int64

	// Check keeps a trial out of what is learnt: it tells how good that is.
	Check bool
	// Other marks one of another network than that to be calibrated, for constants
	// of which its layers say nothing.
	Other bool
}

// Calibrate makes a profile in which trials are predicted best, beginning with the
// rates of a standard one. It has rates of threads that work alone and of those that
// work beside others; the factors of the network with a hash, if one of the trials is
// its own; and the spreads of what they leave open. Kind, names and fixed
// costs are the caller's.
func Calibrate(standard *Rates, kernels, hash string, trials []Trial) *Profile {
	learnt := slices.DeleteFunc(slices.Clone(trials), func(t Trial) bool { return t.Check })
	var alone, busy [][]Timing
	cores := 1
	for _, t := range learnt {
		cores = max(cores, t.Threads)
		if t.Threads == 1 {
			alone = append(alone, t.Updates)
		} else {
			busy = append(busy, t.Updates)
		}
	}
	p := &Profile{Version: Version, Hash: hash, Cores: cores, Kernels: map[string]*Rates{}}
	one := standard.toward(nil, 0).Fit(alone...).rounded()
	p.Kernels[kernels] = one
	one.Fresh = fresh(learnt, func(threads int) bool { return threads == 1 })
	if busy != nil {
		all := one.Fit(busy...).rounded()
		all.Fresh = fresh(learnt, func(threads int) bool { return threads > 1 })
		p.Busy = map[string]*Rates{kernels: all}
	}
	p.SpreadOther = p.spread(kernels, trials, leastSpreadOther)
	if slices.ContainsFunc(learnt, func(t Trial) bool { return !t.Other }) {
		p.own(kernels, learnt)
		p.Spread = p.spread(kernels, trials, leastSpread)
	}
	return p
}

// fresh is the rate at which memory comes from the system to some numbers of threads:
// the median over trials, for now and then one gets memory that nobody had to clear.
func fresh(trials []Trial, of func(threads int) bool) float64 {
	var each []float64 // seconds a byte
	for _, t := range trials {
		if t.Fresh > 0 && of(t.Threads) {
			each = append(each, (t.First-t.Seconds)/float64(t.Fresh))
		}
	}
	if m := median(each); m > 0 {
		return significant(1 / m)
	}
	return 0
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// sizesApart is how far sizes of rectangles are apart whose factors are kept apart.
const sizesApart = 1.1

// mostFactor is how far a factor may be from 1: beyond it something else was
// measured than the layer.
const mostFactor = 20

// own fills in the factors of the network whose trials are not Other.
func (p *Profile) own(kernels string, trials []Trial) {
	type key struct {
		layer int
		how   operators.Algorithm
	}
	type point struct {
		cells, factor float64
		threads       int
	}
	points := map[key][]point{}
	var keys []key
	var net *network.Network
	for _, t := range trials {
		if t.Other {
			continue
		}
		net = t.Net
		rates, err := p.Rates(Use{Kernels: kernels, Threads: t.Threads, Cores: p.Cores})
		if err != nil {
			continue // not reached: the profile has just been made for them
		}
		for _, u := range t.Updates {
			if !rates.usable(u) || u.Runs == 0 {
				continue
			}
			k := key{u.Layer.Index, u.How}
			if points[k] == nil {
				keys = append(keys, k)
			}
			f := u.Seconds / rates.Seconds(u.Layer, u.How, u.Amount)
			points[k] = append(points[k], point{u.cells(), math.Max(1/mostFactor, math.Min(mostFactor, f)), t.Threads})
		}
	}
	slices.SortStableFunc(keys, func(a, b key) int { return a.layer - b.layer })
	p.Own = &Own{Base: 1, BaseBusy: 1}
	for _, k := range keys {
		all := points[k]
		slices.SortStableFunc(all, func(a, b point) int {
			switch {
			case a.cells < b.cells:
				return -1
			case a.cells > b.cells:
				return 1
			}
			return 0
		})
		f := LayerFactors{Index: k.layer, Layer: net.Layers[k.layer].Name, By: k.how}
		for len(all) > 0 {
			n := 0
			var alone, busy []float64
			for n < len(all) && all[n].cells <= sizesApart*all[0].cells {
				if all[n].threads == 1 {
					alone = append(alone, math.Log(all[n].factor))
				} else {
					busy = append(busy, math.Log(all[n].factor))
				}
				n++
			}
			if alone == nil {
				alone = busy
			}
			if busy == nil {
				busy = alone
			}
			f.Cells = append(f.Cells, significant(all[0].cells))
			f.Alone = append(f.Alone, significant(math.Exp(mean(alone))))
			f.Busy = append(f.Busy, significant(math.Exp(mean(busy))))
			all = all[n:]
		}
		p.Own.Layers = append(p.Own.Layers, f)
	}
	p.Own.Base, p.Own.BaseBusy = p.basePass(kernels, net, trials)
}

// basePass is by how much base passes took longer than their layers and their memory.
func (p *Profile) basePass(kernels string, net *network.Network, trials []Trial) (alone, busy float64) {
	var ofOne, ofAll []float64
	for _, t := range trials {
		if t.Other || t.BaseSeconds <= 0 {
			continue
		}
		rates, err := p.Rates(Use{Kernels: kernels, Threads: t.Threads, Cores: p.Cores, Net: net, Hash: p.Hash})
		if err != nil {
			continue // not reached, as above
		}
		f := t.BaseSeconds / rates.base(t)
		if t.Threads == 1 {
			ofOne = append(ofOne, f)
		} else {
			ofAll = append(ofAll, f)
		}
	}
	if ofOne == nil {
		return 1, 1
	}
	if ofAll == nil {
		ofAll = ofOne
	}
	return significant(median(ofOne)), significant(median(ofAll))
}

// base is what a trial's base pass is predicted to take, but for its own factor.
func (r *Rates) base(t Trial) float64 {
	return r.Predict(t.Base)/float64(t.Threads) + r.FreshSeconds(t.Views)
}

// elapsed is what a trial is predicted to take with its base pass.
func (r *Rates) elapsed(t Trial) float64 {
	return r.Predict(t.Updates)/float64(t.Threads) + r.FreshSeconds(t.Fresh) + r.BasePass()*r.base(t)
}

// Elapsed is what a plan is predicted to take for a trial, its base pass and fresh
// memory included, and Took what it took.
func (p *Profile) Elapsed(kernels string, t Trial) (float64, error) {
	rates, err := p.Rates(Use{Kernels: kernels, Threads: t.Threads, Cores: p.Cores, Net: t.Net, Hash: p.Hash})
	if err != nil || t.Other {
		return 0, err
	}
	return rates.elapsed(t), nil
}

// Took is the elapsed time of a trial that Elapsed predicts.
func (t Trial) Took() float64 { return t.First + t.BaseSeconds }

// The least spreads that are told: a machine is not the same for two queries, and
// other models have other layers; estimates for the small ones, which no network of
// a calibration is like, were twice what queries took.
const (
	leastSpread, leastSpreadOther = 0.09, 0.4
	// nineOfTen is how many standard deviations of a normal distribution nine of ten
	// values lie within.
	nineOfTen = 1.645
	// halfOfAll is the same of half of the values.
	halfOfAll = 0.6745
)

// spread is how well trials are predicted: those to check by, if there are any.
func (p *Profile) spread(kernels string, trials []Trial, least float64) Spread {
	checks := slices.ContainsFunc(trials, func(t Trial) bool { return t.Check })
	var off []float64
	for _, t := range trials {
		rates, err := p.Rates(Use{Kernels: kernels, Threads: t.Threads, Cores: p.Cores, Net: t.Net, Hash: p.Hash})
		if err != nil || t.Check != checks {
			continue
		}
		off = append(off, math.Abs(math.Log(t.Took()/rates.elapsed(t))))
	}
	// By the median: something else may have run beside one of few.
	least = max(least, median(off)/halfOfAll)
	return Spread{Least: significant(math.Exp(-nineOfTen * least)), Most: significant(math.Exp(nineOfTen * least))}
}

// cells is the mean size of the rectangles of a timing.
func (t Timing) cells() float64 {
	return float64(t.Values) / float64(t.Layer.Shape.C) / float64(t.Runs)
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// significant keeps three digits: no measurement of time has more.
func significant(v float64) float64 {
	short, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 3, 64), 64)
	if err != nil {
		return v
	}
	return short
}

// rounded is a copy with three digits of each rate.
func (r *Rates) rounded() *Rates {
	c := r.toward(nil, 0)
	for class, v := range c.MACs {
		c.MACs[class] = significant(v)
	}
	for class, v := range c.Steps {
		c.Steps[class] = significant(v)
	}
	for _, v := range []*float64{&c.Gather, &c.Weights, &c.PerRun, &c.PerGroup} {
		*v = significant(*v)
	}
	return c
}
