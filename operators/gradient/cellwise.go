package gradient

import (
	"math"

	"occlude/internal/network"
)

// prelu has the slope of the side that the input is on; the negative one at 0.
func prelu(op network.PRelu) rule {
	return func(p *pass, l *network.Layer) (pull, error) {
		x := p.values(l.In[0])
		n := len(op.Slope)
		return p.cells(l, func(dx, g []float32, cell int) {
			for c, v := range x[cell*n : (cell+1)*n] {
				dx[c] = g[c]
				if v <= 0 {
					dx[c] *= op.Slope[c]
				}
			}
		}), nil
	}
}

func affine(op network.Affine) rule {
	return func(p *pass, l *network.Layer) (pull, error) {
		return p.cells(l, func(dx, g []float32, _ int) {
			for c, s := range op.Scale {
				dx[c] = g[c] * s
			}
		}), nil
	}
}

// softmax: with y = exp(x_c) / sum exp(x), dx = y * (g - <g, y>); of its
// logarithm, dx = g - y * sum g.
func softmax(op network.Softmax) rule {
	return func(p *pass, l *network.Layer) (pull, error) {
		y := p.values(l)
		n := l.Shape.C
		return p.cells(l, func(dx, g []float32, cell int) {
			y := y[cell*n : (cell+1)*n]
			sum := 0.0
			for c, d := range g {
				if op.Log {
					sum += float64(d)
				} else {
					sum += float64(d) * float64(y[c])
				}
			}
			for c, d := range g {
				if op.Log {
					dx[c] = float32(float64(d) - math.Exp(float64(y[c]))*sum)
				} else {
					dx[c] = float32(float64(y[c]) * (float64(d) - sum))
				}
			}
		}), nil
	}
}

// lrn: with s_c = Bias + Alpha/Size * sum of squares over c's neighbours and
// y_c = x_c * s_c^-Beta,
//
//	dx_j = g_j * s_j^-Beta - 2*Alpha*Beta/Size * x_j * sum of g_c*y_c/s_c
//
// over all c that have j as a neighbour.
func lrn(op network.LRN) rule {
	before, after := (op.Size-1)/2, op.Size/2
	scale, beta := float64(op.Alpha)/float64(op.Size), float64(op.Beta)
	return func(p *pass, l *network.Layer) (pull, error) {
		n, cells := l.Shape.C, l.Shape.Cells()
		in, out := p.values(l.In[0]), p.values(l)
		return each(func(_ int, g []float32) ([]float32, error) {
			dx := p.take(len(g))
			return dx, p.split(cells, 16*n, func(lo, hi int) {
				sums, shares := make([]float64, n), make([]float64, n)
				for cell := lo * n; cell < hi*n; cell += n {
					x, y, g, dx := in[cell:cell+n], out[cell:cell+n], g[cell:cell+n], dx[cell:cell+n]
					for c := range n {
						sum := 0.0
						for _, v := range x[max(0, c-before):min(n, c+after+1)] {
							sum += float64(v) * float64(v)
						}
						sums[c] = float64(op.Bias) + scale*sum
						shares[c] = float64(g[c]) * float64(y[c]) / sums[c]
					}
					for j := range n {
						sum := 0.0
						for _, v := range shares[max(0, j-after):min(n, j+before+1)] {
							sum += v
						}
						dx[j] = float32(float64(g[j])/power(sums[j], beta) - 2*scale*beta*float64(x[j])*sum)
					}
				}
			})
		}), nil
	}
}

// power is x to the p, fast for the exponent that every published LRN has.
func power(x, p float64) float64 {
	if p == 0.75 {
		root := math.Sqrt(x)
		return root * math.Sqrt(root)
	}
	return math.Pow(x, p)
}

// channelReduce: each channel has the same part in a mean or sum, and the
// largest one, the first of several, all of a maximum.
func channelReduce(op network.ChannelReduce) rule {
	return func(p *pass, l *network.Layer) (pull, error) {
		x, n := p.values(l.In[0]), l.In[0].Shape.C
		return p.cells(l, func(dx, g []float32, cell int) {
			switch op.Fn {
			case network.Largest:
				best := 0
				for c, v := range x[cell*n : (cell+1)*n] {
					if v > x[cell*n+best] {
						best = c
					}
				}
				dx[best] = g[0]
			case network.Mean:
				fill(dx, g[0]/float32(n))
			default:
				fill(dx, g[0])
			}
		}), nil
	}
}

// concat takes each input's channels out again.
func concat(p *pass, l *network.Layer) (pull, error) {
	first := make([]int, len(l.In))
	for j := range l.In[1:] {
		first[j+1] = first[j] + l.In[j].Shape.C
	}
	return each(func(edge int, g []float32) ([]float32, error) {
		n, all := l.In[edge].Shape.C, l.Shape.C
		dx := p.take(l.In[edge].Shape.Len())
		return dx, p.split(l.Shape.Cells(), n, func(lo, hi int) {
			for i := lo; i < hi; i++ {
				copy(dx[i*n:(i+1)*n], g[i*all+first[edge]:])
			}
		})
	}), nil
}

// channels gives each channel what all that were picked from it got.
func channels(op network.Channels) rule {
	return func(p *pass, l *network.Layer) (pull, error) {
		return p.cells(l, func(dx, g []float32, _ int) {
			for c, from := range op.Index {
				dx[from] += g[c]
			}
		}), nil
	}
}

func fill(x []float32, v float32) {
	for i := range x {
		x[i] = v
	}
}
