package cpu

import (
	"occlude/internal/network"
	"occlude/operators"
	"occlude/operators/region"
)

// stage is consecutive layers that a worker runs for groups of positions, one
// group through all of them before the next.
//
// Small groups keep the values between two layers in the second-level cache;
// large ones stream heavy weights rarely. Networks are narrow first and heavy
// later, so groups only grow from stage to stage. No result depends on them.
type stage struct {
	layers []*network.Layer
	group  int
}

const (
	// groupBytes is what a group's values around a layer may take to stay in a
	// second-level cache: 1 MiB.
	groupBytes = 1 << 20
	// residentWeights is how many bytes of weights stay in the cache from one
	// group to the next.
	residentWeights = 256 << 10
	// reuse is how many multiply-adds a byte of weights should be worth when it
	// is streamed from memory: a core does 8 in the time that a byte takes at
	// 10 GB/s, so that streaming takes an eighth of the time or less.
	reuse = 64
)

// stages cuts the network's layers for a batch that looks like its first update.
func (p *Program) stages(batch []operators.Update) []stage {
	if len(batch) == 0 {
		return nil
	}
	var all []stage
	layers := p.net.Layers[1:]
	from, group := 0, 0
	for i, l := range layers {
		r := batch[0].Rects[l.Index]
		if r.Empty() {
			continue
		}
		g := min(p.group(l, r), len(batch))
		switch {
		case group == 0:
			group = g
		case g >= 2*group || g == len(batch) && g > group:
			all = append(all, stage{layers[from:i], group})
			from, group = i, g
		}
	}
	return append(all, stage{layers[from:], max(group, 1)})
}

// group is how many positions to run a layer for at a time when each computes
// the rectangle r.
func (p *Program) group(l *network.Layer, r region.Rect) int {
	values := r.Area() * l.Shape.C
	for j, in := range l.In {
		values += l.Reads(j, r).Area() * in.Shape.C
	}
	group := max(1, groupBytes/4/max(1, values))
	k, ok := p.kernels[l.Index].(weighty)
	if !ok || k.weightBytes() <= residentWeights {
		return group
	}
	macs := int(max(1, l.Work(r).MACs))
	return max(group, (reuse*k.weightBytes()+macs-1)/macs)
}
