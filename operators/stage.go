package operators

import (
	"occlude/internal/network"
	"occlude/operators/region"
)

// Stage is consecutive layers that a worker runs for groups of positions, one
// group through all of them before the next.
//
// Small groups keep the values between two layers in the second-level cache;
// large ones stream heavy weights rarely. Networks are narrow first and heavy
// later, so groups only grow from stage to stage. No result depends on them.
type Stage struct {
	From, To int // layer indices, To not included
	Group    int // positions
}

const (
	// groupBytes is what a group's values around a layer may take to stay in a
	// second-level cache: 1 MiB.
	groupBytes = 1 << 20
	// residentWeights is how many bytes of weights stay in the cache from one
	// group to the next.
	residentWeights = 256 << 10
	// reuse is how many multiply-adds of the definition a byte of weights should
	// be worth when it is streamed from memory. A core does 10 in the time that a
	// byte takes at 10 GB/s, and Winograd's algorithms do 4 for one; so streaming
	// takes a sixth of the time or less. Measured by exact maps of ResNet18 and
	// VGG16 in batches of 64: 64 costs 5% and 6% more, 1024 gains nothing.
	reuse = 256
)

// Stages cuts a network's layers, all but the input, into stages for a batch of
// positions that compute the given rectangles, or ones like them. The function
// weights tells how many bytes a layer streams for each group.
func Stages(net *network.Network, rects []region.Rect, batch int, weights func(layer int) int64) []Stage {
	var all []Stage
	from, group := 1, 0
	for _, l := range net.Layers[1:] {
		r := rects[l.Index]
		if r.Empty() {
			continue
		}
		g := min(groupOf(l, r, weights(l.Index)), batch)
		switch {
		case group == 0:
			group = g
		case g >= 2*group || g == batch && g > group:
			all = append(all, Stage{from, l.Index, group})
			from, group = l.Index, g
		}
	}
	return append(all, Stage{from, len(net.Layers), max(group, 1)})
}

// Cells is what all rectangles of an update hold. The update with the most is what the
// stages of a batch are made for: those of others may be too small for its cache.
func Cells(rects []region.Rect) int64 {
	var n int64
	for _, r := range rects {
		n += int64(r.Area())
	}
	return n
}

// groupOf is how many positions to run a layer for at a time when each computes
// the rectangle r.
func groupOf(l *network.Layer, r region.Rect, weights int64) int {
	values := r.Area() * l.Shape.C
	for j, in := range l.In {
		values += l.Reads(j, r).Area() * in.Shape.C
	}
	group := max(1, groupBytes/4/max(1, values))
	if weights <= residentWeights {
		return group
	}
	macs := max(1, l.Work(r).MACs)
	return max(group, int((reuse*weights+macs-1)/macs))
}
