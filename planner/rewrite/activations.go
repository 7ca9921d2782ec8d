package rewrite

import (
	"math"

	"occlude/internal/network"
)

// clip is min(hi, max(lo, x)) with lo <= hi; an infinity is no bound. Relu is
// one of them.
type clip struct{ lo, hi float32 }

func clipOf(a network.Activation) (clip, bool) {
	switch a.Fn {
	case network.Relu:
		return clip{0, float32(math.Inf(1))}, true
	case network.Clip:
		return clip{a.Alpha, a.Beta}, a.Alpha <= a.Beta
	}
	return clip{}, false
}

// of is the clip's value at x.
func (c clip) of(x float32) float32 { return min(c.hi, max(c.lo, x)) }

// activation is the clip by the name that kernels know best. Older exporters
// write the largest float32 where they mean no bound.
func (c clip) activation() network.Activation {
	if c.lo == 0 && c.hi >= math.MaxFloat32 {
		return network.Activation{Fn: network.Relu}
	}
	return network.Activation{Fn: network.Clip, Alpha: c.lo, Beta: c.hi}
}

// compose is the activation that applies inner, then outer, if there is one.
func compose(inner, outer network.Activation) (network.Activation, bool) {
	if inner.IsNone() {
		return outer, true
	}
	if outer.IsNone() {
		return inner, true
	}
	a, ok1 := clipOf(inner)
	b, ok2 := clipOf(outer)
	if !ok1 || !ok2 {
		return network.Activation{}, false
	}
	// Clips do not decrease, so the bounds of the inner one, clipped by the
	// outer, are the bounds of both.
	return clip{b.of(a.lo), b.of(a.hi)}.activation(), true
}

// mergeClips makes one of two relus or clips in a row, and a relu of a clip
// that has no upper bound. It does not merge other activations, nor clips whose
// lower bound lies above the upper one; others may go on reading the first.
func mergeClips(g *graph, l *network.Layer) bool {
	outer, ok := opOf[network.Pointwise](l)
	if !ok {
		return false
	}
	if c, ok := clipOf(outer.Act); ok && c.activation() != outer.Act {
		return g.become(l, network.Pointwise{Act: c.activation()}, l.In[0])
	}
	inner, ok := opOf[network.Pointwise](l.In[0])
	if !ok || inner.Act.IsNone() || outer.Act.IsNone() {
		return false
	}
	act, ok := compose(inner.Act, outer.Act)
	return ok && g.become(l, network.Pointwise{Act: act}, l.In[0].In[0])
}

// fuseActivation lets a layer that can apply an activation do so while its
// result is still in registers. It does not when someone else reads the layer
// before the activation, or when that has an activation already that cannot be
// merged with this one.
func fuseActivation(g *graph, l *network.Layer) bool {
	p, ok := opOf[network.Pointwise](l)
	if !ok || !g.single(l.In[0]) {
		return false
	}
	f, ok := l.In[0].Op.(network.Fused)
	if !ok {
		return false
	}
	act, ok := compose(f.Activation(), p.Act)
	return ok && g.absorb(l, l.In[0], f.WithActivation(act), l.In[0].In...)
}

// fuseResidual lets a convolution add a map to its result before it applies the
// addition's activation. It does not when the convolution has an activation or
// a residual already or is read by someone else, nor when one of the two maps
// is repeated to the other's shape. Of two convolutions the later one is taken:
// the other's result is then there first in any case.
func fuseResidual(g *graph, l *network.Layer) bool {
	b, ok := opOf[network.Binary](l)
	if !ok || b.Fn != network.Add {
		return false
	}
	conv := -1
	for i, p := range l.In {
		c, ok := unfused[network.Conv](p)
		if !ok || c.Residual || !g.single(p) {
			continue
		}
		if conv < 0 || p.Index > l.In[conv].Index {
			conv = i
		}
	}
	if conv < 0 {
		return false
	}
	from, other := l.In[conv], l.In[1-conv]
	c := from.Op.(network.Conv)
	c.Residual, c.Act = true, b.Act
	return g.absorb(l, from, c, from.In[0], other)
}
