package rewrite

import (
	"slices"

	"occlude/internal/network"
)

// mergeAffines makes one of two Affines in a row. It does not when there is an
// activation between them or someone else reads the first.
func mergeAffines(g *graph, l *network.Layer) bool {
	outer, ok := opOf[network.Affine](l)
	if !ok || !g.single(l.In[0]) {
		return false
	}
	inner, ok := unfused[network.Affine](l.In[0])
	if !ok {
		return false
	}
	// Each channel is a weight of one input and its bias.
	scale, shift, ok := scaleRows(inner.Scale, inner.Shift, outer.Scale, outer.Shift)
	both := network.Affine{Scale: scale, Shift: shift, Act: outer.Act}
	return ok && g.absorb(l, l.In[0], both, l.In[0].In[0])
}

// concatAffines moves the Affines under a Concat behind it, where they are one
// layer that the next may take over. InceptionV3 normalizes its three channels
// like this. It does not when any input is something else, applies an
// activation, or is read by someone else.
func concatAffines(g *graph, l *network.Layer) bool {
	if _, ok := opOf[network.Concat](l); !ok || len(l.In) < 2 {
		return false
	}
	var all network.Affine
	in := make([]*network.Layer, len(l.In))
	for i, p := range l.In {
		a, ok := unfused[network.Affine](p)
		if !ok || !g.single(p) {
			return false
		}
		all.Scale = append(all.Scale, a.Scale...)
		all.Shift = append(all.Shift, a.Shift...)
		in[i] = p.In[0]
	}
	first := l.In[0]
	concat, ok := g.insert(l, l.Name, network.Concat{}, in...)
	return ok && g.absorb(l, first, all, concat)
}

// foldBatchNorm moves an Affine into the convolution or fully-connected layer
// before it. It does not when that applies an activation or adds a residual
// first, or is read by someone else.
func foldBatchNorm(g *graph, l *network.Layer) bool {
	a, ok := opOf[network.Affine](l)
	if !ok || !g.single(l.In[0]) {
		return false
	}
	before := l.In[0]
	if c, ok := unfused[network.Conv](before); ok && !c.Residual {
		w, ok := values(c.Weights)
		if !ok {
			return false
		}
		w, c.Bias, ok = scaleRows(w, c.Bias, a.Scale, a.Shift)
		c.Weights, c.Act = like(c.Weights, w), a.Act
		return ok && g.absorb(l, before, c, before.In...)
	}
	if d, ok := unfused[network.Dense](before); ok {
		w, ok := values(d.Weights)
		if !ok {
			return false
		}
		w, d.Bias, ok = scaleRows(w, d.Bias, a.Scale, a.Shift)
		d.Weights, d.Act = like(d.Weights, w), a.Act
		return ok && g.absorb(l, before, d, before.In...)
	}
	return false
}

// affineIntoNext moves an Affine into the convolution or fully-connected layer
// behind it. It does not when the Affine applies an activation or is read by
// someone else, nor when it has a shift and the convolution pads: what it pads
// with is 0 behind the Affine, and no number would be that before it.
func affineIntoNext(g *graph, l *network.Layer) bool {
	if len(l.In) == 0 || !g.single(l.In[0]) {
		return false
	}
	before := l.In[0]
	a, ok := unfused[network.Affine](before)
	if !ok {
		return false
	}
	switch op := l.Op.(type) {
	case network.Conv:
		if pads(op.Window, op.After) && slices.ContainsFunc(a.Shift, func(t float32) bool { return t != 0 }) {
			return false
		}
		w, ok := values(op.Weights)
		if !ok {
			return false
		}
		perGroup := op.Filters() / op.Groups
		base := func(filter int) int { return filter / perGroup * op.GroupIn() }
		w, op.Bias, ok = scaleColumns(w, op.Bias, a.Scale, a.Shift, op.Filters(), op.GroupIn(), base)
		op.Weights = like(op.Weights, w)
		return ok && g.become(l, op, swapFirst(l, before.In[0])...)
	case network.Dense:
		w, ok := values(op.Weights)
		if !ok {
			return false
		}
		rows := op.Weights.Shape()[0]
		w, op.Bias, ok = scaleColumns(w, op.Bias, a.Scale, a.Shift, rows, len(a.Scale), func(int) int { return 0 })
		op.Weights = like(op.Weights, w)
		return ok && g.become(l, op, before.In[0])
	}
	return false
}

func pads(w network.Window, after network.PadAfter) bool {
	return w.Y.Pad != 0 || w.X.Pad != 0 || after != network.PadAfter{}
}
