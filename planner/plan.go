package planner

import (
	"time"

	"occlude/internal/model"
	"occlude/internal/network"
	"occlude/operators"
	"occlude/operators/region"
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
	}
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

// Copy writes what a query returns to a file.
type Copy struct {
	text
	Query Plan
	Out   Output
}

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
	Colormap string
	Where    string // the condition's text, "" for none

	// How it is computed.
	Net        *network.Network // after the rewrites
	Fired      []rewrite.Fired
	Candidates []*Candidate // all that were considered, the chosen one first
	Threads    int
	Device     string
	Kernels    string  // the set of kernels, as SET kernels names it
	Tolerance  float64 // most expected error of the probabilities
	// Convolution is ConvolutionAuto, or the algorithm that a hint forces.
	Convolution string
	Seed        int // of random choices; exact plans make none
	Profile     *cost.Profile
	Planning    time.Duration // filled in by the engine
}

// Chosen is the physical plan that will run.
func (p *Occlude) Chosen() *Candidate { return p.Candidates[0] }

// Rects gives the rectangle to compute of each layer for an occlusion at pos,
// in the chosen plan. The slice to reuse is written when it is long enough; the
// result may be shared by all positions and must not be changed.
func (p *Occlude) Rects(pos Position, reuse []region.Rect) []region.Rect {
	return p.Chosen().rects(p.Net, p.Grid, pos, reuse)
}

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

// Names of physical plans.
const (
	PlanFull        = "full"
	PlanIncremental = "incremental"
	PlanApproximate = "approximate"
)

// Candidate is one way to compute a heat map, with what it is expected to cost
// for each image.
type Candidate struct {
	Name     string
	Batch    int  // positions a worker computes together
	Forced   bool // by a hint
	Estimate Estimate
	Layers   []LayerEstimate // by layer Index
	// Algorithms is how each layer is computed, by Index, in the base pass as in
	// the updates; "" for layers that are no convolutions.
	Algorithms []operators.Algorithm
	// Order is the order in which to compute the positions, as indices of
	// Grid.Positions: those whose rectangles have equal shapes at all layers
	// stand together.
	Order []int32
	// FullFrom is the Index of the first layer from which on every layer is
	// computed whole at every position; the number of layers when there is none.
	FullFrom int
	Reason   string // why it was chosen, or why not

	refused error // why it cannot run, nil if it can
	// whole holds the rectangles of full inference, the same at every position;
	// nil for other plans.
	whole []region.Rect
}

// Estimate is the expected cost of an image's heat map.
type Estimate struct {
	Seconds      float64 // elapsed, all of it
	BaseSeconds  float64 // of it, the base pass
	WriteSeconds float64 // of it, reading the image, drawing and writing
	MACs         int64   // multiply-adds, base pass included
	BaseMACs     int64
	PeakBytes    int64 // activations: views and patches of all workers
	ViewBytes    int64 // of it, the materialized views
	// Error is the expected rounding error of the probabilities.
	Error float64
}

// LayerEstimate sums a layer's work over all positions.
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

func (c *Candidate) rects(net *network.Network, g Grid, pos Position, reuse []region.Rect) []region.Rect {
	if c.whole != nil {
		return c.whole
	}
	return net.Trace(g.Rect(pos), reuse)
}

// wholeRects are the rectangles of full inference: every layer whole, also
// cells that see nothing but padding and never change, for there is no view to
// read them from. Constants are their own view.
func wholeRects(net *network.Network) []region.Rect {
	rects := make([]region.Rect, len(net.Layers))
	for i, l := range net.Layers {
		if _, constant := l.Op.(network.Const); !constant {
			rects[i] = l.Shape.Whole()
		}
	}
	return rects
}
