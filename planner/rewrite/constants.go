package rewrite

import (
	"math"

	"gorgonia.org/tensor"

	"occlude/internal/network"
)

// foldConstants computes an Affine of a constant, or the sum, difference,
// product or quotient of two. It leaves alone what applies an activation (that
// is the kernels' to know), what broadcasts to more values than either constant
// holds, and what would not be finite.
func foldConstants(g *graph, l *network.Layer) bool {
	var (
		out []float32
		ok  bool
	)
	switch op := l.Op.(type) {
	case network.Affine:
		out, ok = foldAffine(op, l)
	case network.Binary:
		out, ok = foldBinary(op, l)
	}
	if !ok || !finite(out) {
		return false
	}
	s := l.Shape
	return g.become(l, network.Const{Value: tensor.New(tensor.WithShape(s.H, s.W, s.C), tensor.WithBacking(out))})
}

func foldAffine(op network.Affine, l *network.Layer) ([]float32, bool) {
	v, ok := constant(l.In[0])
	if !ok || !op.Act.IsNone() {
		return nil, false
	}
	out := make([]float32, len(v))
	for i, x := range v {
		c := i % l.Shape.C
		out[i] = float32(float64(x)*float64(op.Scale[c]) + float64(op.Shift[c]))
	}
	return out, true
}

func foldBinary(op network.Binary, l *network.Layer) ([]float32, bool) {
	a, ok1 := constant(l.In[0])
	b, ok2 := constant(l.In[1])
	if !ok1 || !ok2 || !op.Act.IsNone() || l.Shape.Len() > max(len(a), len(b)) {
		return nil, false
	}
	var f func(x, y float64) float64
	switch op.Fn {
	case network.Add:
		f = func(x, y float64) float64 { return x + y }
	case network.Sub:
		f = func(x, y float64) float64 { return x - y }
	case network.Mul:
		f = func(x, y float64) float64 { return x * y }
	case network.Div:
		f = func(x, y float64) float64 { return x / y }
	default:
		return nil, false
	}
	out := make([]float32, 0, l.Shape.Len())
	for y := range l.Shape.H {
		for x := range l.Shape.W {
			for c := range l.Shape.C {
				p, q := repeated(l.In[0].Shape, y, x, c), repeated(l.In[1].Shape, y, x, c)
				out = append(out, float32(f(float64(a[p]), float64(b[q]))))
			}
		}
	}
	return out, true
}

// repeated is the place of the value that a map shows at (y, x, c) when it is
// repeated along its axes of one.
func repeated(s network.Shape, y, x, c int) int {
	return (min(y, s.H-1)*s.W+min(x, s.W-1))*s.C + min(c, s.C-1)
}

// affineFromConstants makes an Affine of arithmetic with a constant that holds
// one number, or one per channel; in x/k the number is inverted. It does not
// when the constant differs from cell to cell, when the other input is repeated
// to the constant's shape, for k/x, and for a division by zero.
func affineFromConstants(g *graph, l *network.Layer) bool {
	b, ok := opOf[network.Binary](l)
	if !ok {
		return false
	}
	x, scale, shift, ok := affine(l)
	return ok && g.become(l, network.Affine{Scale: scale, Shift: shift, Act: b.Act}, x)
}

// recogniseClip makes a Clip of a maximum or minimum with a constant that is
// one number throughout. It does not when there are several numbers, when the
// other input is repeated to the constant's shape, or with an activation.
func recogniseClip(g *graph, l *network.Layer) bool {
	b, ok := unfused[network.Binary](l)
	if !ok || (b.Fn != network.Max && b.Fn != network.Min) {
		return false
	}
	for side := range 2 {
		v, ok := constant(l.In[side])
		if !ok {
			continue
		}
		k, ok := same(v)
		if !ok || k != k {
			continue
		}
		lo, hi := k, float32(math.Inf(1))
		if b.Fn == network.Min {
			lo, hi = float32(math.Inf(-1)), k
		}
		if g.become(l, network.Pointwise{Act: clip{lo, hi}.activation()}, l.In[1-side]) {
			return true
		}
	}
	return false
}

// recogniseLeakyRelu makes an activation, which can be fused, of a PRelu whose
// slopes are all the same. It does not when they differ.
func recogniseLeakyRelu(g *graph, l *network.Layer) bool {
	p, ok := opOf[network.PRelu](l)
	if !ok {
		return false
	}
	slope, ok := same(p.Slope)
	if !ok || slope != slope {
		return false
	}
	act := network.Activation{Fn: network.LeakyRelu, Alpha: slope}
	if slope == 0 {
		act = network.Activation{Fn: network.Relu}
	}
	return g.become(l, network.Pointwise{Act: act}, l.In[0])
}
