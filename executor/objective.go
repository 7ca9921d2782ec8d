package executor

import (
	"math"

	"occlude/internal/model"
	"occlude/internal/network"
	"occlude/operators/gradient"
	"occlude/operators/sampling"
)

// odds turns a class's output into f, which is sampled: its log-odds. Of a softmax
// they come from the other classes' probabilities, which keep their digits
// where the class's own is nearly 1. Scores that are no probabilities stay what
// they are.
type odds struct {
	output string
	// kind is what the gradient is taken of: f itself where the network's ending
	// is known.
	kind gradient.Kind
}

func newOdds(output string, net *network.Network) odds {
	o := odds{output, gradient.KindOf(net, output == model.OutputRaw)}
	if output == model.OutputSigmoid {
		o.kind = gradient.LogOdds
	}
	return o
}

func (o odds) link() sampling.Link {
	if o.output == model.OutputRaw {
		return sampling.Identity
	}
	return sampling.Logit
}

// outside is how far rounding may take a probability beyond 0 and 1.
const outside = 1e-3

// of is f of a class, infinite for probabilities of 0 and 1, which the sampling
// bounds, and NaN for what is no probability.
func (o odds) of(scores []float32, class int) float64 {
	p := float64(scores[class])
	switch {
	case o.output == model.OutputRaw:
		return p
	case p < -outside || p > 1+outside:
		return math.NaN()
	}
	p = max(0, min(1, p))
	if o.output != model.OutputSoftmax || len(scores) == 1 {
		return logit(p)
	}
	others := 0.0
	for i, v := range scores {
		if i != class {
			others += float64(v)
		}
	}
	return math.Log(p) - math.Log(max(0, others))
}

// from is f of an estimated objective. A logarithm that is not a number is that of
// an estimate below 0.
func (o odds) from(objective float64) float64 {
	switch {
	case o.kind != gradient.LogProbability:
		return objective
	case math.IsNaN(objective):
		return math.Inf(-1)
	}
	return logit(min(1, math.Exp(objective)))
}

// limit bounds features that are log-odds, as the sampling does f.
const limit = 30

// bounded are features that can be used: log-odds within bounds, and none of a
// class for which some are no numbers.
func (o odds) bounded(features [][]float64) [][]float64 {
	for k, of := range features {
		for i, v := range of {
			if o.link() == sampling.Logit {
				of[i] = max(-limit, min(limit, v))
			}
			if math.IsNaN(of[i]) || math.IsInf(of[i], 0) {
				features[k] = nil
				break
			}
		}
	}
	return features
}

func logit(p float64) float64 { return math.Log(p) - math.Log1p(-p) }
