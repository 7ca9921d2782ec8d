package compensation

import (
	"math"

	"occlude/internal/network"
	"occlude/operators"
	"occlude/operators/cpu/simd"
	"occlude/operators/gradient"
	"occlude/operators/region"
)

// term tells how a layer departs from what is linear, and so which gradients at
// it are wanted.
type term struct {
	clamp, tangent, shown, product, balance, end bool

	out, pre bool // gradients, behind the activation and before it
}

// termsOf are the terms of each layer, by Index.
func termsOf(net *network.Network, p *gradient.Program) []term {
	terms := make([]term, len(net.Layers))
	for i, l := range net.Layers {
		if p.Depends(i) {
			terms[i] = termOf(l, p)
		}
	}
	last, before := p.End()
	for l := net.Output; l != last; l = l.In[0] {
		terms[l.Index] = term{} // objectives are functions of what it is made from
	}
	end := &terms[last.Index]
	end.end = true
	if before {
		// Of a sigmoid the end takes care as well.
		*end = term{end: true, product: end.product, pre: true}
	} else {
		end.out = true
	}
	return terms
}

// termOf is the table of terms, see the package's comment.
func termOf(l *network.Layer, p *gradient.Program) term {
	var t term
	switch op := l.Op.(type) {
	case network.Pool:
		t.shown = op.Max
	case network.LRN, network.Softmax, network.InstanceNorm:
		t.balance = true
	case network.ChannelReduce:
		t.balance = op.Fn == network.Largest
	case network.GlobalPool:
		t.balance = op.Fn == network.Largest
	case network.Binary:
		a, b := p.Depends(l.In[0].Index), p.Depends(l.In[1].Index)
		switch op.Fn {
		case network.Add, network.Sub:
		case network.Mul:
			t.product = a && b
		case network.Div:
			t.balance = b
		default:
			t.balance = true
		}
	}
	if act := activationOf(l.Op); !t.balance && !act.IsNone() {
		_, _, t.clamp = clampOf(act)
		t.tangent = !t.clamp
	}
	if _, ok := l.Op.(network.PRelu); ok {
		t.tangent = true
	}
	t.out = t.clamp || t.tangent || t.shown || t.balance
	t.pre = t.product
	return t
}

// activationOf is the activation that a layer applies or is.
func activationOf(op network.Op) network.Activation {
	switch op := op.(type) {
	case network.Fused:
		return op.Activation()
	case network.Pointwise:
		return op.Act
	}
	return network.Activation{}
}

// clampOf are the limits of an activation that is min(high, max(low, x)).
func clampOf(a network.Activation) (low, high float32, ok bool) {
	switch a.Fn {
	case network.Relu:
		return 0, float32(math.Inf(1)), true
	case network.Clip:
		return a.Alpha, a.Beta, true
	}
	return 0, 0, false
}

func (m *maker) clamp(l *network.Layer, d *operators.Departure) error {
	low, high, _ := clampOf(activationOf(l.Op))
	gradients, err := m.out(l)
	for _, g := range gradients {
		marked := make([]float32, len(g))
		simd.Mark(marked, g, m.clean(l), low, high)
		d.Clamp = append(d.Clamp, marked)
	}
	return err
}

func (m *maker) tangent(l *network.Layer, d *operators.Departure) error {
	t := &operators.Tangent{}
	d.Tangent = t
	var err error
	if t.Gradients, err = m.out(l); err != nil {
		return err
	}
	if t.Slopes, t.Offsets, err = m.program.Tangent(m.ctx, m.views, l.Index, m.threads); err != nil {
		return err
	}
	if err := finite(l, t.Slopes); err != nil {
		return err
	}
	return finite(l, t.Offsets)
}

func (m *maker) shown(l *network.Layer, d *operators.Departure) error {
	w, in := l.Op.(network.Pool).Window, l.In[0].Shape
	if w.Taps() > shownLimit {
		return &UnsupportedError{l, "a max pool of so large a window"}
	}
	from, err := gradient.Shown(m.ctx, m.views, l, m.threads)
	if err != nil {
		return err
	}
	s := &operators.Shown{Taps: make([]uint8, len(from))}
	d.Shown = s
	i := 0
	for y := range l.Shape.H {
		for x := range l.Shape.W {
			for range l.Shape.C {
				if at := int(from[i]); at >= 0 {
					cell := at / in.C
					ty, _ := tap(w.Y, y, cell/in.W, in.H)
					tx, columns := tap(w.X, x, cell%in.W, in.W)
					s.Taps[i] = uint8(ty*columns + tx)
				}
				i++
			}
		}
	}
	s.Gradients, err = m.out(l)
	return err
}

// tap is the number of the input index at among those of the output index o that
// lie inside of n cells, and how many these are.
func tap(w region.Window, o, at, n int) (number, inside int) {
	for k := range w.Kernel {
		i := o*w.Stride - w.Pad + k*w.Dilation
		if i < 0 || i >= n {
			continue
		}
		if i < at {
			number++
		}
		inside++
	}
	return number, inside
}

func (m *maker) product(l *network.Layer, d *operators.Departure) error {
	p := &operators.Product{Clean: [2][]float32{m.clean(l.In[0]), m.clean(l.In[1])}}
	d.Product = p
	var err error
	p.Gradients, err = m.pre(l)
	return err
}

func (m *maker) balance(l *network.Layer, d *operators.Departure) error {
	b := &operators.Balance{
		Clean: m.clean(l),
		Edges: make([][][]float32, len(l.In)), Inputs: make([][]float32, len(l.In)),
	}
	d.Balance = b
	var err error
	if b.Out, err = m.out(l); err != nil {
		return err
	}
	for j, in := range l.In {
		if !m.program.Depends(in.Index) {
			continue
		}
		b.Inputs[j] = m.clean(in)
		if b.Edges[j], err = m.edge(l, j); err != nil {
			return err
		}
	}
	return nil
}

// end makes the objectives' departure from what is linear in the last values.
func (m *maker) end(l *network.Layer, d *operators.Departure) error {
	if !l.Shape.IsVector() {
		return &UnsupportedError{l, "an output that is a map"}
	}
	_, before := m.program.End()
	pick, clean := m.out, m.clean(l)
	if before {
		var err error
		pick = m.pre
		if clean, err = m.program.Sums(m.ctx, m.views, l.Index, m.threads); err != nil {
			return err
		}
	}
	gradients, err := pick(l)
	if err != nil {
		return err
	}
	// What m has of the gradients, most of all layers, must not outlive New.
	program := m.program
	objectives, values := make([]gradient.Objective, len(m.from)), make([]float64, len(m.from))
	for k, g := range m.from {
		objectives[k], values[k] = g.Objective, g.Value
	}
	d.End = &operators.End{Before: before, Depart: func(z, scratch []float32, estimates []float64) {
		for k, g := range gradients {
			f, err := program.At(objectives[k], z, scratch)
			if err != nil {
				f = math.NaN() // New has tried it
			}
			f -= values[k]
			for j, v := range z {
				f -= float64(g[j]) * (float64(v) - float64(clean[j]))
			}
			estimates[k] += f
		}
	}}
	scratch := make([]float32, len(clean))
	for _, o := range objectives {
		if _, err := program.At(o, clean, scratch); err != nil {
			return err
		}
	}
	return nil
}
