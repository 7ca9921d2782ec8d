package planner

import (
	"occlude/internal/memory"
	"occlude/internal/model"
	"occlude/internal/network"
	"occlude/internal/settings"
	"occlude/operators"
	"occlude/planner/cost"
)

// Memory is what a process holds when a query holds the most, in bytes, by what it
// is for. Garbage that was not collected yet is not in it.
type Memory struct {
	Process   int64 // the process itself: code and the runtime
	Weights   int64 // of the model, as they were read and as they were rewritten
	Packed    int64 // weights in the order in which kernels read them
	Views     int64 // materialized views
	Gradients int64 // of the backward pass, and what sketches are corrected by
	Workers   int64 // patches, updates and scratch of all of them
	Results   int64 // the image, the positions, and what is known of each
	Others    int64 // weights of the session's other models
}

// Total is all of it.
func (m Memory) Total() int64 {
	return m.Process + m.Weights + m.Packed + m.Views + m.Gradients + m.Workers + m.Results + m.Others
}

// Larger is the one of two times at which more is held.
func (m Memory) Larger(o Memory) Memory {
	if o.Total() > m.Total() {
		return o
	}
	return m
}

// memoryLimit is the most that the process may hold, in bytes, 0 for no limit, and
// whether that is a share of what was free.
func (b *binder) memoryLimit() (bytes int64, auto bool) {
	if n := b.env.Settings.MemoryLimit(); n > 0 {
		return n, false
	}
	if b.env.Memory == nil {
		return 0, true
	}
	return settings.MemoryShare(b.env.Memory()), true
}

// held is what a query of a model finds in memory and cannot do without: all models
// of the session. What was made for queries before it can be dropped.
func (b *binder) held(m *model.Model, net *network.Network) Memory {
	var known memory.Arrays
	h := Memory{Process: memory.Process}
	h.Weights = known.Add(m.Net.Arrays()...) + known.Add(net.Arrays()...)
	for _, other := range b.env.Catalog.Models() {
		h.Others += known.Add(other.Net.Arrays()...)
		if o, ok := b.planner.optimized[other]; ok {
			h.Others += known.Add(o.net.Arrays()...)
		}
	}
	return h
}

// filterPanel is how many filters kernels compute together at most: those that fill
// up the last panel are stored, too.
const filterPanel = 32

// packedBytes is what kernels hold of the weights of a network.
func packedBytes(net *network.Network, algorithms []operators.Algorithm) (bytes int64) {
	for i, l := range net.Layers {
		if op, ok := l.Op.(network.Conv); ok {
			bytes += packedConv(l, op, algorithms[i])
		}
	}
	return bytes
}

// packedConv is what the kernel of a convolution holds of its weights.
func packedConv(l *network.Layer, op network.Conv, how operators.Algorithm) int64 {
	panels := func(n int) int64 { return int64(n+filterPanel-1) / filterPanel * filterPanel }
	switch f := cost.Of(l, how); {
	case op.Depthwise():
		return 4 * panels(op.Filters()) * int64(op.Taps())
	case f.Points > 1:
		return 4 * int64(f.Points) * int64(op.GroupIn()) * panels(op.Filters())
	default:
		return 4 * int64(op.Groups) * panels(op.Filters()/op.Groups) * int64(op.Taps()*op.GroupIn())
	}
}

// streamedBytes is what the kernel of a layer reads of its weights for every group of
// positions. Workers cut the layers into stages by it: what fills up panels counts.
func streamedBytes(l *network.Layer, how operators.Algorithm) int64 {
	if op, ok := l.Op.(network.Conv); ok {
		return packedConv(l, op, how)
	}
	return cost.WeightBytes(l, how)
}

// backwardBytes is what a backward pass holds of the weights: those of convolutions
// with inputs and outputs exchanged, and packed.
func backwardBytes(net *network.Network) int64 {
	var bytes int64
	for _, l := range net.Layers {
		if op, ok := l.Op.(network.Conv); ok {
			bytes += 2 * 4 * int64(op.Weights.Shape().TotalSize())
		}
	}
	return bytes
}

// gradientBytes is what a backward pass of so many objectives holds at most, and what
// is kept of it: gradients as large as the views, once as they were pulled back and
// once as sketches want them, and tangents of the activations that are no clamps. Of
// maps that only layers in between need there are about so many views at a time.
func gradientBytes(net *network.Network, objectives int) (most, kept int64) {
	const between = 0.6
	var tangents int64
	for _, l := range net.Layers {
		if f, ok := l.Op.(network.Fused); ok {
			switch f.Activation().Fn {
			case network.Relu, network.Clip, network.None:
			default:
				tangents += 4 * int64(l.Shape.Len())
			}
		}
	}
	views := allViews(net)
	kept = views*int64(objectives) + 2*tangents
	return kept + views*int64(objectives) + int64(between*float64(views)), kept
}

// allViews is what the views take, the image and constants included.
func allViews(net *network.Network) int64 {
	var values int64
	for _, l := range net.Layers {
		values += int64(l.Shape.Len())
	}
	return 4 * values
}

// keptByFull is what full inference keeps of the base pass: the probabilities,
// the image, and the maps that do not depend on it.
func keptByFull(net *network.Network) int64 {
	n := int64(net.Output.Shape.Len() + net.Input().Shape.Len())
	for _, l := range net.Layers {
		if _, constant := l.Op.(network.Const); constant {
			n += int64(l.Shape.Len())
		}
	}
	return n * 4
}

// Bytes that a query holds for each position beside its probabilities, for the
// widest of its columns of integers: the position itself, its place in the orders of
// all candidates, its job and its state.
const positionBytes = 32 + 16 + 24 + 2

// imageMaps is how many maps of the input's size there are: the image in pixel
// space, and the cover before and after normalisation. The normalised image is a
// view.
const imageMaps = 3

// resultBytes is what a query holds for an image beside all that is computed.
func (c *Candidate) resultBytes(q *Occlude) int64 {
	n := int64(len(q.Grid.Positions))
	return c.Levels.Bytes() + n*(positionBytes+4*int64(q.Target.Count())) + imageMaps*4*int64(q.Net.Input().Shape.Len())
}

// estimatorBytes is what an adaptive plan holds beside that: tables of log-odds, and
// for its samples factors of the correlations of blocks of them (see package
// sampling).
func (c *Candidate) estimatorBytes(q *Occlude) int64 {
	if c.Adaptive == nil {
		return 0
	}
	const (
		tables       = 8 * 8 // doubles for each position and class
		block, size  = 9, 60 // samples of a block, and those that it is predicted from
		sampleBytes  = 8 * size * size / block
		expectations = 2 // of the number of samples
	)
	return tables*int64(len(q.Grid.Positions)*q.Target.Count()) + sampleBytes*int64(min(len(q.Grid.Positions), expectations*c.Positions()))
}
