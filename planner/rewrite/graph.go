package rewrite

import (
	"slices"

	"occlude/internal/network"
)

// graph is a network under rewriting. It knows who reads whom at any moment.
type graph struct {
	net *network.Network
	// readers counts, for each layer, how often each other layer reads it.
	readers map[*network.Layer]map[*network.Layer]int
	// gone are layers that a rewrite has left without readers.
	gone map[*network.Layer]bool
}

func newGraph(n *network.Network) *graph {
	g := &graph{
		net:     n,
		readers: make(map[*network.Layer]map[*network.Layer]int, len(n.Layers)),
		gone:    make(map[*network.Layer]bool),
	}
	for _, l := range n.Layers {
		for _, p := range l.In {
			g.connect(p, l)
		}
	}
	g.compact()
	return g
}

// each makes a whole pass of a rewrite of single layers, which tells whether it
// has changed the layer it was given.
func each(rewrite func(*graph, *network.Layer) bool) func(*graph) []string {
	return func(g *graph) []string {
		var names []string
		for _, l := range slices.Clone(g.net.Layers) {
			if !g.gone[l] && rewrite(g, l) {
				names = append(names, l.Name)
			}
		}
		return names
	}
}

// single tells whether the layer is read exactly once, and is not the output:
// whoever is looking at it as an input is then the only one who cares.
func (g *graph) single(l *network.Layer) bool {
	if l == g.net.Output || len(g.readers[l]) != 1 {
		return false
	}
	for _, times := range g.readers[l] {
		return times == 1
	}
	return false
}

// become gives the layer another op and other inputs, all of which must come
// before it. It refuses, and tells so, when the op does not fit the inputs or
// would make another shape of them.
func (g *graph) become(l *network.Layer, op network.Op, in ...*network.Layer) bool {
	shapes := make([]network.Shape, len(in))
	for i, p := range in {
		shapes[i] = p.Shape
	}
	if s, err := op.Shape(shapes); err != nil || s != l.Shape {
		return false
	}
	old := l.In
	l.Op, l.In = op, slices.Clone(in)
	for _, p := range l.In {
		g.connect(p, l)
	}
	for _, p := range old {
		g.disconnect(p, l)
	}
	return true
}

// absorb makes l do the work of an earlier layer, whose only reader it is, with
// the op that stands for both. The result carries the earlier layer's name.
func (g *graph) absorb(l, earlier *network.Layer, op network.Op, in ...*network.Layer) bool {
	name := earlier.Name
	if !g.become(l, op, in...) {
		return false
	}
	l.Name = name
	return true
}

// insert puts a new layer right before l.
func (g *graph) insert(before *network.Layer, name string, op network.Op, in ...*network.Layer) (*network.Layer, bool) {
	l := &network.Layer{Name: name, Op: op, In: in}
	s, err := op.Shape(l.InShapes())
	at := slices.Index(g.net.Layers, before)
	if err != nil || at < 0 {
		return nil, false
	}
	l.Shape = s
	g.net.Layers = slices.Insert(g.net.Layers, at, l)
	for _, p := range in {
		g.connect(p, l)
	}
	return l, true
}

// replace makes the readers of l read another layer of the same shape, which
// comes before them, and drops l.
func (g *graph) replace(l, by *network.Layer) bool {
	if l.Shape != by.Shape {
		return false
	}
	for r, times := range g.readers[l] {
		for i, p := range r.In {
			if p == l {
				r.In[i] = by
			}
		}
		for range times {
			g.connect(by, r)
		}
	}
	delete(g.readers, l)
	if g.net.Output == l {
		g.net.Output = by
	}
	g.release(l)
	return true
}

func (g *graph) connect(p, reader *network.Layer) {
	m := g.readers[p]
	if m == nil {
		m = make(map[*network.Layer]int, 1)
		g.readers[p] = m
	}
	m[reader]++
}

func (g *graph) disconnect(p, reader *network.Layer) {
	m := g.readers[p]
	if m[reader]--; m[reader] > 0 {
		return
	}
	delete(m, reader)
	g.release(p)
}

// release drops a layer that nobody reads, and then what only it has read.
func (g *graph) release(l *network.Layer) {
	if g.gone[l] || len(g.readers[l]) > 0 || l == g.net.Output || l == g.net.Input() {
		return
	}
	g.gone[l] = true
	for _, p := range l.In {
		g.disconnect(p, l)
	}
}

// compact takes the dropped layers out of the network and numbers the rest.
func (g *graph) compact() {
	g.net.Layers = slices.DeleteFunc(g.net.Layers, func(l *network.Layer) bool { return g.gone[l] })
	clear(g.gone)
	for i, l := range g.net.Layers {
		l.Index = i
	}
}

// opOf is the layer's op when it is of the given type.
func opOf[T network.Op](l *network.Layer) (T, bool) {
	op, ok := l.Op.(T)
	return op, ok
}

// unfused is the layer's op when it is of the given type and applies no
// activation.
func unfused[T network.Fused](l *network.Layer) (T, bool) {
	op, ok := l.Op.(T)
	return op, ok && op.Activation().IsNone()
}

// swapFirst is the layer's inputs with another first one.
func swapFirst(l, first *network.Layer) []*network.Layer {
	in := slices.Clone(l.In)
	in[0] = first
	return in
}
