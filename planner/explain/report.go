package explain

import (
	"occlude/planner"
)

// Version is the version of the JSON schema.
const Version = 1

// Report is one explained plan.
type Report struct {
	Version    int         `json:"version"`
	Statement  string      `json:"statement"` // the explained query
	Options    []string    `json:"options"`   // the sections asked for: analyze, alternatives, layers, rules
	Model      Model       `json:"model"`
	Images     []string    `json:"images"`
	Target     Target      `json:"target"`
	Grid       Grid        `json:"grid"`
	Fill       string      `json:"fill"`
	Goal       *Goal       `json:"goal,omitempty"` // beside the positions
	Outputs    []Output    `json:"outputs"`
	Table      string      `json:"table,omitempty"`   // that takes the heat maps
	Warning    string      `json:"warning,omitempty"` // that they will not be like those it has
	Colormap   string      `json:"colormap,omitempty"`
	Plan       Plan        `json:"plan"`
	RuledOut   []string    `json:"ruled_out"` // by settings that are off: their names
	Profile    Profile     `json:"cost_profile"`
	Operators  *Operator   `json:"operators"`
	Candidates []Candidate `json:"candidates"`       // the chosen one first
	Rules      []Rule      `json:"rules"`            // those that fired; with RULES all
	Layers     []Layer     `json:"layers,omitempty"` // with LAYERS
	Actual     *Actual     `json:"actual,omitempty"` // with ANALYZE
}

// Model names the model of a query.
type Model struct {
	Name     string `json:"name"`
	File     string `json:"file"`
	Hash     string `json:"sha256"`
	Width    int    `json:"width"`
	Height   int    `json:"height"`
	Channels string `json:"channels"`
	Resize   string `json:"resize"`
	Classes  int    `json:"classes"`
	Layers   int    `json:"layers"` // after the rewrites
}

// Target says which classes are explained: the most probable ones, or these.
type Target struct {
	Top     int     `json:"top,omitempty"`
	Classes []Class `json:"classes,omitempty"`
}

// Class is a class by number and label.
type Class struct {
	ID    int    `json:"id"`
	Label string `json:"label"`
}

// Size is a width and a height in pixels or cells.
type Size struct {
	Width  int `json:"width"`
	Height int `json:"height"`
}

// Grid is where the patch is put. A list of positions (AT) has no rows and
// columns.
type Grid struct {
	Patch     Size   `json:"patch"`
	Stride    Size   `json:"stride"`
	Listed    bool   `json:"listed"`
	DropRim   bool   `json:"drop_rim"`
	Rows      int    `json:"rows"`
	Cols      int    `json:"cols"`
	Where     string `json:"where,omitempty"`
	Positions int    `json:"positions"` // after WHERE
}

// Output is a file that the query writes.
type Output struct {
	Path   string `json:"path"`
	Format string `json:"format"`
}

// Plan is the physical plan in short.
type Plan struct {
	Name    string `json:"name"`
	Forced  bool   `json:"forced"`
	Device  string `json:"device"`
	Threads int    `json:"threads"` // workers
	// NoDevice says why a GPU is not used that was asked for, or could have been.
	NoDevice string `json:"no_device,omitempty"`
	GPU      *GPU   `json:"gpu,omitempty"` // nil where the processor computes
	Batch    int    `json:"batch"`
	Seed     int    `json:"seed"` // of random choices
	// ThreadsAllowed are those that settings allow, of which all may not fit.
	ThreadsAllowed int `json:"threads_allowed"`
	// MemoryLimit is what the plan was sized to, in bytes; 0 for no limit.
	MemoryLimit int64 `json:"memory_limit"`
	// Kernels is the set of kernels in use.
	Kernels string `json:"kernels"`
	// Convolution is the algorithm that a hint forces, or auto; Algorithms is
	// what the convolutions are computed by, FullyConnected, on a GPU, what
	// fully-connected layers are.
	Convolution    string           `json:"convolution"`
	Algorithms     []AlgorithmCount `json:"algorithms"`
	FullyConnected []AlgorithmCount `json:"fully_connected,omitempty"`
	// Error is the expected rounding error of the probabilities, Tolerance the
	// most that was allowed.
	Error     float64 `json:"expected_error"`
	Tolerance float64 `json:"tolerance"`
	// FullFrom is the first layer from which on every layer is computed whole at
	// every position, nil when there is none.
	FullFrom *LayerRef `json:"full_from"`
	// Kept are the views of a query before that the plan computes with, nil for a base
	// pass.
	Kept *KeptViews `json:"kept_views,omitempty"`
	// MACs are the plan's multiply-adds for one image, base pass included,
	// FullMACs those of full inference at the same positions.
	MACs     int64 `json:"multiply_adds"`
	FullMACs int64 `json:"multiply_adds_full"`
	// Speedup is FullMACs over MACs.
	Speedup float64 `json:"multiply_adds_speedup"`
	// Order is from coarse to fine; nil where nothing asks for that.
	Order *Order `json:"order,omitempty"`
	// Approximation is what an approximate plan does; nil for exact ones.
	Approximation *Approximation `json:"approximation,omitempty"`
}

