package gradient

import "occlude/internal/network"

// slice puts each cell back where it was picked; the others get nothing.
func slice(op network.Slice) rule {
	return func(p *pass, l *network.Layer) (pull, error) {
		return p.cellsFrom(l, func(y, x int) (int, int) {
			return op.Y.Start + y*op.Y.Step, op.X.Start + x*op.X.Step
		}), nil
	}
}

// pad gives each cell what it and its copies in the border got.
func pad(op network.Pad) rule {
	return func(p *pass, l *network.Layer) (pull, error) {
		in := l.In[0].Shape
		return p.cellsFrom(l, func(y, x int) (int, int) {
			return op.Source(y, in.H, op.Top), op.Source(x, in.W, op.Left)
		}), nil
	}
}

// cellsFrom is the pull of layers whose cells are copies: from tells of which
// input cell, and is negative for cells that are none.
func (p *pass) cellsFrom(l *network.Layer, from func(y, x int) (int, int)) pull {
	in, out := l.In[0].Shape, l.Shape
	return each(func(_ int, g []float32) ([]float32, error) {
		dx := p.zeros(in.Len())
		for y := range out.H {
			for x := range out.W {
				iy, ix := from(y, x)
				if iy >= 0 && ix >= 0 {
					plus(dx[(iy*in.W+ix)*in.C:][:in.C], g[(y*out.W+x)*in.C:])
				}
			}
		}
		return dx, nil
	})
}

// flatten brings a vector in ONNX's order, channel by channel, back to cells.
func flatten(p *pass, l *network.Layer) (pull, error) {
	s := l.In[0].Shape
	return each(func(_ int, g []float32) ([]float32, error) {
		dx := p.take(len(g))
		for i := range g {
			c, cell := i/s.Cells(), i%s.Cells()
			dx[cell*s.C+c] = g[i]
		}
		return dx, nil
	}), nil
}

// unflatten does the opposite.
func unflatten(p *pass, l *network.Layer) (pull, error) {
	s := l.Shape
	return each(func(_ int, g []float32) ([]float32, error) {
		dx := p.take(len(g))
		for i := range dx {
			c, cell := i/s.Cells(), i%s.Cells()
			dx[i] = g[cell*s.C+c]
		}
		return dx, nil
	}), nil
}
