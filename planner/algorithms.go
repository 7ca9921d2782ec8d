package planner

import (
	"math"
	"slices"

	"occlude/internal/network"
	"occlude/operators"
	"occlude/operators/gpu"
	"occlude/operators/region"
	"occlude/planner/cost"
)

// ConvolutionAuto lets cost and accuracy choose each convolution's algorithm.
const ConvolutionAuto = "auto"

// defaultTolerance is the error of probabilities that exact plans may have.
const defaultTolerance = 1e-4

// choiceBatch is the batch for which algorithms are compared. The plan's own must
// not decide: plans that differ only in batch and threads give the same bits.
const choiceBatch = usualBatch

// stageBatch is the batch for which those of an adaptive plan are compared, whose
// stages have some dozens of positions: it reads weights more often.
const stageBatch = 8

// worthwhile is what part of an algorithm's seconds a rougher one may take to be
// preferred: estimates are not better than that, and rounding is not free.
const worthwhile = 0.86

// accuracy is what a query wants of the convolutions.
type accuracy struct {
	convolution string                // ConvolutionAuto, or the algorithm to use wherever it applies
	tolerance   float64               // most error of probabilities
	off         []operators.Algorithm // that are ruled out
}

// allows tells whether layers may be computed by other algorithms than those that were
// chosen, whose expected error is the least that a plan may have.
func (want accuracy) allows(net *network.Network, algorithms []operators.Algorithm, least float64) bool {
	ruledOut := func(a operators.Algorithm) bool { return slices.Contains(want.off, a) }
	return want.convolution == ConvolutionAuto && !slices.ContainsFunc(algorithms, ruledOut) &&
		cost.Error(net, algorithms) <= max(want.tolerance, least)
}

// tally is what a layer does in a plan, by the algorithms that it can be
// computed by.
type tally struct {
	cost.Amount
	forms    []cost.Form // none for layers without a choice
	products []int64     // of each form
	// shared is how many positions would share a reading of the weights, for
	// each form.
	shared []int
}

// of is the amount for one of the algorithms.
func (t *tally) of(a operators.Algorithm) cost.Amount {
	amount := t.Amount
	for i, f := range t.forms {
		if f.Algorithm == a {
			amount.Products = t.products[i]
		}
	}
	return amount
}

// option is a way to compute a layer.
type option struct {
	algorithm       operators.Algorithm
	seconds, square float64 // square is that of the error
}

// chooseAlgorithms chooses each convolution's algorithm: the fastest, where it is
// so by enough to be worth more rounding, and as long as the expected error is above the tolerance, at one layer after the
// other a more exact one, first where a second buys the most.
func chooseAlgorithms(net *network.Network, tallies []tally, r *cost.Rates, want accuracy) []operators.Algorithm {
	if want.convolution != ConvolutionAuto {
		return forcedAlgorithms(net, want.convolution)
	}
	options := make([][]option, len(net.Layers))
	for i, l := range net.Layers {
		for j, f := range tallies[i].forms {
			if slices.Contains(want.off, f.Algorithm) {
				continue
			}
			amount := tallies[i].of(f.Algorithm)
			amount.Groups = float64(amount.Runs) / float64(tallies[i].shared[j])
			options[i] = append(options[i], option{f.Algorithm, r.Seconds(l, f.Algorithm, amount), f.Error * f.Error})
		}
	}
	return settle(options, want.tolerance, func(chosen []operators.Algorithm) float64 { return cost.Error(net, chosen) })
}

// settle chooses of each layer's options, of which the first is the most usual one.
func settle(options [][]option, tolerance float64, expected func([]operators.Algorithm) float64) []operators.Algorithm {
	chosen := make([]operators.Algorithm, len(options))
	now := make([]option, len(options)) // of each layer
	for i := range options {
		for j, o := range options[i] {
			if j == 0 || o.seconds < worthwhile*now[i].seconds {
				now[i] = o
			}
		}
		chosen[i] = now[i].algorithm
	}
	for expected(chosen) > tolerance {
		layer, better, least := -1, option{}, math.Inf(1)
		for i := range options {
			for _, o := range options[i] {
				if o.square >= now[i].square {
					continue
				}
				if price := (o.seconds - now[i].seconds) / (now[i].square - o.square); price < least {
					layer, better, least = i, o, price
				}
			}
		}
		if layer < 0 {
			break // as exact as can be
		}
		now[layer], chosen[layer] = better, better.algorithm
	}
	return chosen
}

// shareWeights fills in the groups in which positions would be taken through the layers
// by each algorithm; rects are the largest rectangles.
func shareWeights(net *network.Network, tallies []tally, rects []region.Rect, batch int) {
	for _, a := range operators.AllAlgorithms() {
		groups := groupsOf(net, rects, forcedAlgorithms(net, string(a)), batch)
		for i := range tallies {
			t := &tallies[i]
			if t.shared == nil {
				t.shared = make([]int, len(t.forms))
			}
			for j, f := range t.forms {
				if f.Algorithm == a {
					t.shared[j] = groups[i]
				}
			}
		}
	}
}

// forcedAlgorithms are the named one wherever it applies, and direct elsewhere.
func forcedAlgorithms(net *network.Network, convolution string) []operators.Algorithm {
	return pick(net, func(now, next cost.Form) bool { return string(next.Algorithm) == convolution })
}

// pick takes for each convolution the last of its forms that is better than
// those before it.
func pick(net *network.Network, better func(now, next cost.Form) bool) []operators.Algorithm {
	chosen := make([]operators.Algorithm, len(net.Layers))
	for i, l := range net.Layers {
		var now cost.Form
		for j, next := range cost.Forms(l) {
			if j == 0 || better(now, next) {
				now = next
			}
		}
		chosen[i] = now.Algorithm
	}
	return chosen
}

// leastError is the expected error of the most exact plan that a choice of
// convolutions leaves.
func leastError(net *network.Network, convolution string) float64 {
	switch convolution {
	case ConvolutionAuto:
	case string(operators.Tensor):
		return errorOnGPU(net, gpu.Wherever(net, operators.Tensor))
	default:
		return cost.Error(net, forcedAlgorithms(net, convolution))
	}
	return cost.Error(net, pick(net, func(now, next cost.Form) bool { return next.Error < now.Error }))
}
