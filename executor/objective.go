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
type odds struct{ output string }

func (o odds) link() sampling.Link {
	if o.output == model.OutputRaw {
		return sampling.Identity
	}
	return sampling.Logit
}

// objective is what the gradient is taken of.
func (o odds) objective(net *network.Network) gradient.Kind {
	if o.output == model.OutputSigmoid {
		return gradient.LogOdds
	}
	return gradient.KindOf(net, o.output == model.OutputRaw)
}

func (o odds) of(scores []float32, class int) float64 {
	p := float64(scores[class])
	switch {
	case o.output == model.OutputRaw:
		return p
	case o.output != model.OutputSoftmax || len(scores) == 1:
		return math.Log(p) - math.Log1p(-p) // infinite at 0 and 1, which the sampling bounds
	}
	others := 0.0
	for i, v := range scores {
		if i != class {
			others += float64(v)
		}
	}
	return math.Log(p) - math.Log(others)
}
