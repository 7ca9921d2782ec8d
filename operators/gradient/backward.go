package gradient

import (
	"gorgonia.org/tensor"

	"occlude/internal/network"
)

// backward is the state of a run: what has been pulled back so far.
type backward struct {
	*pass
	program *Program
	wanted  Wanted
	need    []bool
	totals  []totals // by layer
	results []*Gradients
}

// totals are the gradients at a layer, by objective, that have been summed up so
// far. While they are nobody else's, more is added in place.
type totals struct {
	out  [][]float32 // at the output, nil before the first share
	pre  [][]float32 // seeds that are given before the activation
	owns []bool      // out[k] is referred to by nothing else
}

// add starts another objective at its seed.
func (b *backward) add(s seed) {
	k, n := len(b.results), len(b.program.net.Layers)
	b.results = append(b.results, &Gradients{
		Objective: s.objective, Value: s.value,
		Out: make([]*tensor.Dense, n), Pre: make([]*tensor.Dense, n), Edges: make([][]*tensor.Dense, n),
	})
	for i := range b.totals {
		t := &b.totals[i]
		t.out, t.pre, t.owns = append(t.out, nil), append(t.pre, nil), append(t.owns, false)
	}
	if s.pre {
		b.totals[s.layer].pre[k] = s.gradient
	} else {
		b.totals[s.layer].out[k] = s.gradient
	}
}

// layer keeps what is wanted of a layer whose readers have all been seen, and
// passes its gradients on to what it reads.
func (b *backward) layer(l *network.Layer) error {
	i := l.Index
	t := b.totals[i]
	b.totals[i] = totals{}
	at, g, owns := t.reached()
	if !b.need[i] || len(at) == 0 {
		return nil
	}
	if b.wanted.out(i) {
		for n, k := range at {
			if t.pre[k] == nil { // else the output is behind the seed
				b.results[k].Out[i], owns[n] = mapOf(l.Shape, g[n]), false
			}
		}
	}
	if err := b.activation(l, t, at, g, owns); err != nil {
		return err
	}
	if b.wanted.pre(i) {
		for n, k := range at {
			b.results[k].Pre[i], owns[n] = mapOf(l.Shape, g[n]), false
		}
	}
	if err := b.edges(l, at, g, owns); err != nil {
		return err
	}
	for n := range g {
		if owns[n] {
			b.team.Give(g[n])
		}
	}
	return nil
}

// reached lists the objectives that depend on the layer and their gradients,
// and which of these may be overwritten.
func (t totals) reached() (at []int, g [][]float32, owns []bool) {
	for k := range t.out {
		switch {
		case t.pre[k] != nil:
			at, g, owns = append(at, k), append(g, t.pre[k]), append(owns, false)
		case t.out[k] != nil:
			at, g, owns = append(at, k), append(g, t.out[k]), append(owns, t.owns[k])
		}
	}
	return at, g, owns
}

// activation takes the gradients from behind the layer's activation to before
// it: G_pre = G_out * act'.
func (b *backward) activation(l *network.Layer, t totals, at []int, g [][]float32, owns []bool) error {
	s := b.program.slopes[l.Index]
	if s.times == nil {
		return nil
	}
	var from []float32
	for n, k := range at {
		if t.pre[k] != nil {
			continue
		}
		if from == nil {
			from = b.values(l)
			if !s.ofOutput {
				var err error
				if from, err = b.program.sums[l.Index](b.pass); err != nil {
					return err
				}
			}
		}
		out := g[n]
		if !owns[n] {
			out = b.take(len(g[n]))
		}
		err := b.split(len(out), 4, func(lo, hi int) { s.times(out[lo:hi], g[n][lo:hi], from[lo:hi]) })
		if err != nil {
			return err
		}
		g[n], owns[n] = out, true
	}
	if from != nil && !s.ofOutput && b.views.SumsOf(l.Index) == nil {
		b.team.Give(from)
	}
	return nil
}

// edges pulls the gradients of the objectives at back along every edge on which
// they are needed. Those that became a share are nobody's alone any more.
func (b *backward) edges(l *network.Layer, at []int, g [][]float32, owned []bool) error {
	var back pull
	for j, in := range l.In {
		keep := b.program.depends[in.Index] && b.wanted.edge(l.Index, j)
		if !keep && !b.need[in.Index] {
			continue
		}
		if back == nil {
			var err error
			if back, err = b.program.rules[l.Index](b.pass, l); err != nil {
				return err
			}
		}
		shares, err := back(j, g)
		if err != nil {
			return err
		}
		for n, k := range at {
			if keep {
				e := &b.results[k].Edges[l.Index]
				if *e == nil {
					*e = make([]*tensor.Dense, len(l.In))
				}
				(*e)[j] = mapOf(in.Shape, shares[n])
			}
			same := &shares[n][0] == &g[n][0]
			owns := !keep && !same
			owned[n] = owned[n] && !same
			if err := b.sum(in.Index, k, shares[n], owns); err != nil {
				return err
			}
		}
	}
	return nil
}

// sum adds a share to the gradient of objective k at a layer; owns tells that
// nobody else refers to the share.
func (b *backward) sum(layer, k int, share []float32, owns bool) error {
	t := &b.totals[layer]
	switch total := t.out[k]; {
	case total == nil:
		t.out[k], t.owns[k] = share, owns
		return nil
	case !t.owns[k]:
		if owns { // sums are the same in either order
			share, total, owns = total, share, false
		} else {
			sum := b.take(len(total))
			copy(sum, total)
			total = sum
		}
		t.out[k], t.owns[k] = total, true
		fallthrough
	default:
		if err := b.plus(total, share); err != nil {
			return err
		}
		if owns {
			b.team.Give(share)
		}
		return nil
	}
}

func (b *backward) plus(to, from []float32) error {
	return b.split(len(to), 1, func(lo, hi int) { plus(to[lo:hi], from[lo:hi]) })
}

// mapOf is a gradient as it leaves the package.
func mapOf(s network.Shape, v []float32) *tensor.Dense {
	return tensor.New(tensor.WithShape(s.H, s.W, s.C), tensor.WithBacking(v))
}