// Order is that of the positions, from coarse to fine; in each stage, where there are
// several.
type Order struct {
	By     string `json:"by"`     // what asks for it: clause or setting
	Levels []int  `json:"levels"` // how many positions of the grid each adds, the coarsest first
}

// KeptViews are views that a query before has left.
type KeptViews struct {
	Bytes int64 `json:"bytes"` // of an image
}

// Approximation is how a plan approximates.
type Approximation struct {
	// Tau is the most of a layer's width and height that is computed; 0 for all
	// that changes.
	Tau float64 `json:"tau,omitempty"`
	// DrillDown is nil where every position is computed.
	DrillDown *DrillDown `json:"drill_down,omitempty"`
	// Positions are those expected to be computed, Speedup all over them.
	Positions int     `json:"positions"`
	Speedup   float64 `json:"positions_speedup"`
	Stages    []Stage `json:"stages,omitempty"`
	// Sampling is nil where the positions are known beforehand.
	Sampling *Sampling `json:"sampling,omitempty"`
}

// DrillDown is adaptive drill-down.
type DrillDown struct {
	Fraction float64 `json:"fraction"`
	Speedup  float64 `json:"speedup"` // that was asked for
	// Wanted is the coarse stride of the formula, Stride the one used.
	Wanted Stride `json:"stride_wanted"`
	Stride Size   `json:"stride"`
}

// Stride is a stride that need not be whole.
type Stride struct {
	Width  float64 `json:"width"`
	Height float64 `json:"height"`
}

// Stage is a part of the positions.
type Stage struct {
	Positions int          `json:"positions"`         // expected
	Largest   int          `json:"largest,omitempty"` // p_drops of which the unknown ones are computed
	Seconds   float64      `json:"seconds"`
	MACs      int64        `json:"multiply_adds"`
	Actual    *StageActual `json:"actual,omitempty"` // with ANALYZE
}

// StageActual is what a stage took.
type StageActual struct {
	Positions int     `json:"positions"`
	Seconds   float64 `json:"seconds"`
	MACs      int64   `json:"multiply_adds"`
}

// AlgorithmCount is how many layers are computed by an algorithm.
type AlgorithmCount struct {
	Algorithm string `json:"algorithm"`
	Layers    int    `json:"layers"`
}

// LayerRef names a layer.
type LayerRef struct {
	Index int    `json:"index"`
	Name  string `json:"name"`
}

// Profile says where the cost model's constants come from.
type Profile struct {
	Calibrated bool   `json:"calibrated"`
	Kind       string `json:"kind"`            // default, quick or model
	Model      string `json:"model,omitempty"` // that it was calibrated with
	CPU        string `json:"cpu"`
	Measured   string `json:"measured"` // the day, or the time in UTC
	// Age is how many seconds that is ago, 0 where nobody knows.
	Age float64 `json:"age_seconds,omitempty"`
}

// Amount is what something costs for one image.
type Amount struct {
	Seconds float64 `json:"seconds"` // elapsed
	MACs    int64   `json:"multiply_adds"`
	Bytes   int64   `json:"bytes"`
}

// Operator is a node of the operator tree. The root's amounts are totals, the
// others' their own; nil where a node has none that is counted apart.
type Operator struct {
	Name     string      `json:"name"`
	Detail   string      `json:"detail"`
	Estimate *Amount     `json:"estimate,omitempty"`
	Actual   *Amount     `json:"actual,omitempty"`
	Inputs   []*Operator `json:"inputs,omitempty"`
}

// Candidate is a plan that was considered.
type Candidate struct {
	Name       string           `json:"name"`
	Device     string           `json:"device"`
	Chosen     bool             `json:"chosen"`
	Reason     string           `json:"reason"`
	Positions  int              `json:"positions"` // expected to be computed
	Threads    int              `json:"threads"`
	Batch      int              `json:"batch"`
	GPU        *GPU             `json:"gpu,omitempty"`
	FullFrom   *LayerRef        `json:"full_from"`
	Algorithms []AlgorithmCount `json:"algorithms"` // of convolutions

	FullyConnected []AlgorithmCount `json:"fully_connected,omitempty"` // on a GPU
	Estimate       Estimate         `json:"estimate"`
}

