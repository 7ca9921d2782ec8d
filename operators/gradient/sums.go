package gradient

import (
	"context"
	"fmt"
	"sync"

	"occlude/internal/network"
	"occlude/operators"
	"occlude/operators/cpu"
	"occlude/operators/cpu/simd"
)

// sums computes a layer's clean values before its activation.
type sums func(p *pass) ([]float32, error)

// Sums computes a layer's clean values before its activation, where the views
// do not hold them. For a layer without one they are its view.
func (p *Program) Sums(ctx context.Context, views *operators.Views, layer, threads int) ([]float32, error) {
	if err := p.check(views); err != nil {
		return nil, err
	}
	pass := newPass(ctx, views, threads)
	if p.sums[layer] == nil {
		return pass.values(p.net.Layers[layer]), nil
	}
	v, err := p.sums[layer](pass)
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil:
		return nil, fmt.Errorf("%s before its activation: %w", p.net.Layers[layer], err)
	}
	return v, nil
}

// newSums makes the sums of a fused layer, which are its views' where they
// have them.
func newSums(l *network.Layer, set *simd.Set, how operators.Algorithm) sums {
	compute := linear(l, set, how)
	return func(p *pass) ([]float32, error) {
		if v := p.views.SumsOf(l.Index); v != nil {
			return v, nil
		}
		return compute(p)
	}
}

// linear computes a layer again without its activation.
func linear(l *network.Layer, set *simd.Set, how operators.Algorithm) sums {
	switch op := l.Op.(type) {
	case network.Binary:
		bare := op.WithActivation(network.Activation{})
		return func(p *pass) ([]float32, error) { return arithmetic(p, bare, l, set) }
	case network.Conv:
		// A residual is added afterwards: networks have one input.
		residual := op.Residual
		op.Residual, op.Act = false, network.Activation{}
		run := compile(l, op, set, how)
		return func(p *pass) ([]float32, error) {
			v, err := run(p, p.values(l.In[0]))
			if err != nil || !residual {
				return v, err
			}
			add := p.values(l.In[1])
			return v, p.split(len(v), 1, func(lo, hi int) {
				for i := lo; i < hi; i++ {
					v[i] += add[i]
				}
			})
		}
	case network.Fused:
		run := compile(l, op.WithActivation(network.Activation{}), set, how)
		return func(p *pass) ([]float32, error) { return run(p, p.values(l.In[0])) }
	}
	return nil
}

// compile makes, when it is first used, a network of a layer's first input and an
// op, and runs it.
func compile(l *network.Layer, op network.Op, set *simd.Set, how operators.Algorithm) func(p *pass, in []float32) ([]float32, error) {
	program := sync.OnceValues(func() (*cpu.Program, error) {
		net := network.New("in", l.In[0].Shape)
		if _, err := net.Add(l.Name, op, net.Input()); err != nil {
			return nil, err
		}
		return cpu.New(context.Background(), net, cpu.Options{Kernels: set.Name, Algorithms: []operators.Algorithm{"", how}})
	})
	return func(p *pass, in []float32) ([]float32, error) {
		c, err := program()
		if err != nil {
			return nil, err
		}
		v, err := p.team.Run(p.ctx, c, in)
		if err != nil {
			return nil, err
		}
		return v[1], nil
	}
}

// arithmetic runs a binary layer without its activation: its second input becomes
// a constant, which costs nothing, as it has no weights to pack.
func arithmetic(p *pass, op network.Op, l *network.Layer, set *simd.Set) ([]float32, error) {
	net := network.New("a", l.In[0].Shape)
	b, err := net.Add("b", network.Const{Value: p.views.Layers[l.In[1].Index]})
	if err != nil {
		return nil, err
	}
	if _, err := net.Add(l.Name, op, net.Input(), b); err != nil {
		return nil, err
	}
	c, err := cpu.New(p.ctx, net, cpu.Options{Kernels: set.Name})
	if err != nil {
		return nil, err
	}
	v, err := p.team.Run(p.ctx, c, p.values(l.In[0]))
	if err != nil {
		return nil, err
	}
	return v[2], nil
}
