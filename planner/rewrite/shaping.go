package rewrite

import (
	"math"

	"gorgonia.org/tensor"

	"occlude/internal/network"
)

// mergePad turns a layer of constant padding into the pads of the window behind
// it: of a convolution, if it pads with 0; of an average pool, if it pads with 0
// and the pool counts such cells; of a max pool, if it pads with what can never
// be the largest (0 is enough where nothing is negative). It does not for
// padding that mirrors or repeats, for padding that others read, where a pool's
// window could lie in the padding altogether, and where a pool that rounds its
// size up would make another size of it.
func mergePad(g *graph, l *network.Layer) bool {
	if len(l.In) == 0 || !g.single(l.In[0]) {
		return false
	}
	pad, ok := opOf[network.Pad](l.In[0])
	if !ok || pad.Mode != network.PadConstant {
		return false
	}
	from := l.In[0].In[0]
	switch op := l.Op.(type) {
	case network.Conv:
		op.Window, op.After = widen(op.Window, op.After, pad)
		return pad.Value == 0 && g.become(l, op, swapFirst(l, from)...)
	case network.Pool:
		neutral := pad.Value == 0 && (op.CountPad || !pads(op.Window, op.After))
		if op.Max {
			neutral = pad.Value <= -math.MaxFloat32 || (pad.Value <= 0 && nonNegative(from))
		}
		op.Window, op.After = widen(op.Window, op.After, pad)
		// Without pads of its own it made no difference what a pool counts.
		op.CountPad = true
		return neutral && reachesMap(op) && g.become(l, op, from)
	}
	return false
}

// widen adds a padding layer's cells to a window's own.
func widen(w network.Window, after network.PadAfter, p network.Pad) (network.Window, network.PadAfter) {
	w.Y.Pad += p.Top
	w.X.Pad += p.Left
	after.Y += p.Bottom
	after.X += p.Right
	return w, after
}

// reachesMap tells whether every window of a pool holds a cell of the map.
func reachesMap(p network.Pool) bool {
	return p.Y.Dilation == 1 && p.X.Dilation == 1 &&
		max(p.Y.Pad, p.After.Y) < p.Y.Kernel && max(p.X.Pad, p.After.X) < p.X.Kernel
}

// mergeFlatten brings the weights of a fully-connected layer into the map's own
// order, channels last, so that nothing needs to be flattened; a view before it
// it does not need either, and a flatten and its undoing cancel. It does not
// when anything stands between the flatten and the fully-connected layer;
// others may go on reading the flatten.
func mergeFlatten(g *graph, l *network.Layer) bool {
	if len(l.In) == 0 || len(l.In[0].In) == 0 {
		return false
	}
	from := l.In[0].In[0]
	switch l.In[0].Op.(type) {
	case network.Unflatten:
		_, ok := opOf[network.Flatten](l)
		return ok && g.replace(l, from)
	case network.Reshaped:
		d, ok := opOf[network.Dense](l)
		return ok && g.become(l, d, from)
	case network.Flatten:
		if _, ok := opOf[network.Unflatten](l); ok {
			return g.replace(l, from)
		}
		d, ok := opOf[network.Dense](l)
		if !ok {
			return false
		}
		w, ok := values(d.Weights)
		if !ok {
			return false
		}
		d.Weights = like(d.Weights, channelsLast(w, from.Shape))
		return g.become(l, d, from)
	}
	return false
}

// channelsLast brings rows of weights for a map in ONNX's order into HWC. VGG
// has 100 million of them, so it goes through a row in blocks of channels: what
// it reads of a block stays in the cache until all cells have been written.
func channelsLast(w []float32, s network.Shape) []float32 {
	const block = 16
	out := make([]float32, len(w))
	n, cells := s.Len(), s.Cells()
	for row := 0; row < len(w); row += n {
		from, to := w[row:row+n], out[row:row+n]
		for lo := 0; lo < s.C; lo += block {
			hi := min(lo+block, s.C)
			for cell := range cells {
				for c := lo; c < hi; c++ {
					to[cell*s.C+c] = from[c*cells+cell]
				}
			}
		}
	}
	return out
}

// denseFromConv makes a fully-connected layer of a convolution whose filters
// cover the whole map, such as those of squeeze-and-excitation: then all
// occluded images are the columns of one matrix. The weights stay where they
// are. It does not when the convolution pads, has groups or a residual, or room
// to slide.
func denseFromConv(g *graph, l *network.Layer) bool {
	c, ok := opOf[network.Conv](l)
	if !ok || c.Residual || c.Groups != 1 || pads(c.Window, c.After) {
		return false
	}
	s := l.In[0].Shape
	if c.Y.Kernel != s.H || c.X.Kernel != s.W {
		return false
	}
	w, ok := values(c.Weights)
	if !ok {
		return false
	}
	rows := tensor.New(tensor.WithShape(c.Filters(), s.Len()), tensor.WithBacking(w))
	return g.become(l, network.Dense{Weights: rows, Bias: c.Bias, Act: c.Act}, l.In[0])
}
