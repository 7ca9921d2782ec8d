package gradient

import (
	"context"
	"fmt"

	"occlude/internal/network"
	"occlude/operators"
)

// Tangent is that of a layer's activation at each of its clean values a before it:
// near them, act(x) is slopes*x + offsets to first order. A layer that applies
// none has the tangent x itself.
func (p *Program) Tangent(ctx context.Context, views *operators.Views, layer, threads int) (slopes, offsets []float32, err error) {
	if err := p.check(views); err != nil {
		return nil, nil, err
	}
	l := p.net.Layers[layer]
	pass := newPass(ctx, views, threads)
	slopes, offsets = make([]float32, l.Shape.Len()), make([]float32, l.Shape.Len())
	fill(slopes, 1)
	if op, ok := l.Op.(network.PRelu); ok {
		for i, v := range pass.values(l.In[0]) {
			if v <= 0 {
				slopes[i] = op.Slope[i%len(op.Slope)]
			}
		}
		return slopes, offsets, nil
	}
	s, before, err := p.activation(pass, l)
	if err != nil || s.times == nil {
		return slopes, offsets, err
	}
	after := pass.values(l)
	at := before
	if s.ofOutput {
		at = after
	}
	return slopes, offsets, pass.split(len(after), 8, func(lo, hi int) {
		s.times(slopes[lo:hi], slopes[lo:hi], at[lo:hi])
		for i := lo; i < hi; i++ {
			offsets[i] = float32(float64(after[i]) - float64(slopes[i])*float64(before[i]))
		}
	})
}

// activation is the slope of the activation that a layer applies or is, the zero
// slope where it has none, and the clean values before it.
func (p *Program) activation(pass *pass, l *network.Layer) (slope, []float32, error) {
	if op, ok := l.Op.(network.Pointwise); ok {
		s, _ := slopeOf(op.Act, p.set)
		return s, pass.values(l.In[0]), nil
	}
	if p.sums[l.Index] == nil {
		return slope{}, nil, nil
	}
	before, err := p.sums[l.Index](pass)
	switch {
	case err == nil:
		return p.slopes[l.Index], before, nil
	case pass.ctx.Err() != nil:
		return slope{}, nil, context.Cause(pass.ctx)
	}
	return slope{}, nil, fmt.Errorf("%s before its activation: %w", l, err)
}
