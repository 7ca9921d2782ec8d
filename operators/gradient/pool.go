package gradient

import (
	"context"
	"fmt"
	"math"

	"gorgonia.org/tensor"

	"occlude/internal/network"
	"occlude/operators"
	"occlude/operators/cpu/simd"
	"occlude/operators/region"
)

// maxPool gives the gradient of each output to the input that it shows.
func maxPool(p *pass, l *network.Layer) (pull, error) {
	from, err := p.shown(l)
	if err != nil {
		return nil, err
	}
	return each(func(_ int, g []float32) ([]float32, error) {
		dx := p.zeros(l.In[0].Shape.Len())
		for i, at := range from {
			if at >= 0 {
				dx[at] += g[i]
			}
		}
		return dx, nil
	}), nil
}

// Shown finds, for each output value of a max pool, the index of the input value
// that it shows on the clean image: of equal ones the first in the window, row by
// row. It is -1 for windows that lie outside of the map. These are the inputs
// that a backward pass gives the gradient to.
func Shown(ctx context.Context, views *operators.Views, l *network.Layer, threads int) ([]int32, error) {
	if op, ok := l.Op.(network.Pool); !ok || !op.Max {
		return nil, fmt.Errorf("%s is no max pool", l)
	}
	if i := l.In[0].Index; i >= len(views.Layers) || views.Layers[i] == nil {
		return nil, fmt.Errorf("%s: the view of %s is not there", l, l.In[0])
	}
	return newPass(ctx, views, threads).shown(l)
}

func (p *pass) shown(l *network.Layer) ([]int32, error) {
	w, in, out := l.Op.(network.Pool).Window, l.In[0].Shape, l.Shape
	values := p.values(l.In[0])
	from := make([]int32, out.Len())
	err := p.split(out.H, out.W*out.C*w.Taps(), func(lo, hi int) {
		best := make([]int64, out.C)
		for y := lo; y < hi; y++ {
			for x := range out.W {
				largest(best, w, in, values, y, x)
				for c, b := range best {
					i := int32(^uint32(b))
					if b == math.MinInt64 {
						i = -1
					}
					from[(y*out.W+x)*out.C+c] = i
				}
			}
		}
	})
	return from, err
}

// largest finds the largest value of each channel in the window of an output
// cell, without branches, which a processor could not foresee: a value and its
// index become one integer that is ordered like the value, and among equal values
// against the index.
func largest(best []int64, w network.Window, in network.Shape, values []float32, y, x int) {
	for c := range best {
		best[c] = math.MinInt64
	}
	for i := range w.Y.Kernel {
		iy := y*w.Y.Stride - w.Y.Pad + i*w.Y.Dilation
		if iy < 0 || iy >= in.H {
			continue
		}
		for j := range w.X.Kernel {
			ix := x*w.X.Stride - w.X.Pad + j*w.X.Dilation
			if ix < 0 || ix >= in.W {
				continue
			}
			at := (iy*in.W + ix) * in.C
			for c, v := range values[at : at+in.C] {
				bits := int32(math.Float32bits(v))
				order := bits ^ bits>>31&math.MaxInt32
				best[c] = max(best[c], int64(order)<<32|int64(^uint32(at+c)))
			}
		}
	}
}

// averagePool is a convolution whose filters are all 1, a channel each, of
// gradients divided by the number of cells that each output is the mean of.
func averagePool(l *network.Layer, op network.Pool, set *simd.Set) rule {
	in, out := l.In[0].Shape, l.Shape
	ones := make([]float32, in.C*op.Taps())
	fill(ones, 1)
	back := transposed(network.Conv{
		Window: op.Window, Groups: in.C,
		Weights: tensor.New(tensor.WithShape(in.C, op.Y.Kernel, op.X.Kernel, 1), tensor.WithBacking(ones)),
	}, in, out, set, operators.Direct, func(func()) {}) // one tap a channel is soon ready
	rows := counts(op.Y, in.H, op.After.Y, out.H, op.CountPad)
	columns := counts(op.X, in.W, op.After.X, out.W, op.CountPad)
	return func(p *pass, _ *network.Layer) (pull, error) {
		return each(func(_ int, g []float32) ([]float32, error) {
			means := p.zeros(len(g))
			err := p.split(out.H, out.W*out.C, func(lo, hi int) {
				for i := lo * out.W; i < hi*out.W; i++ {
					n := rows[i/out.W] * columns[i%out.W]
					if n == 0 {
						continue // a mean of nothing
					}
					by := 1 / float32(n)
					for c := i * out.C; c < (i+1)*out.C; c++ {
						means[c] = g[c] * by
					}
				}
			})
			if err != nil {
				return nil, err
			}
			dx, err := back(p, means)
			p.team.Give(means)
			return dx, err
		}), nil
	}
}

// counts is how many taps along an axis of n cells each of m means divides by:
// those in the map and, if padding counts, those in the padding.
func counts(w region.Window, n, after, m int, countPad bool) []int {
	all := make([]int, m)
	for o := range all {
		for k := range w.Kernel {
			i := o*w.Stride - w.Pad + k*w.Dilation
			if i >= 0 && i < n || countPad && i < n+after {
				all[o]++
			}
		}
	}
	return all
}
