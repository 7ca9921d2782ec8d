package planner

import "occlude/operators"

// Actuals are what running a plan on one image really took, filled in by the
// executor beside the plan's estimates.
type Actuals struct {
	Image       string
	Class       string  // the first class explained
	P0          float64 // its probability on the whole image
	Load        float64 // seconds of reading and preparing the model, where this query did it
	Plan        float64 // seconds from text to physical plan
	Run         float64 // seconds of everything after that
	BaseSeconds float64 // of Run, the base pass
	// Kept tells that the views were those of a query before: there was no base pass.
	Kept bool
	// BackwardSeconds are, of Run, the backward pass and the plan's feature, where it
	// has one, and BackwardMACs the feature's multiply-adds, of Updates.
	BackwardSeconds float64
	BackwardMACs    int64
	// UpdateSeconds is, of Run, the time from the first position to the last.
	UpdateSeconds float64
	Positions     int             // computed
	Stages        []StageActuals  // as the plan has them
	Base          operators.Stats // of the base pass
	Updates       operators.Stats // of all positions, all workers together
	ViewBytes     int64
	PeakBytes     int64 // all of Memory
	Memory        Memory
	// OnDevice is what the plan's GPU held at once, nil for plans of the processor. What it
	// did else is in Base and Updates.
	OnDevice *DeviceMemory
}

// DeviceMemory is what a GPU holds when a query holds the most of its memory, in bytes.
type DeviceMemory struct {
	Weights int64
	Views   int64 // of an image
	Workers int64 // updates, and what patches are cut from
}

// Total is all of it.
func (m DeviceMemory) Total() int64 { return m.Weights + m.Views + m.Workers }

// StageActuals are what one stage of a plan took.
type StageActuals struct {
	Positions int // computed, but for sketches
	Sketches  int // computed cheaply, of adaptive plans
	Seconds   float64
	MACs      int64
	// EstimateSeconds are, of Seconds, those in which the map was estimated and
	// judged, 0 where it was not. SSIM is what was then expected of it, and
	// SSIMLower its lower bound, of the class with the least.
	EstimateSeconds, SSIM, SSIMLower float64
}

// MACs is the number of multiply-adds, base pass included.
func (a *Actuals) MACs() int64 { return a.Base.MACs() + a.Updates.MACs() }
