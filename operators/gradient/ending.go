package gradient

import (
	"fmt"
	"math"

	"occlude/internal/network"
	"occlude/operators/cpu/simd"
)

// Depends tells whether a layer depends on the image: others have no gradient.
func (p *Program) Depends(layer int) bool { return p.depends[layer] }

// End is where the network has the last values z, of which a final softmax or
// sigmoid, if there is one, makes the output: the layer's output, or what
// is before its activation.
func (p *Program) End() (l *network.Layer, before bool) { return p.ending.layer, p.ending.pre }

// At is an objective as a function of the last values z. It may write to scratch,
// which is as long as z.
func (p *Program) At(o Objective, z, scratch []float32) (float64, error) {
	if n := p.net.Output.Shape.Len(); o.Class < 0 || o.Class >= n || len(z) != n {
		return 0, fmt.Errorf("%s of %d values, the network has %d classes", o, len(z), n)
	}
	t, e := float64(z[o.Class]), p.ending
	switch {
	case e.softmax && o.Kind == LogOdds && len(z) > 1:
		return t - p.logSumExp(z, o.Class, scratch), nil
	case e.softmax && o.Kind == LogProbability:
		return t - p.logSumExp(z, -1, scratch), nil
	case e.softmax && o.Kind == Score:
		return math.Exp(t - p.logSumExp(z, -1, scratch)), nil
	case e.sigmoid && o.Kind == LogOdds:
		return t, nil
	case e.sigmoid && o.Kind == LogProbability:
		return -softplus(-t), nil
	case e.sigmoid && o.Kind == Score:
		return logistic(t), nil
	case o.Kind == LogProbability:
		return math.Log(t), nil
	case o.Kind == Score:
		return t, nil
	}
	return 0, fmt.Errorf("%s is not known", o)
}

// logSumExp is the function of that name with exponentials by the set's loops,
// which differ from exact ones by a few units in the last place.
func (p *Program) logSumExp(z []float32, but int, scratch []float32) float64 {
	largest := float32(math.Inf(-1))
	for j, v := range z {
		if j != but {
			largest = max(largest, v)
		}
	}
	for j, v := range z {
		scratch[j] = v - largest
	}
	if but >= 0 {
		scratch[but] = float32(math.Inf(-1))
	}
	p.set.Apply(simd.Exp, scratch, scratch, 0, 0)
	sum := 0.0
	for _, e := range scratch {
		sum += float64(e)
	}
	return float64(largest) + math.Log(sum)
}
