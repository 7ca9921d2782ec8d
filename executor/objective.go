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

// of is f of a class, infinite for probabilities of 0 and 1, which the sampling
// bounds.
func (o odds) of(scores []float32, class int) float64 {
	p := float64(scores[class])
	switch {
	case o.output == model.OutputRaw:
		return p
	case o.output != model.OutputSoftmax || len(scores) == 1:
		return logit(p)
	}
	others := 0.0
	for i, v := range scores {
		if i != class {
			others += float64(v)
		}
	}
	return math.Log(p) - math.Log(others)
}

// from is f of an estimated objective.
func (o odds) from(objective float64) float64 {
	if o.kind != gradient.LogProbability {
		return objective
	}
	return logit(min(1, math.Exp(objective)))
}

func logit(p float64) float64 { return math.Log(p) - math.Log1p(-p) }
