package rewrite

import (
	"math"

	"gorgonia.org/tensor"

	"occlude/internal/network"
)

// values are the numbers of a float32 tensor in stored order; ok is false for
// tensors of another type or with a layout of their own.
func values(t *tensor.Dense) (v []float32, ok bool) {
	if t == nil || t.Dtype() != tensor.Float32 || !t.DataOrder().IsRowMajor() || t.RequiresIterator() {
		return nil, false
	}
	v = t.Float32s()
	return v, len(v) == t.Shape().TotalSize()
}

// like makes a tensor of the same shape with other values.
func like(t *tensor.Dense, v []float32) *tensor.Dense {
	return tensor.New(tensor.WithShape(t.Shape().Clone()...), tensor.WithBacking(v))
}

// constant is the value of a Const layer.
func constant(l *network.Layer) ([]float32, bool) {
	c, ok := opOf[network.Const](l)
	if !ok {
		return nil, false
	}
	return values(c.Value)
}

func finite(vs ...[]float32) bool {
	for _, v := range vs {
		for _, x := range v {
			// Subtracting tells infinities and NaNs from numbers at once.
			if x-x != 0 {
				return false
			}
		}
	}
	return true
}

// same is the number that all values are.
func same(v []float32) (float32, bool) {
	for _, x := range v {
		if x != v[0] {
			return 0, false
		}
	}
	if len(v) == 0 {
		return 0, false
	}
	return v[0], true
}

// perChannel is the number that a constant map of the given shape has in each
// of c channels, when it has the same ones in every cell.
func perChannel(v []float32, s network.Shape, c int) ([]float32, bool) {
	if len(v) == 0 || (s.C != c && s.C != 1) {
		return nil, false
	}
	out := make([]float32, c)
	for i := range out {
		out[i] = v[i%s.C]
	}
	for i, x := range v {
		if x != v[i%s.C] {
			return nil, false
		}
	}
	return out, true
}

// affine sees a layer as scale[c]*x + shift[c], before its activation: an
// Affine, or a sum, difference, product or quotient of x and a constant. It
// does not where x is repeated to the constant's shape, and c/x is none.
func affine(l *network.Layer) (x *network.Layer, scale, shift []float32, ok bool) {
	switch op := l.Op.(type) {
	case network.Affine:
		return l.In[0], op.Scale, op.Shift, true
	case network.Binary:
		if x, scale, shift, ok = binaryAffine(op.Fn, l, 1); ok {
			return
		}
		return binaryAffine(op.Fn, l, 0)
	}
	return nil, nil, nil, false
}

// binaryAffine is affine for a Binary whose input number side is the constant.
func binaryAffine(fn string, l *network.Layer, side int) (x *network.Layer, scale, shift []float32, ok bool) {
	x = l.In[1-side]
	v, ok := constant(l.In[side])
	if !ok || x.Shape != l.Shape {
		return nil, nil, nil, false
	}
	k, ok := perChannel(v, l.In[side].Shape, l.Shape.C)
	if !ok {
		return nil, nil, nil, false
	}
	scale, shift = make([]float32, len(k)), make([]float32, len(k))
	for c, k := range k {
		switch {
		case fn == network.Add:
			scale[c], shift[c] = 1, k
		case fn == network.Sub && side == 1:
			scale[c], shift[c] = 1, -k
		case fn == network.Sub:
			scale[c], shift[c] = -1, k
		case fn == network.Mul:
			scale[c] = k
		case fn == network.Div && side == 1:
			// Subnormal numbers hold too few digits to stand for a quotient.
			if scale[c] = float32(1 / float64(k)); math.Abs(float64(scale[c])) < 0x1p-126 {
				return nil, nil, nil, false
			}
		default:
			return nil, nil, nil, false
		}
	}
	return x, scale, shift, finite(scale, shift)
}

// uniform sees a layer as scale*x + shift with the same two numbers in every
// channel, and no activation.
func uniform(l *network.Layer) (x *network.Layer, scale, shift float64, ok bool) {
	if f, isFused := l.Op.(network.Fused); !isFused || !f.Activation().IsNone() {
		return nil, 0, 0, false
	}
	x, a, b, ok := affine(l)
	if !ok {
		return nil, 0, 0, false
	}
	s, ok1 := same(a)
	t, ok2 := same(b)
	return x, float64(s), float64(t), ok1 && ok2
}

// near compares numbers that went through float32 on the way.
func near(a, b float64) bool {
	return math.Abs(a-b) <= 1e-6*max(math.Abs(a), math.Abs(b))
}

// scaleRows multiplies each row of weights by its output's scale, and carries
// the bias along: scale*(W x + bias) + shift. The bias may be nil.
func scaleRows(w, bias, scale, shift []float32) (w2, bias2 []float32, ok bool) {
	rows := len(scale)
	n := len(w) / max(rows, 1)
	w2, bias2 = make([]float32, len(w)), make([]float32, rows)
	for r := range rows {
		k := float64(scale[r])
		for i, x := range w[r*n : (r+1)*n] {
			w2[r*n+i] = float32(float64(x) * k)
		}
		b := float64(shift[r])
		if bias != nil {
			b += float64(bias[r]) * k
		}
		bias2[r] = float32(b)
	}
	return w2, bias2, finite(w2, bias2)
}

// scaleColumns makes of weights that read scale*x + shift those that read x.
// The weights have one row per output; a row holds several cells of inner
// channels each, the first of which is input channel base(row).
func scaleColumns(w, bias, scale, shift []float32, rows, inner int, base func(row int) int) (w2, bias2 []float32, ok bool) {
	n := len(w) / max(rows, 1)
	w2, bias2 = make([]float32, len(w)), make([]float32, rows)
	for r := range rows {
		var b float64
		if bias != nil {
			b = float64(bias[r])
		}
		from := base(r)
		for i, x := range w[r*n : (r+1)*n] {
			c := from + i%inner
			w2[r*n+i] = float32(float64(x) * float64(scale[c]))
			b += float64(x) * float64(shift[c])
		}
		bias2[r] = float32(b)
	}
	return w2, bias2, finite(w2, bias2)
}
