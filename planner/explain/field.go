package explain

import (
	"occlude/internal/network"
	"occlude/operators/region"
)

// reach is what a cell of a layer sees of the image along one axis: cell o sees
// the pixels [start + o*step, start + o*step + extent), borders aside. All of it
// when whole, nothing (a constant) when extent is 0.
type reach struct {
	start, step, extent int
	whole               bool
}

// window is the reach behind a sliding window.
func (r reach) window(w region.Window) reach {
	if r.extent == 0 {
		return r
	}
	return reach{r.start - w.Pad*r.step, r.step * w.Stride, r.extent + (w.Extent()-1)*r.step, r.whole}
}

// shift is the reach when cell o becomes what cell o + by was.
func (r reach) shift(by int) reach {
	return reach{r.start + by*r.step, r.step, r.extent, r.whole}
}

// span is the reach behind a slice.
func (r reach) span(s network.Span) reach {
	r = r.shift(s.Start)
	r.step *= s.Step
	return r
}

// join is the hull of two branches.
func (r reach) join(o reach) reach {
	switch {
	case r.extent == 0:
		return o
	case o.extent == 0:
		return r
	}
	start := min(r.start, o.start)
	end := max(r.start+r.extent, o.start+o.extent)
	return reach{start, max(r.step, o.step), end - start, r.whole || o.whole}
}

// sight is a layer's reach along both axes.
type sight struct{ y, x reach }

func (s sight) join(o sight) sight { return sight{s.y.join(o.y), s.x.join(o.x)} }

// receptiveFields gives each layer's receptive field: the hull over all paths
// from the image. It may be larger than the image; what a cell sees beyond the
// border is padding.
func receptiveFields(net *network.Network) []Field {
	image := net.Input().Shape
	fields := make([]Field, len(net.Layers))
	for i, s := range sights(net) {
		fields[i] = Field{s.x.extent, s.y.extent, false}
		if s.x.whole && s.y.whole {
			fields[i] = Field{image.W, image.H, true}
		}
	}
	return fields
}

// sights follows what cells see from the image to the output.
func sights(net *network.Network) []sight {
	image := net.Input().Shape
	all := sight{reach{0, 0, image.H, true}, reach{0, 0, image.W, true}}
	one := reach{0, 1, 1, false}
	seen := make([]sight, len(net.Layers))
	seen[0] = sight{one, one}
	for i, l := range net.Layers[1:] {
		var s sight
		for j, p := range l.In {
			in := seen[p.Index]
			if in.x.extent > 0 && needsWhole(l, j) {
				in = all
			}
			s = s.join(in.through(l.Op, j))
		}
		seen[i+1] = s
	}
	return seen
}

// through is what a cell of a layer sees through its input j, of which s is what
// a cell sees.
func (s sight) through(op network.Op, j int) sight {
	switch op := op.(type) {
	case network.Conv:
		if j == 0 { // the other one is the residual, added cell by cell
			return sight{s.y.window(op.Y), s.x.window(op.X)}
		}
	case network.Pool:
		return sight{s.y.window(op.Y), s.x.window(op.X)}
	case network.Pad:
		return sight{s.y.shift(-op.Top), s.x.shift(-op.Left)}
	case network.Slice:
		return sight{s.y.span(op.Y), s.x.span(op.X)}
	}
	return s
}

// needsWhole tells whether a cell of a layer without windows reads more of its
// input j than one cell: all of it, as global layers do, or a vector that is
// spread over a map. (A vector alone is a single cell.)
func needsWhole(l *network.Layer, j int) bool {
	switch l.Op.(type) {
	case network.Conv, network.Pool, network.Pad, network.Slice:
		return false
	}
	cell := region.Of(l.Shape.W/2, l.Shape.H/2, 1, 1)
	reads := l.Reads(j, cell)
	s := l.In[j].Shape
	return reads.Area() > 1 || (s.IsVector() && !l.Shape.IsVector())
}
