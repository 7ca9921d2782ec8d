package planner

import (
	"occlude/internal/network"
	"occlude/operators"
	"occlude/operators/lattice"
	"occlude/operators/region"
	"occlude/planner/cost"
)

// Names of physical plans, for people. What a plan does is in its rectangles and
// stages.
const (
	PlanFull        = "full"
	PlanIncremental = "incremental"
	PlanApproximate = "approximate"
)

// Candidate is one way to compute a heat map, with what it is expected to cost
// for each image.
type Candidate struct {
	Name string
	// Rects say what is computed at a position, Stages at which positions, one
	// stage after the other.
	Rects  Rectangles
	Stages []Stage
	// DrillDown is where the stages come from, nil for plans of one stage.
	DrillDown *DrillDown
	// Adaptive is how positions are chosen while the plan runs, nil where Stages
	// say it beforehand. Of an adaptive plan Stages has one, with what is expected
	// of all, and Rects are those of positions that are computed exactly.
	Adaptive *Adaptive

	// Views are those of a query before that the plan computes with, nil for a base pass
	// of its own.
	Views *Views

	// Device is the GPU that computes it, nil for the processor.
	Device *Device

	Threads int // workers; on a GPU they take turns, at most two
	Batch   int // positions a worker computes together, on a GPU in one launch a layer
	// ArenaBytes is what each worker takes at once for all that it computes, of the device's
	// memory on a GPU; 0 where that shows while the plan runs.
	ArenaBytes int64
	Forced     bool // by a hint
	Estimate   Estimate
	Layers     []LayerEstimate // by layer Index
	// Algorithms is how each layer is computed, by Index, in the base pass as in
	// the updates; "" for layers that are no convolutions. A GPU has its own, see
	// package gpu.
	Algorithms []operators.Algorithm
	// Order is the order in which to compute positions, as indices of
	// Grid.Positions: those whose rectangles have equal shapes at all layers
	// stand together. Every stage keeps to it.
	Order []int32
	// Levels, if not nil, are those that Order goes through first, from coarse to fine.
	Levels *lattice.Levels
	// FullFrom is the Index of the first layer from which on every layer is
	// computed whole at every position; the number of layers when there is none.
	FullFrom int
	Reason   string // why it was chosen, or why not

	refused error         // why it cannot run, nil if it can
	off     []string      // the settings that rule it out
	updates []cost.Amount // what each layer does, by Index
	shapes  *shapes       // of the positions
}

// Possible tells whether a candidate could run, were it chosen.
func (c *Candidate) Possible() bool { return c.refused == nil && len(c.off) == 0 }

// title names a candidate among those of all devices.
func (c *Candidate) title() string {
	if c.Device == nil {
		return c.Name
	}
	return c.Name + " on " + c.Device.Name
}

// Positions is how many positions are expected to be computed.
func (c *Candidate) Positions() int {
	n := 0
	for _, s := range c.Stages {
		n += s.Positions
	}
	return n
}

// RectangleRule tells how much of a layer is computed at a position.
type RectangleRule int

// The rules, from the most to the least.
const (
	// Whole computes everything, and reads no view but the image's and those of
	// constants.
	Whole RectangleRule = iota
	// Traced computes what changes, and reads the rest from the views.
	Traced
	// Thresholded computes of what changes at most a share of each layer's width
	// and height.
	Thresholded
	// Compensated does so too, and what that leaves out is estimated to first order
	// (see package compensation).
	Compensated
)

// Rectangles is a rule for the rectangle of each layer at a position.
type Rectangles struct {
	Rule RectangleRule
	Tau  float64 // of Thresholded and Compensated, in (0, 1]
	// Until is, of Compensated, the Index of the last layer that is computed; what
	// it means for all others is estimated. 0 for all of them.
	Until int
}

