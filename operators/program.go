package operators

import (
	"context"
	"slices"

	"gorgonia.org/tensor"

	"occlude/operators/region"
)

// Program is a network made ready for a device: weights packed in the layout
// that its kernels want. It is made once and shared.
type Program interface {
	// Base runs the clean image, (H, W, C) normalised values, with the given
	// number of goroutines.
	Base(ctx context.Context, image *tensor.Dense, threads int) (*Views, error)
	// NewWorker makes a worker, which one goroutine uses at a time.
	NewWorker() Worker
	// Arrays are the weights that the program holds in an order of its own. Programs
	// may share them.
	Arrays() [][]float32
	// Reserve takes so many bytes for each of the next workers, those of Base
	// included, who take no more while that is enough. Trim lets go of what was
	// reserved, and of what released workers left for others.
	Reserve(workers int, bytes int64)
	Trim()
}

// Worker runs batches of positions and owns the memory that they need.
type Worker interface {
	// Run computes the network's output for every update of the batch and
	// stores it in the update's Out.
	Run(ctx context.Context, views *Views, batch []Update) error
	// Stats are the worker's totals so far.
	Stats() Stats
	// Release leaves the worker's memory to the program's next workers. It is the
	// worker's end.
	Release()
}

// Update is one position to compute.
type Update struct {
	// Patch holds the changed pixels, normalised; its rectangle lies inside
	// the image, whose other pixels come from its view. Full inference has the
	// same patch, and whole rectangles. Without Data it is cut from the views'
	// Cover, in all updates of a batch or in none.
	Patch Tile
	// Rects is the rectangle to compute of each layer, by Index. Layers with an
	// empty one are read from their view. Positions may share the slice.
	Rects []region.Rect
	// Reads is, by Index, the part of the update of its first input that a layer
	// reads: beside it the layer takes the view for true. Nil where all is read.
	Reads []region.Rect
	// Out receives the network's output; it has the output's length.
	Out []float32
	// Estimates receives what the objectives of the views' Compensation would be
	// had Rects left nothing out, to first order in what they leave out. Nil where
	// that is not wanted, which costs nothing: in all updates of a batch or in none.
	Estimates []float64
}

// Views are the materialized views of one image: each layer's output on the
// clean image, (H, W, C).
type Views struct {
	// Layers has an entry per layer, nil where the view was not kept.
	Layers []*tensor.Dense
	// Sums are the values before the activation of layers whose updates are
	// added to them, by layer; nil for all others. A device that has no use
	// for them leaves it empty.
	Sums  [][]float32
	Stats Stats
	// Resident are the views that a device keeps in memory of its own, where Layers
	// has none; nil for devices that compute in the host's.
	Resident Resident
	// Cover is a whole image, (H, W, C) normalised values, from which patches are cut;
	// nil where updates bring their own.
	Cover *tensor.Dense
	// Compensation is what Estimates of updates are made from, nil without. What
	// it needs of the views it holds itself.
	Compensation *Compensation
}

// Resident is what a device keeps of views.
type Resident interface {
	// Bytes is the device's memory that it takes.
	Bytes() int64
	// Drop forgets the views that keep does not name.
	Drop(keep func(layer int) bool)
	// Shared is the same for another query, which may drop some of it.
	Shared() Resident
}

// Tile is the view of layer i, the zero Tile where there is none.
func (v *Views) Tile(i int) Tile {
	if v == nil || v.Layers[i] == nil {
		return Tile{}
	}
	d := v.Layers[i]
	s := d.Shape()
	return NewTile(region.Whole(s[0], s[1]), s[2], d.Data().([]float32))
}

// SumsOf is the Sums of layer i, nil where it has none.
func (v *Views) SumsOf(i int) []float32 {
	if v == nil || i >= len(v.Sums) {
		return nil
	}
	return v.Sums[i]
}

// Output is the network's output on the clean image; layer is the output
// layer's index.
func (v *Views) Output(layer int) []float32 { return v.Layers[layer].Data().([]float32) }

// Patch is the changed pixels of an update: its own, or those of the Cover.
func (v *Views) Patch(u *Update) Tile {
	if u.Patch.Data != nil || v == nil || v.Cover == nil {
		return u.Patch
	}
	s := v.Cover.Shape()
	if !region.Whole(s[0], s[1]).Contains(u.Patch.Rect) {
		return u.Patch // which devices refuse
	}
	return NewTile(region.Whole(s[0], s[1]), s[2], v.Cover.Data().([]float32)).Sub(u.Patch.Rect)
}

// Bytes is the memory that the views hold, but for what is Resident.
func (v *Views) Bytes() int64 {
	var n int64
	for _, d := range v.Layers {
		if d != nil {
			n += int64(d.MemSize())
		}
	}
	return n
}

// Arrays are the views and the sums.
func (v *Views) Arrays() [][]float32 {
	all := append([][]float32(nil), v.Sums...)
	for _, d := range v.Layers {
		if d != nil {
			all = append(all, d.Data().([]float32))
		}
	}
	return all
}

// Drop forgets the views that keep does not name, to free their memory.
func (v *Views) Drop(keep func(layer int) bool) {
	for i := range v.Layers {
		if !keep(i) {
			v.Layers[i] = nil
		}
	}
	if v.Resident != nil {
		v.Resident.Drop(keep)
	}
}

// Shared are the same views for another query, which may drop some of them and
// compensate by its own gradients.
func (v *Views) Shared() *Views {
	shared := &Views{Layers: slices.Clone(v.Layers), Sums: v.Sums}
	if v.Resident != nil {
		shared.Resident = v.Resident.Shared()
	}
	return shared
}

// Stats counts what was done.
type Stats struct {
	Layers []LayerStats // by layer Index
	Peak   int64        // bytes that workers held at once
	// Device is, of all that, what concerns a device with memory of its own.
	Device DeviceStats
}

// DeviceStats counts what a device with memory of its own was asked for beside computing.
type DeviceStats struct {
	Launches int64
	Up, Down int64 // bytes copied to it and back
	Peak     int64 // bytes of its memory that workers held at once
}

// Plus adds up two workers' counts.
func (d DeviceStats) Plus(o DeviceStats) DeviceStats {
	return DeviceStats{d.Launches + o.Launches, d.Up + o.Up, d.Down + o.Down, d.Peak + o.Peak}
}

// LayerStats is one layer's share.
type LayerStats struct {
	Nanos int64 // time spent, all workers together
	MACs  int64 // multiply-adds
	Steps int64 // element steps, see network.Work
	Cells int64 // output cells computed
	Runs  int64 // positions at which the layer was computed
}

// Plus adds up two workers' counts: times and work add, peaks too, for the
// workers hold their memory at the same time.
func (s Stats) Plus(o Stats) Stats {
	sum := Stats{Peak: s.Peak + o.Peak, Device: s.Device.Plus(o.Device), Layers: make([]LayerStats, max(len(s.Layers), len(o.Layers)))}
	copy(sum.Layers, s.Layers)
	for i, l := range o.Layers {
		sum.Layers[i].Add(l)
	}
	return sum
}

// Add adds another share of the same layer.
func (l *LayerStats) Add(o LayerStats) {
	l.Nanos += o.Nanos
	l.MACs += o.MACs
	l.Steps += o.Steps
	l.Cells += o.Cells
	l.Runs += o.Runs
}

// MACs is the number of multiply-adds of all layers.
func (s Stats) MACs() int64 {
	var n int64
	for _, l := range s.Layers {
		n += l.MACs
	}
	return n
}
