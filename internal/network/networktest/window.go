package networktest

import (
	"occlude/internal/network"
	"occlude/operators/region"
)

// window is a sliding window with its padding on both sides.
type window struct {
	network.Window
	after network.PadAfter
}

// square is a k x k window that keeps the map's size.
func square(k int) window {
	a := region.Window{Kernel: k, Stride: 1, Pad: k / 2, Dilation: 1}
	return window{network.Window{Y: a, X: a}, network.PadAfter{Y: (k - 1) / 2, X: (k - 1) / 2}}
}

// window is any window that fits the map, each axis on its own. Padding stays
// below the kernel, as the formats demand.
func (b *builder) window(in network.Shape) window {
	var w window
	w.Y, w.after.Y = b.axis(in.H)
	w.X, w.after.X = b.axis(in.W)
	if b.chance(0.4) && in.H == in.W {
		w.Y, w.after.Y = w.X, w.after.X
	}
	return w
}

func (b *builder) axis(n int) (w region.Window, after int) {
	w = region.Window{Kernel: b.between(1, 4), Stride: 1, Dilation: 1}
	if b.chance(0.15) {
		w.Kernel = b.between(5, 7)
	}
	if b.chance(0.25) {
		w.Stride = b.between(2, 3)
	}
	if b.chance(0.2) {
		w.Dilation = 2
	}
	w.Kernel = min(w.Kernel, n)
	for w.Extent() > n {
		w.Dilation = 1
	}
	w.Pad = b.rng.IntN(min(3, w.Kernel))
	return w, b.rng.IntN(min(3, w.Kernel))
}