// At gives the rectangle to compute of each layer for an occlusion of the
// rectangle patch, and whether the result is exact. The slice to reuse is written
// when it is long enough.
func (r Rectangles) At(net *network.Network, patch region.Rect, reuse []region.Rect) (rects []region.Rect, exact bool) {
	switch r.Rule {
	case Whole:
		return wholeRects(net, reuse), true
	case Thresholded, Compensated:
		rects, cropped := net.TraceThresholded(patch, r.Tau, reuse)
		if r.Until > 0 {
			clear(rects[r.Until+1:])
			cropped = true
		}
		return rects, !cropped
	}
	return net.Trace(patch, reuse), true
}

// Reads gives the part of the update of its first input that each layer reads when
// it computes the rectangles of At; nil for all. The slice to reuse is written when
// it is long enough.
func (r Rectangles) Reads(net *network.Network, rects, reuse []region.Rect) []region.Rect {
	if r.Rule != Thresholded {
		return nil
	}
	return net.ThresholdedReads(rects, r.Tau, reuse)
}

// wholeRects are the rectangles of full inference: every layer whole, also
// cells that see nothing but padding and never change, for there is no view to
// read them from. Constants are their own view.
func wholeRects(net *network.Network, rects []region.Rect) []region.Rect {
	if cap(rects) < len(net.Layers) {
		rects = make([]region.Rect, len(net.Layers))
	}
	rects = rects[:len(net.Layers)]
	for i, l := range net.Layers {
		rects[i] = region.Rect{}
		if _, constant := l.Op.(network.Const); !constant {
			rects[i] = l.Shape.Whole()
		}
	}
	return rects
}

// Stage is positions that are computed before the next stage begins.
type Stage struct {
	// Order lists the positions, as indices of Grid.Positions, where they are
	// known beforehand; nil where Largest says which.
	Order []int32
	// Largest chooses, of this many positions with the largest p_drop, those that
	// no stage before has computed. With several classes a position counts by
	// its largest p_drop over the classes.
	Largest int
	// Enlarge, if not nil, fills in the positions that are not computed from
	// those that are, when the stage is done.
	Enlarge *lattice.Lattice

	// Expected for each image.
	Positions int
	Seconds   float64 // elapsed
	MACs      int64
}

// DrillDown is adaptive drill-down as it was asked for and as it will be done, see
// package lattice.
type DrillDown struct {
	Fraction float64 // of the positions that is computed again
	Speedup  float64 // that was asked for
	// WantedW and WantedH are the coarse stride S1 of the formula, in pixels, and
	// StrideW and StrideH the one used: the next multiple of the grid's.
	WantedW, WantedH float64
	StrideW, StrideH int
}

// Estimate is the expected cost of an image's heat map.
type Estimate struct {
	Seconds      float64 // elapsed, all of it
	Least, Most  float64 // what nine of ten queries can be expected to take
	BaseSeconds  float64 // of it, the base pass
	WriteSeconds float64 // of it, reading the image, drawing and writing
	MACs         int64   // multiply-adds, base pass included
	BaseMACs     int64
	// BackwardSeconds and BackwardMACs are, of it, those of the backward pass, 0 for
	// plans without one.
	BackwardSeconds float64
	BackwardMACs    int64
	// PeakBytes is all of Memory, and ViewBytes the views while positions are computed.
	PeakBytes, ViewBytes int64
	Memory               Memory
	// OnGPU is what it takes of the GPU, nil on the processor.
	OnGPU *OnGPU
	// Error is the expected rounding error of the probabilities that are computed.
	Error float64
}

// LayerEstimate sums a layer's work over the positions that are expected to be
// computed.
type LayerEstimate struct {
	Seconds float64 // elapsed
	Work    network.Work
	Cells   int64
	Runs    int64 // positions at which the layer changes at all
	Whole   int64 // of them, those at which all of it changes
	// Min and Max are the least and the greatest area of the update rectangle,
	// as rectangles, over the positions at which the layer changes.
	Min, Max region.Rect
}
