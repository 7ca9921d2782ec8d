package gradient

import (
	"fmt"
	"math"

	"occlude/internal/network"
)

// Kind is a function of a network's output whose gradient is taken.
type Kind string

// The kinds, for an output p and a class t.
const (
	// LogOdds is ln(p_t / (1 - p_t)). Of a softmax of the logits z that is z_t less
	// the logarithm of the sum of exp(z_j) over all others, of a sigmoid it is z_t:
	// nearly linear in what the network computes, however certain it is.
	LogOdds Kind = "log odds"
	// LogProbability is ln p_t.
	LogProbability Kind = "log probability"
	// Score is p_t itself.
	Score Kind = "score"
)

// KindOf is the kind that suits a network best: log odds where it ends in a
// softmax of several classes, the logarithm of other probabilities, and raw
// scores, which may be of any sign, themselves.
func KindOf(net *network.Network, raw bool) Kind {
	switch {
	case endingOf(net).softmax && net.Output.Shape.Len() > 1:
		return LogOdds
	case raw:
		return Score
	}
	return LogProbability
}

// Probability is the output p that belongs to a value of the objective.
func (k Kind) Probability(value float64) float64 {
	switch k {
	case LogOdds:
		return logistic(value)
	case LogProbability:
		return math.Exp(value)
	}
	return value
}

// Objective is what is taken the gradient of.
type Objective struct {
	Kind  Kind
	Class int
}

func (o Objective) String() string { return fmt.Sprintf("the %s of class %d", o.Kind, o.Class) }

// ending is how a network turns its last values z into its output.
type ending struct {
	softmax, sigmoid bool
	// layer is where z is: before the activation of that layer if pre.
	layer *network.Layer
	pre   bool
}

// endingOf looks for a softmax of a vector, or its logarithm with an exponential
// behind, and for a sigmoid of its own or one that the last layer applies.
func endingOf(net *network.Network) ending {
	last := net.Output
	switch op := last.Op.(type) {
	case network.Softmax:
		if !op.Log && last.Shape.IsVector() {
			return ending{softmax: true, layer: last.In[0]}
		}
	case network.Pointwise:
		below := last.In[0]
		s, ok := below.Op.(network.Softmax)
		switch {
		case op.Act.Fn == network.Exp && ok && s.Log && last.Shape.IsVector():
			return ending{softmax: true, layer: below.In[0]}
		case op.Act.Fn == network.Sigmoid:
			return ending{sigmoid: true, layer: below}
		}
	case network.Fused:
		if op.Activation().Fn == network.Sigmoid {
			return ending{sigmoid: true, layer: last, pre: true}
		}
	}
	return ending{layer: last}
}

// seed is where a backward pass begins: the gradient of the objective with
// respect to a layer's output, or to its values before the activation.
type seed struct {
	objective Objective
	value     float64
	layer     int
	pre       bool
	gradient  []float32
}

// seed finds the value and the gradient of an objective at the last layer at
// which both can be had without loss: before a softmax or a sigmoid, which would
// divide by probabilities that are nearly 0 or 1.
func (p *Program) seed(pass *pass, o Objective) (seed, error) {
	out := p.net.Output
	n := out.Shape.Len()
	if o.Class < 0 || o.Class >= n {
		return seed{}, fmt.Errorf("the network has %d classes", n)
	}
	if !p.depends[out.Index] {
		return seed{}, fmt.Errorf("the network's output does not depend on the image")
	}
	e := p.ending
	if o.Kind == Score || !e.softmax && !e.sigmoid {
		e = ending{layer: out}
	}
	s := seed{objective: o, layer: e.layer.Index, pre: e.pre, gradient: make([]float32, n)}
	z := pass.values(e.layer)
	if e.pre {
		var err error
		if z, err = p.sums[e.layer.Index](pass); err != nil {
			return seed{}, err
		}
	}
	t := o.Class
	switch {
	case o.Kind == Score:
		s.value, s.gradient[t] = float64(z[t]), 1
	case o.Kind == LogOdds && e.softmax && n > 1:
		others := logSumExp(z, t)
		s.value = float64(z[t]) - others
		for j, v := range z {
			s.gradient[j] = float32(-math.Exp(float64(v) - others))
		}
		s.gradient[t] = 1
	case o.Kind == LogOdds && e.sigmoid:
		s.value, s.gradient[t] = float64(z[t]), 1
	case o.Kind == LogProbability && e.softmax:
		all := logSumExp(z, -1)
		s.value = float64(z[t]) - all
		for j, v := range z {
			s.gradient[j] = float32(-math.Exp(float64(v) - all))
		}
		s.gradient[t] = 0 // 1 - p_t, without taking two nearly equal numbers apart
		for j, d := range s.gradient {
			if j != t {
				s.gradient[t] -= d
			}
		}
	case o.Kind == LogProbability && e.sigmoid:
		s.value, s.gradient[t] = -softplus(-float64(z[t])), float32(logistic(-float64(z[t])))
	case o.Kind == LogProbability:
		if !(z[t] > 0) {
			return seed{}, fmt.Errorf("%g, the output on the whole image, has no logarithm", z[t])
		}
		s.value, s.gradient[t] = math.Log(float64(z[t])), 1/z[t]
	case o.Kind == LogOdds:
		return seed{}, fmt.Errorf("the network ends neither in a softmax of several classes nor in a sigmoid")
	default:
		return seed{}, fmt.Errorf("no objective of the kind %q is known", o.Kind)
	}
	return s, nil
}

// logSumExp is the logarithm of the sum of the exponentials of all values but
// one.
func logSumExp(z []float32, but int) float64 {
	largest := math.Inf(-1)
	for j, v := range z {
		if j != but {
			largest = max(largest, float64(v))
		}
	}
	sum := 0.0
	for j, v := range z {
		if j != but {
			sum += math.Exp(float64(v) - largest)
		}
	}
	return largest + math.Log(sum)
}

// logistic is 1 / (1 + exp(-x)).
func logistic(x float64) float64 {
	if x < 0 {
		return math.Exp(x) / (1 + math.Exp(x))
	}
	return 1 / (1 + math.Exp(-x))
}

// softplus is ln(1 + exp(x)).
func softplus(x float64) float64 { return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }
