package gradient

import (
	"math"

	"occlude/internal/network"
	"occlude/operators/cpu/simd"
)

// partial is a term of the gradient with respect to one operand of arithmetic on
// a and b: g times the derivative.
type partial func(g, a, b float32) float32

// partials are those of both operands, nil for arithmetic that is not known. Of
// equal operands the first counts as the larger and as the smaller one.
func partials(fn string) *[2]partial {
	switch fn {
	case network.Add:
		return &[2]partial{whole, whole}
	case network.Sub:
		return &[2]partial{whole, func(g, _, _ float32) float32 { return -g }}
	case network.Mul:
		return &[2]partial{} // see product
	case network.Div:
		return &[2]partial{
			func(g, _, b float32) float32 { return g / b },
			func(g, a, b float32) float32 { return -g * a / (b * b) },
		}
	case network.Max:
		return either(func(a, b float32) bool { return a >= b })
	case network.Min:
		return either(func(a, b float32) bool { return a <= b })
	case network.Pow:
		return &[2]partial{
			func(g, a, b float32) float32 {
				return float32(float64(g) * float64(b) * math.Pow(float64(a), float64(b)-1))
			},
			func(g, a, b float32) float32 {
				if a == 0 {
					return 0
				}
				return float32(float64(g) * math.Pow(float64(a), float64(b)) * math.Log(float64(a)))
			},
		}
	}
	return nil
}

func whole(g, _, _ float32) float32 { return g }

// either is for arithmetic that gives one of its operands: the first, or the
// second.
func either(first func(a, b float32) bool) *[2]partial {
	return &[2]partial{
		func(g, a, b float32) float32 {
			if first(a, b) {
				return g
			}
			return 0
		},
		func(g, a, b float32) float32 {
			if first(a, b) {
				return 0
			}
			return g
		},
	}
}

// operand is an input of a binary layer as its output's cells see it.
type operand struct {
	shape  network.Shape
	values []float32
	y, x   int // from a cell of the output to the next, in cells: 0 where it is repeated
	step   int // from a channel to the next, likewise
}

func operandOf(p *pass, l *network.Layer, i int) operand {
	in, out := l.In[i].Shape, l.Shape
	o := operand{shape: in, values: p.values(l.In[i]), y: in.W, x: 1, step: 1}
	if in.H != out.H {
		o.y = 0
	}
	if in.W != out.W {
		o.x = 0
	}
	if in.C != out.C {
		o.step = 0
	}
	return o
}

// at is the index of the operand's value for channel 0 of a cell of the output.
func (o operand) at(y, x int) int { return (y*o.y + x*o.x) * o.shape.C }

// binary multiplies by the partial derivatives. An operand that is repeated
// along an axis gets the sum over that axis.
func binary(fn string, d *[2]partial, set *simd.Set) rule {
	return func(p *pass, l *network.Layer) (pull, error) {
		operands := [2]operand{operandOf(p, l, 0), operandOf(p, l, 1)}
		return each(func(edge int, g []float32) ([]float32, error) {
			if l.In[edge].Shape == l.Shape && (fn == network.Add || fn == network.Sub && edge == 0) {
				return g, nil
			}
			if fn == network.Mul {
				return p.product(l, g, operands[1-edge], operands[edge], set)
			}
			return p.partial(l, g, operands, edge, d[edge])
		}), nil
	}
}

// partial computes the gradient with respect to one operand.
func (p *pass) partial(l *network.Layer, g []float32, operands [2]operand, edge int, d partial) ([]float32, error) {
	a, b := operands[0], operands[1]
	return p.summed(l, operands[edge], func(sums []float64, y, x, c0, c1 int) {
		g := g[(y*l.Shape.W+x)*l.Shape.C:]
		u, v, step := a.values[a.at(y, x):], b.values[b.at(y, x):], operands[edge].step
		for c := c0; c < c1; c++ {
			sums[c*step] += float64(d(g[c], u[c*a.step], v[c*b.step]))
		}
	})
}

// product is the same for a product, where the derivative is the other operand.
func (p *pass) product(l *network.Layer, g []float32, other, to operand, set *simd.Set) ([]float32, error) {
	s := l.Shape
	if to.shape != s {
		return p.summed(l, to, func(sums []float64, y, x, c0, c1 int) {
			g, v := g[(y*s.W+x)*s.C:], other.values[other.at(y, x):]
			for c := c0; c < c1; c++ {
				sums[c*to.step] += float64(g[c]) * float64(v[c*other.step])
			}
		})
	}
	dx := p.take(s.Len())
	return dx, p.split(s.H, s.W*s.C, func(lo, hi int) {
		for i := lo * s.W; i < hi*s.W; i++ {
			g, dx, v := g[i*s.C:(i+1)*s.C], dx[i*s.C:(i+1)*s.C], other.values[other.at(i/s.W, i%s.W):]
			if other.step == 0 {
				timesNumber(dx, g, v[0])
			} else {
				combine(set, simd.Multiply, dx, g, v[:s.C])
			}
		}
	})
}

// summed adds up the gradient with respect to an operand, in float64: add is given
// the operand's sums for a cell of the output and the channels to add. Parts for
// the threads are of rows where the operand has as many as the output, else of
// channels where it has as many: no two parts then add to the same value.
func (p *pass) summed(l *network.Layer, to operand, add func(sums []float64, y, x, c0, c1 int)) ([]float32, error) {
	s := l.Shape
	sums := make([]float64, to.shape.Len())
	part := func(y0, y1, c0, c1 int) {
		for y := y0; y < y1; y++ {
			for x := range s.W {
				add(sums[to.at(y, x):], y, x, c0, c1)
			}
		}
	}
	var err error
	switch {
	case to.y > 0:
		err = p.split(s.H, 4*s.W*s.C, func(lo, hi int) { part(lo, hi, 0, s.C) })
	case to.step > 0:
		err = p.split(s.C, 4*s.Cells(), func(lo, hi int) { part(0, s.H, lo, hi) })
	default:
		part(0, s.H, 0, s.C)
	}
	return narrow(sums), err
}

// narrow rounds sums.
func narrow(v []float64) []float32 {
	to := make([]float32, len(v))
	for i, x := range v {
		to[i] = float32(x)
	}
	return to
}
