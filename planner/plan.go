package planner

import (
	"time"

	"occlude/internal/curve"
	"occlude/internal/model"
	"occlude/internal/network"
	"occlude/operators"
	"occlude/planner/cost"
	"occlude/planner/rewrite"
)

// Plan is a bound statement: everything named in it was found and checked, and
// the executor can run it without asking again.
type Plan interface {
	// Statement is the statement's canonical text.
	Statement() string
}

// text is embedded by every plan.
type text string

// Statement implements Plan.
func (t text) Statement() string { return string(t) }

// The plans that only touch the session.
type (
	// CreateModel loads a model into the catalog.
	CreateModel struct {
		text
		Name, Path string
		Replace    bool
		Options    model.Options
	}
	// DropModel removes a model from the catalog.
	DropModel struct {
		text
		Name     string
		IfExists bool
	}
	// ShowModels lists the catalog.
	ShowModels struct {
		text
		Models []*model.Model
	}
	// Describe reports what a model is, without running it.
	Describe struct {
		text
		Model *model.Model
		Net   *network.Network // after the rewrites
		Fired []rewrite.Fired
		// Profile predicts its costs, Curves say how the quality of its heat maps
		// falls with tau, where that was measured.
		Profile *cost.Profile
		Curves  []curve.Curve
	}
	// ShowDevices lists what heat maps can be computed on.
	ShowDevices struct{ text }
	// Set changes a setting.
	Set struct {
		text
		Name, Value string
	}
	// Show prints a setting, all of them for "".
	Show struct {
		text
		Name string
	}
	// Reset brings a setting back to its default, all of them for "".
	Reset struct {
		text
		Name string
	}
)

// Predict classifies images.
type Predict struct {
	text
	Model   *model.Model
	Net     *network.Network
	Images  []string
	Top     int
	Threads int
	// Kernels is the set of kernels to use, Algorithms how each layer is
	// computed with it, by Index.
	Kernels    string
	Algorithms []operators.Algorithm
}

// Explain shows a plan, and runs it first with Analyze.
type Explain struct {
	text
	Analyze, Alternatives, Layers, Rules bool
	Format                               string // FormatText, FormatJSON or FormatDOT
	Query                                *Occlude
}

// Formats of EXPLAIN.
const (
	FormatText = "text"
	FormatJSON = "json"
	FormatDOT  = "dot"
)

// Occlude is a heat map query as it will be run: the logical plan (what is
// asked) and the physical one (how it is computed).
type Occlude struct {
	text

	// What is asked.
	Model    *model.Model
	Images   []string
	Target   Target
	Grid     Grid
	Fill     Fill
	Outputs  []Output
	Table    string // that takes the heat maps, "" for none
	Continue bool   // with the other images when one cannot be used
	Colormap string
	Where    string // the condition's text, "" for none
	Goals    Goals
	// Hints are the options that may change the answer, in canonical form.
	Hints string
	// Progressive says why positions are computed coarse to fine: because of the clause or
	// of the setting; "" where they are not.
	Progressive string
	clauses     string // of the query, without those that say in which order or what is written where

	// How it is computed.
	Net        *network.Network // after the rewrites
	Fired      []rewrite.Fired
	Candidates []*Candidate // all that were considered, the chosen one first
	Threads    int
	// Device is the name of what the chosen plan computes on, as SET device names it: cpu
	// for the processor. NoDevice says why a GPU that was asked for, or could have been
	// used, is not; "" where one is, or nobody asked.
	Device, NoDevice string
	// DeviceHinted tells that a hint demands the device: without it the query fails.
	DeviceHinted bool
	// Allowed is how many threads the settings allow, of which all may not fit into the
	// memory.
	Allowed int
	// Off are the settings that rule something out.
	Off []string
	// MemoryLimit is what the plan was sized to, in bytes; 0 for no limit.
	MemoryLimit int64
	// Keeps tells that the plan may go by views that queries before have left, and
	// leaves its own to those after it.
	Keeps     bool
	Kernels   string  // the set of kernels, as SET kernels names it
	Tolerance float64 // most expected error of the probabilities
	// Convolution is ConvolutionAuto, or the algorithm that a hint forces.
	Convolution string
	Seed        int // of random choices, which adaptive plans make
	// Departs says why the plan is not that of the heat maps that Table has; "" where
	// it is, or there are none.
	Departs    string
	Profile    *cost.Profile
	ProfileAge time.Duration // 0 where nobody knows
	Planning   time.Duration // filled in by the engine
	Started    time.Time     // when the statement began; the engine counts reading its text as well
}

// Chosen is the physical plan that will run.
func (p *Occlude) Chosen() *Candidate { return p.Candidates[0] }

// What asks for positions coarse to fine.
const (
	ByClause  = "clause"
	BySetting = "setting"
)

// Target says which classes are explained.
type Target struct {
	Top     int   // the most probable classes of each image; 0 when Classes are named
	Classes []int // class numbers
}

// Count is the number of classes explained.
func (t Target) Count() int {
	if t.Top > 0 {
		return t.Top
	}
	return len(t.Classes)
}

// FillKind says what an occluded pixel becomes.
type FillKind int

// The kinds of fill, all in pixel space (0 to 255) before normalisation.
const (
	FillColor     FillKind = iota // one colour
	FillMeanImage                 // each channel's mean over the image
	FillMeanPatch                 // each channel's mean over the patch
	FillBlur                      // the image under a Gaussian
	FillNoise                     // one uniform noise image for all positions
	FillImage                     // another picture, squashed to the input's size
)

// Fill is what covers the image.
type Fill struct {
	Kind  FillKind
	Color [3]float32 // of FillColor: red, green, blue
	Sigma float64    // of FillBlur, in pixels
	Seed  uint64     // of FillNoise
	Image string     // of FillImage
	Text  string     // as written in canonical form
}

// Output is a file to write.
type Output struct {
	Path   string // may hold {image} for queries over several images
	Format string // one of the Write constants
}

// Formats of output files.
const (
	WritePNG  = "png"
	WriteNPY  = "npy"
	WriteCSV  = "csv"
	WriteJSON = "json"
)