// Estimate is the expected cost of an image's heat map.
type Estimate struct {
	Seconds      float64 `json:"seconds"`       // elapsed, all of it
	Least        float64 `json:"least_seconds"` // that nine of ten queries can be expected to take
	Most         float64 `json:"most_seconds"`
	BaseSeconds  float64 `json:"base_seconds"`  // of it, the base pass
	WriteSeconds float64 `json:"write_seconds"` // of it, reading the image, drawing and writing
	MACs         int64   `json:"multiply_adds"` // base pass included
	BaseMACs     int64   `json:"base_multiply_adds"`
	PeakBytes    int64   `json:"peak_bytes"` // all of Memory
	ViewBytes    int64   `json:"view_bytes"` // the views while positions are computed
	Memory       Memory  `json:"memory"`
	// Error is the expected rounding error of the probabilities.
	Error float64 `json:"expected_error"`
}

// Rule is a rewrite rule and what it did to the network.
type Rule struct {
	Name   string   `json:"name"`
	Doc    string   `json:"doc"`
	Count  int      `json:"count"`
	Layers []string `json:"layers,omitempty"`
	Off    bool     `json:"off,omitempty"` // by its setting
}

// Layer is a layer's share of a plan.
type Layer struct {
	Index  int    `json:"index"`
	Name   string `json:"name"`
	Kind   string `json:"operation"`
	Detail string `json:"detail,omitempty"`
	Inputs []int  `json:"inputs"` // indices of layers
	Shape  Shape  `json:"shape"`
	Update Update `json:"update"`
	// FullMACs and IncrementalMACs are those of all positions, base pass not
	// included. If the plan is an approximate one, IncrementalMACs are its own.
	FullMACs        int64   `json:"multiply_adds_full"`
	IncrementalMACs int64   `json:"multiply_adds_incremental"`
	Seconds         float64 `json:"seconds"` // of the chosen plan, elapsed
	// Algorithm computes a convolution in the chosen plan; "" for other layers.
	Algorithm string `json:"algorithm,omitempty"`
	// Actual holds what was measured, with ANALYZE.
	Actual *LayerActual `json:"actual,omitempty"`
}

// Shape is the size of a feature map.
type Shape struct {
	Height   int `json:"height"`
	Width    int `json:"width"`
	Channels int `json:"channels"`
}

// Update says what incremental inference has to compute of a layer, or an
// approximate plan computes.
type Update struct {
	Min       Size    `json:"min"` // rectangles of least and greatest area,
	Max       Size    `json:"max"` // over the positions at which the layer changes
	MeanCells float64 `json:"mean_cells"`
	MeanShare float64 `json:"mean_share"` // of the map, 0 to 1
	Changed   float64 `json:"changed"`    // share of positions at which the layer changes
	Whole     float64 `json:"whole"`      // share at which all of it does
}

// LayerActual is what a layer took over all positions.
type LayerActual struct {
	Seconds float64 `json:"seconds"` // workers' time over the number of threads
	MACs    int64   `json:"multiply_adds"`
}

// Actual is what one image really took.
type Actual struct {
	Image         string  `json:"image"`
	Class         string  `json:"class"`
	P0            float64 `json:"p0"`
	Positions     int     `json:"positions"`          // computed, but for sketches
	Sketches      int     `json:"sketches,omitempty"` // computed cheaply, of plans that sample
	LoadSeconds   float64 `json:"load_seconds"`
	PlanSeconds   float64 `json:"plan_seconds"`
	RunSeconds    float64 `json:"run_seconds"`
	BaseSeconds   float64 `json:"base_seconds"`
	Kept          bool    `json:"views_kept,omitempty"` // by a query before: there was no base pass
	UpdateSeconds float64 `json:"update_seconds"`
	MACs          int64   `json:"multiply_adds"`
	BaseMACs      int64   `json:"base_multiply_adds"`
	PeakBytes     int64   `json:"peak_bytes"`
	ViewBytes     int64   `json:"view_bytes"`
	Memory        Memory  `json:"memory"`
	// Device is what the GPU did, nil for plans of the processor.
	Device *DeviceActual `json:"device,omitempty"`
}

// New makes the report of a plan; actual is what running it took, nil without
// ANALYZE.
func New(e *planner.Explain, actual *planner.Actuals) *Report {
	b := builder{explain: e, query: e.Query, actual: actual}
	return b.report()
}
