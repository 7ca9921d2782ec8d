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

// span is the reach behind a slice.
func (r reach) span(s network.Span) reach {
	if r.extent == 0 {
		return r
	}
	return reach{r.start + s.Start*r.step, r.step * s.Step, r.extent, r.whole}
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
// from the image. It may be larger than the image; cells near the border then
// see padding.
func receptiveFields(net *network.Network) []Field {
	image := net.Input().Shape
	all := sight{reach{0, 0, image.H, true}, reach{0, 0, image.W, true}}
	sights := make([]sight, len(net.Layers))
	fields := make([]Field, len(net.Layers))
	for i, l := range net.Layers {
		s := sights[i]
		for j, p := range l.In {
			in := sights[p.Index]
			seen := in
			switch op := l.Op.(type) {
			case network.Conv:
				if j == 0 {
					seen = sight{in.y.window(op.Y), in.x.window(op.X)}
				}
			case network.Pool:
				seen = sight{in.y.window(op.Y), in.x.window(op.X)}
			case network.Pad:
				pad := func(r reach, before int) reach {
					return r.window(region.Window{Kernel: 1, Stride: 1, Dilation: 1, Pad: before})
				}
				seen = sight{pad(in.y, op.Top), pad(in.x, op.Left)}
			case network.Slice:
				seen = sight{in.y.span(op.Y), in.x.span(op.X)}
			default:
				if in.x.extent > 0 && needsWhole(l, j) {
					seen = all
				}
			}
			s = s.join(seen)
		}
		if i == 0 {
			one := reach{0, 1, 1, false}
			s = sight{one, one}
		}
		sights[i] = s
		whole := s.x.whole && s.y.whole
		fields[i] = Field{s.x.extent, s.y.extent, whole}
		if whole {
			fields[i] = Field{image.W, image.H, true}
		}
	}
	return fields
}

// needsWhole tells whether a cell of the layer reads more of its input j than
// the same cell: all of it, as global layers do. (A vector is a single cell.)
func needsWhole(l *network.Layer, j int) bool {
	cell := region.Of(l.Shape.W/2, l.Shape.H/2, 1, 1)
	reads := l.Reads(j, cell)
	s := l.In[j].Shape
	return reads.Area() > 1 || (s.IsVector() && !l.Shape.IsVector())
}
