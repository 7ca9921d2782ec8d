package gradient

import (
	"fmt"

	"occlude/internal/network"
	"occlude/operators"
	"occlude/operators/cpu/simd"
)

// ruleOf is the one place where an op gets its derivative. What is to be made
// ready before the first pass it hands to later.
func ruleOf(l *network.Layer, set *simd.Set, how operators.Algorithm, later func(prepare func())) (rule, error) {
	switch op := l.Op.(type) {
	case network.Conv:
		return convRule(l, op, set, how, later), nil
	case network.Dense:
		return denseRule(op), nil
	case network.Pool:
		if op.Max {
			return maxPool, nil
		}
		return averagePool(l, op, set), nil
	case network.Pointwise:
		s, ok := slopeOf(op.Act, set)
		if op.Act.IsNone() {
			return same, nil
		}
		if !ok {
			return nil, &UnknownError{l, fmt.Sprintf("the activation %q", op.Act.Fn)}
		}
		return pointwiseRule(s), nil
	case network.PRelu:
		return prelu(op), nil
	case network.Affine:
		return affine(op), nil
	case network.Binary:
		if d := partials(op.Fn); d != nil {
			return binary(op.Fn, d, set), nil
		}
		return nil, &UnknownError{l, fmt.Sprintf("the arithmetic %q", op.Fn)}
	case network.LRN:
		return lrn(op), nil
	case network.Softmax:
		return softmax(op), nil
	case network.ChannelReduce:
		return channelReduce(op), nil
	case network.GlobalPool:
		return globalPool(op), nil
	case network.InstanceNorm:
		return instanceNorm(op), nil
	case network.Concat:
		return concat, nil
	case network.Channels:
		return channels(op), nil
	case network.Slice:
		return slice(op), nil
	case network.Pad:
		return pad(op), nil
	case network.Flatten:
		return flatten, nil
	case network.Unflatten:
		return unflatten, nil
	case network.Reshaped:
		return same, nil
	case network.Function:
		return function(l, op)
	}
	return nil, &UnknownError{l, l.Op.Kind()}
}

// same is for layers whose output has the values of their input, one by one.
func same(*pass, *network.Layer) (pull, error) {
	return each(func(_ int, g []float32) ([]float32, error) { return g, nil }), nil
}

// pointwiseRule multiplies by the slope at what the views hold on either side.
func pointwiseRule(s slope) rule {
	return func(p *pass, l *network.Layer) (pull, error) {
		v := p.values(l)
		if !s.ofOutput {
			v = p.values(l.In[0])
		}
		return p.elementwise(4, func(_ int, dx, g []float32, at int) { s.times(dx, g, v[at:at+len(g)]) }), nil
	}
}

// elementwise is the pull of layers whose inputs have the output's shape, each
// value for itself: f computes the values that begin at an index. It takes about
// as many operations a value.
func (p *pass) elementwise(operations int, f func(edge int, dx, g []float32, at int)) pull {
	return each(func(edge int, g []float32) ([]float32, error) {
		dx := p.take(len(g))
		return dx, p.split(len(g), operations, func(lo, hi int) { f(edge, dx[lo:hi], g[lo:hi], lo) })
	})
}

// cells is the pull of layers that take one input cell by cell: f computes the
// gradient at the cell with a number from that at the output's.
func (p *pass) cells(l *network.Layer, f func(dx, g []float32, cell int)) pull {
	in, out := l.In[0].Shape, l.Shape
	return each(func(_ int, g []float32) ([]float32, error) {
		dx := p.zeros(in.Len())
		return dx, p.split(in.Cells(), 4*max(in.C, out.C), func(lo, hi int) {
			for i := lo; i < hi; i++ {
				f(dx[i*in.C:(i+1)*in.C], g[i*out.C:(i+1)*out.C], i)
			}
		})
	})
}
