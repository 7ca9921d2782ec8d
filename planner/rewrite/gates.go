package rewrite

import (
	"math"

	"occlude/internal/network"
)

// Exporters without an operator for x * gate(x) write it out. The rules of this
// file see a product k * x * g, where k is a number that may stand anywhere
// (behind the product or on either factor), and ask whether g is a gate of x.

// gate tells which activation k * x * g is, if g is computed from x alone as
// that activation does.
type gate func(k float64, x, g *network.Layer) (network.Activation, bool)

// recogniseGate makes a rule of a gate. It does not fire when someone else
// reads the gate or the product before its factor, for then the activation
// would be work on top, nor when the gate is of another map, as in
// squeeze-and-excitation.
func recogniseGate(is gate) func(*graph, *network.Layer) bool {
	return func(g *graph, l *network.Layer) bool {
		product, k := l, 1.0
		if x, scale, shift, ok := uniform(l); ok && shift == 0 && g.single(x) {
			product, k = x, scale
		}
		m, ok := unfused[network.Binary](product)
		if !ok || m.Fn != network.Mul {
			return false
		}
		for i, gated := range product.In {
			x := product.In[1-i]
			if !g.single(gated) {
				continue
			}
			if act, ok := is(k, x, gated); ok {
				return g.become(l, network.Pointwise{Act: act}, x)
			}
			// The number may stand on x instead: (x/2) * (1 + erf(...)).
			y, scale, shift, ok := uniform(x)
			if !ok || shift != 0 {
				continue
			}
			if act, ok := is(k*scale, y, gated); ok {
				return g.become(l, network.Pointwise{Act: act}, y)
			}
		}
		return false
	}
}

// swish: x * sigmoid(a*x), where a is most often 1.
func swish(k float64, x, g *network.Layer) (network.Activation, bool) {
	s, ok := pointwise(g, network.Sigmoid)
	if !ok || !near(k, 1) {
		return network.Activation{}, false
	}
	a, ok := multiple(g.In[0], x)
	s.Fn, s.Alpha, s.Beta = network.Swish, float32(a), 0
	return s, ok
}

// hardSwish: x * hard sigmoid(x), or k * x * clip(a*x + b, 0, 1/k).
func hardSwish(k float64, x, g *network.Layer) (network.Activation, bool) {
	if h, ok := pointwise(g, network.HardSigmoid); ok && g.In[0] == x {
		h.Fn = network.HardSwish
		return h, near(k, 1)
	}
	y, h, ok := clipGate(k, g)
	h.Fn = network.HardSwish
	return h, ok && y == x
}

// clipGate sees k * clip(a*y + b, 0, 1/k) as the hard sigmoid that it is.
func clipGate(k float64, g *network.Layer) (y *network.Layer, h network.Activation, ok bool) {
	c, ok := pointwise(g, network.Clip)
	if !ok || c.Alpha != 0 || c.Beta <= 0 || !near(k*float64(c.Beta), 1) {
		return nil, h, false
	}
	y, a, b, ok := uniform(g.In[0])
	return y, network.Activation{Fn: network.HardSigmoid, Alpha: float32(k * a), Beta: float32(k * b)}, ok
}

// recogniseHardSigmoid makes one activation of k * clip(a*x + b, 0, 1/k). It
// does not when the clip's bounds are others, when a or b differs from channel
// to channel, or when someone else reads the clip before its factor.
func recogniseHardSigmoid(g *graph, l *network.Layer) bool {
	clipped, k := l, 1.0
	if x, scale, shift, ok := uniform(l); ok && shift == 0 && g.single(x) {
		clipped, k = x, scale
	}
	y, h, ok := clipGate(k, clipped)
	return ok && g.become(l, network.Pointwise{Act: h}, y)
}

// gelu: 1/2 * x * (1 + erf(x/sqrt 2)), the half anywhere.
func gelu(k float64, x, g *network.Layer) (network.Activation, bool) {
	no := network.Activation{}
	// g may be 1 + erf, or that times a half in a layer of its own.
	e, scale, shift := g, 1.0, 0.0
	for range 2 {
		in, a, b, ok := uniform(e)
		if !ok {
			break
		}
		e, scale, shift = in, scale*a, scale*b+shift
	}
	if _, ok := pointwise(e, network.Erf); !ok {
		return no, false
	}
	a, ok := multiple(e.In[0], x)
	ok = ok && near(a, math.Sqrt2/2) && near(k*scale, 0.5) && near(k*shift, 0.5)
	return network.Activation{Fn: network.Gelu}, ok
}

// mish: x * tanh(softplus(x)).
func mish(k float64, x, g *network.Layer) (network.Activation, bool) {
	no := network.Activation{}
	if _, ok := pointwise(g, network.Tanh); !ok || !near(k, 1) {
		return no, false
	}
	s := g.In[0]
	if _, ok := pointwise(s, network.Softplus); !ok || s.In[0] != x {
		return no, false
	}
	return network.Activation{Fn: network.Mish}, true
}

// pointwise is the activation of a layer that applies the named function and
// does nothing else.
func pointwise(l *network.Layer, fn string) (network.Activation, bool) {
	p, ok := opOf[network.Pointwise](l)
	return p.Act, ok && p.Act.Fn == fn
}

// multiple is the number a with l = a*x.
func multiple(l, x *network.Layer) (float64, bool) {
	if l == x {
		return 1, true
	}
	y, a, b, ok := uniform(l)
	return a, ok && y == x && b == 0
}
