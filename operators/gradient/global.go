package gradient

import (
	"context"
	"math"

	"gonum.org/v1/gonum/blas/blas32"

	"occlude/internal/network"
)

// denseColumns is how many inputs of a fully-connected layer are computed at a
// time: their gradients and a part of a row of weights stay in the first-level
// cache.
const denseColumns = 2048

// denseRule adds up the rows of weights, each times the gradient of its output.
// The weights may be most of a network, so they are read as they are stored, once
// for all objectives, and not at all for outputs without a gradient: behind a
// relu those are many.
func denseRule(op network.Dense) rule {
	weights := op.Weights.Data().([]float32)
	outputs, inputs := op.Weights.Shape()[0], op.Weights.Shape()[1]
	return func(p *pass, _ *network.Layer) (pull, error) {
		return func(_ int, g [][]float32) ([][]float32, error) {
			dx := make([][]float32, len(g))
			for k := range dx {
				dx[k] = p.zeros(inputs)
			}
			blocks := (inputs + denseColumns - 1) / denseColumns
			err := p.split(blocks, denseColumns*outputs*len(g), func(lo, hi int) {
				for b := lo; b < hi && p.ctx.Err() == nil; b++ {
					first, end := b*denseColumns, min((b+1)*denseColumns, inputs)
					for o := range outputs {
						row := weights[o*inputs+first : o*inputs+end]
						for k := range g {
							if g[k][o] != 0 {
								blas32.Axpy(g[k][o], vector(row), vector(dx[k][first:end]))
							}
						}
					}
				}
			})
			if err == nil && p.ctx.Err() != nil {
				err = context.Cause(p.ctx)
			}
			return dx, err
		}, nil
	}
}

func vector(v []float32) blas32.Vector { return blas32.Vector{N: len(v), Inc: 1, Data: v} }

// globalPool: each cell has the same part in a mean or sum, and the largest one,
// the first of several, all of a maximum.
func globalPool(op network.GlobalPool) rule {
	return func(p *pass, l *network.Layer) (pull, error) {
		in := l.In[0].Shape
		if op.Fn == network.Largest {
			best := make([]int, in.C)
			for i, v := range p.values(l.In[0]) {
				if c := i % in.C; v > p.values(l.In[0])[best[c]*in.C+c] {
					best[c] = i / in.C
				}
			}
			return each(func(_ int, g []float32) ([]float32, error) {
				dx := p.zeros(in.Len())
				for c, cell := range best {
					dx[cell*in.C+c] = g[c]
				}
				return dx, nil
			}), nil
		}
		by := float32(1)
		if op.Fn == network.Mean {
			by /= float32(in.Cells())
		}
		return each(func(_ int, g []float32) ([]float32, error) {
			dx := p.take(in.Len())
			return dx, p.split(in.Cells(), in.C, func(lo, hi int) {
				for i := lo; i < hi; i++ {
					timesNumber(dx[i*in.C:], g, by)
				}
			})
		}), nil
	}
}

// instanceNorm: with the normalized h = (x - mean) / sqrt(var + Epsilon) of a
// channel,
//
//	dx = Scale / sqrt(var + Epsilon) * (g - mean of g - h * mean of g*h)
func instanceNorm(op network.InstanceNorm) rule {
	return func(p *pass, l *network.Layer) (pull, error) {
		s, x := l.Shape, p.values(l.In[0])
		n := float64(s.Cells())
		return each(func(_ int, g []float32) ([]float32, error) {
			dx := p.take(s.Len())
			return dx, p.split(s.C, 16*s.Cells(), func(lo, hi int) {
				for c := lo; c < hi; c++ {
					var mean, variance, sum, product float64
					for i := c; i < len(x); i += s.C {
						mean += float64(x[i]) / n
					}
					for i := c; i < len(x); i += s.C {
						d := float64(x[i]) - mean
						variance += d * d / n
					}
					deviation := math.Sqrt(variance + float64(op.Epsilon))
					for i := c; i < len(x); i += s.C {
						sum += float64(g[i]) / n
						product += float64(g[i]) * (float64(x[i]) - mean) / deviation / n
					}
					by := float64(op.Scale[c]) / deviation
					for i := c; i < len(x); i += s.C {
						h := (float64(x[i]) - mean) / deviation
						dx[i] = float32(by * (float64(g[i]) - sum - h*product))
					}
				}
			})
		}), nil
	}
}
