package network

import "occlude/operators/region"

// thresholded is an op at which projective field thresholding crops the update:
// those with a sliding window, through which updates grow.
type thresholded interface {
	// threshold is Update with at most the share tau of the output's rows and of its
	// columns, and whether that is less than what changes.
	threshold(l *Layer, in []region.Rect, tau float64) (region.Rect, bool)
}

// TraceThresholded is Trace with Krypton's projective field thresholding: at each
// convolution and pool the update is cropped to the share tau, in (0, 1], of the
// layer's width and height, see region.Window.Threshold. Where branches meet, the
// bounding box of what they still change counts. The second result tells whether
// anything was cropped; with tau = 1 nothing ever is.
func (n *Network) TraceThresholded(in region.Rect, tau float64, rects []region.Rect) ([]region.Rect, bool) {
	cropped := false
	rects = n.trace(in, rects, func(l *Layer, in []region.Rect) region.Rect {
		op, ok := l.Op.(thresholded)
		if !ok {
			return l.Update(in)
		}
		r, less := op.threshold(l, in, tau)
		cropped = cropped || less
		return r
	})
	return rects, cropped
}

func (w Window) threshold(in region.Rect, out Shape, tau float64) (region.Rect, bool) {
	if in.Empty() {
		return region.Rect{}, false
	}
	y, _, croppedY := w.Y.Threshold(in.Y, out.H, region.Limit(tau, out.H))
	x, _, croppedX := w.X.Threshold(in.X, out.W, region.Limit(tau, out.W))
	r := region.Rect{Y: y, X: x}
	if r.Empty() {
		return region.Rect{}, w.update(in, out) != region.Rect{}
	}
	return r, croppedY || croppedX
}

func (c Conv) threshold(l *Layer, in []region.Rect, tau float64) (region.Rect, bool) {
	r, cropped := c.Window.threshold(in[0], l.Shape, tau)
	if c.Residual {
		r = r.Union(in[1])
	}
	return r, cropped
}

func (p Pool) threshold(l *Layer, in []region.Rect, tau float64) (region.Rect, bool) {
	return p.Window.threshold(in[0], l.Shape, tau)
}

// ThresholdedReads tells, by layer, which part of the update of its first input a
// layer reads when the layers compute rects, as TraceThresholded gave them with
// tau. The rest of that update the layer takes for unchanged. The slice to reuse is
// written when it is long enough.
func (n *Network) ThresholdedReads(rects []region.Rect, tau float64, reuse []region.Rect) []region.Rect {
	reads := reuse[:0]
	for _, l := range n.Layers {
		var read region.Rect
		if len(l.In) > 0 {
			read = rects[l.In[0].Index]
			if w, ok := l.Op.(windowed); ok && !read.Empty() {
				window := w.window()
				_, read.Y, _ = window.Y.Threshold(read.Y, l.Shape.H, region.Limit(tau, l.Shape.H))
				_, read.X, _ = window.X.Threshold(read.X, l.Shape.W, region.Limit(tau, l.Shape.W))
			}
		}
		reads = append(reads, read)
	}
	return reads
}

// windowed is an op with a sliding window.
type windowed interface{ window() Window }

func (c Conv) window() Window { return c.Window }
func (p Pool) window() Window { return p.Window }
