package compensation

import (
	"context"
	"errors"
	"fmt"
	"math"

	"gorgonia.org/tensor"

	"occlude/internal/defect"
	"occlude/internal/network"
	"occlude/operators"
	"occlude/operators/gradient"
)

// UnsupportedError tells that a layer's departure cannot be computed.
type UnsupportedError struct {
	Layer *network.Layer
	What  string
}

func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("%s: %s cannot be compensated", e.Layer, e.What)
}

// Wanted tells which gradients New takes.
func Wanted(net *network.Network, p *gradient.Program) gradient.Wanted {
	terms := termsOf(net, p)
	return gradient.Wanted{
		Out:  func(i int) bool { return i == 0 || terms[i].out },
		Pre:  func(i int) bool { return terms[i].pre },
		Edge: func(i, j int) bool { return terms[i].balance && p.Depends(net.Layers[i].In[j].Index) },
	}
}

// New makes what devices need to estimate the objectives of the gradients, which
// were computed as Wanted says, on the image whose views are given. It copies
// nothing of the views, but marks copies of gradients. An *UnsupportedError tells
// that the network cannot be compensated, another error that this image cannot.
func New(ctx context.Context, net *network.Network, p *gradient.Program, views *operators.Views, g []*gradient.Gradients, threads int) (c *operators.Compensation, err error) {
	defer defect.Recover(&err)
	if len(g) == 0 {
		return nil, errors.New("a compensation of no objectives")
	}
	m := &maker{ctx, net, p, views, g, threads}
	c = &operators.Compensation{Image: m.clean(net.Input()), Layers: make([]*operators.Departure, len(net.Layers))}
	for _, g := range g {
		c.Values = append(c.Values, g.Value)
	}
	if c.Gradients, err = m.gradients(net.Input(), func(g *gradient.Gradients) *tensor.Dense { return g.Out[0] }); err != nil {
		return nil, err
	}
	for i, t := range termsOf(net, p) {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if t == (term{}) {
			continue
		}
		if c.Layers[i], err = m.departure(net.Layers[i], t); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// maker is what New is given.
type maker struct {
	ctx     context.Context
	net     *network.Network
	program *gradient.Program
	views   *operators.Views
	from    []*gradient.Gradients
	threads int
}

// clean are the clean values of a layer.
func (m *maker) clean(l *network.Layer) []float32 { return m.views.Layers[l.Index].Data().([]float32) }

// gradients picks one of every objective's and checks that they are there and
// finite: at a kink of a root or a logarithm they are not.
func (m *maker) gradients(l *network.Layer, pick func(*gradient.Gradients) *tensor.Dense) ([][]float32, error) {
	all := make([][]float32, len(m.from))
	for k, g := range m.from {
		d := pick(g)
		if d == nil {
			return nil, fmt.Errorf("the gradient of %s at %s is missing", g.Objective, l)
		}
		all[k] = d.Data().([]float32)
		if err := finite(l, all[k]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (m *maker) out(l *network.Layer) ([][]float32, error) {
	return m.gradients(l, func(g *gradient.Gradients) *tensor.Dense { return g.Out[l.Index] })
}

func (m *maker) pre(l *network.Layer) ([][]float32, error) {
	return m.gradients(l, func(g *gradient.Gradients) *tensor.Dense { return g.Pre[l.Index] })
}

func (m *maker) edge(l *network.Layer, j int) ([][]float32, error) {
	return m.gradients(l, func(g *gradient.Gradients) *tensor.Dense {
		if g.Edges[l.Index] == nil {
			return nil
		}
		return g.Edges[l.Index][j]
	})
}

// finite tells whether all values are.
func finite(l *network.Layer, values []float32) error {
	for _, v := range values {
		if v-v != 0 {
			return fmt.Errorf("%s: a derivative on this image is %g", l, v)
		}
	}
	return nil
}

// departure makes that of one layer.
func (m *maker) departure(l *network.Layer, t term) (*operators.Departure, error) {
	d := &operators.Departure{}
	var err error
	switch {
	case t.clamp:
		err = m.clamp(l, d)
	case t.tangent:
		err = m.tangent(l, d)
	case t.shown:
		err = m.shown(l, d)
	case t.balance:
		err = m.balance(l, d)
	}
	if err == nil && t.product {
		err = m.product(l, d)
	}
	if err == nil && t.end {
		err = m.end(l, d)
	}
	return d, err
}

// shownLimit is how many cells of a window can be told apart.
const shownLimit = math.MaxUint8 + 1
