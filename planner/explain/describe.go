package explain

import (
	"occlude/internal/network"
	"occlude/operators/region"
	"occlude/planner"
)

// ModelReport is what DESCRIBE MODEL shows.
type ModelReport struct {
	Version       int           `json:"version"`
	Name          string        `json:"name"`
	File          string        `json:"file"`
	FileBytes     int64         `json:"file_bytes"`
	Hash          string        `json:"sha256"`
	Producer      string        `json:"producer"`
	Opset         int           `json:"opset"`
	Preprocessing Preprocessing `json:"preprocessing"`
	Output        string        `json:"output"`           // what the scores are: softmax, sigmoid, probabilities, raw
	Added         string        `json:"added,omitempty"`  // the layer that was added to make them so
	Classes       int           `json:"classes"`          // scores that come out
	Labels        []string      `json:"labels,omitempty"` // one per class
	Parameters    int           `json:"parameters"`       // after the rewrites, as in all that follows
	MACs          int64         `json:"multiply_adds"`    // of one inference
	ViewBytes     int64         `json:"activation_bytes"` // of all layers' outputs, one image
	Patch         Size          `json:"patch"`            // whose projective field is shown
	Layers        []ModelLayer  `json:"layers"`
	Rules         []Rule        `json:"rules"` // those that fired
	Speedups      []Speedup     `json:"speedups"`
	Profile       Profile       `json:"cost_profile"`
	Curves        []Curve       `json:"curves"` // of ANALYZE MODEL
}

// Preprocessing says how a picture becomes the input.
type Preprocessing struct {
	Width    int       `json:"width"`
	Height   int       `json:"height"`
	Assumed  bool      `json:"size_assumed"` // the file leaves the size open
	Channels string    `json:"channels"`
	Resize   string    `json:"resize"`
	Window   string    `json:"window"` // of DICOM files
	Scale    float32   `json:"scale"`
	Mean     []float32 `json:"mean"`
	Std      []float32 `json:"std"`
}

// ModelLayer is a layer of a model.
type ModelLayer struct {
	Index      int    `json:"index"`
	Name       string `json:"name"`
	Kind       string `json:"operation"`
	Detail     string `json:"detail,omitempty"`
	Inputs     []int  `json:"inputs"`
	Shape      Shape  `json:"shape"`
	Parameters int    `json:"parameters"`
	MACs       int64  `json:"multiply_adds"`
	// Receptive is the part of the image that a value sees, in pixels.
	Receptive Field `json:"receptive_field"`
	// Projective is the part of the layer that a patch in the middle of the
	// image changes, in cells.
	Projective Field `json:"projective_field"`
}

// Field is the extent of a receptive or projective field.
type Field struct {
	Width  int  `json:"width"`
	Height int  `json:"height"`
	Whole  bool `json:"whole"` // the whole image, or the whole map
}

// describedPatch is the side of the patch whose projective field is shown.
const describedPatch = 16

// Describe makes the report of a model. It runs no inference.
func Describe(d *planner.Describe) *ModelReport {
	m, net := d.Model, d.Net
	in := net.Input().Shape
	patch := region.Of((in.W-min(describedPatch, in.W))/2, (in.H-min(describedPatch, in.H))/2,
		min(describedPatch, in.W), min(describedPatch, in.H))
	r := &ModelReport{
		Version: Version, Name: m.Name, File: m.Path, FileBytes: m.Bytes, Hash: m.Hash,
		Producer: m.Producer, Opset: m.Opset,
		Preprocessing: Preprocessing{
			Width: m.Spec.Width, Height: m.Spec.Height, Assumed: m.Assumed, Channels: m.Spec.Channels.String(),
			Resize: m.Spec.Resize.String(), Window: m.Spec.Window.String(), Scale: m.Spec.Scale,
			Mean: append([]float32{}, m.Spec.Mean...), Std: append([]float32{}, m.Spec.Std...),
		},
		Output: m.Output, Added: m.Added, Classes: m.Classes, Labels: m.Labels,
		Parameters: net.Params(), MACs: net.Work().MACs,
		Patch: Size{patch.W(), patch.H()}, Rules: rules(d.Fired, false, nil), Speedups: speedups(net),
		Profile: profile(d.Profile, 0), Curves: curves(d.Curves),
	}
	receptive := receptiveFields(net)
	projective := net.Trace(patch, nil)
	for i, l := range net.Layers {
		r.ViewBytes += int64(l.Shape.Len()) * 4
		r.Layers = append(r.Layers, ModelLayer{
			Index: i, Name: l.Name, Kind: l.Op.Kind(), Detail: l.Op.Detail(), Inputs: indices(l),
			Shape:      Shape{l.Shape.H, l.Shape.W, l.Shape.C},
			Parameters: l.Params(), MACs: l.Work(l.Shape.Whole()).MACs,
			Receptive: receptive[i],
			Projective: Field{projective[i].W(), projective[i].H(),
				projective[i].IsWhole(l.Shape.H, l.Shape.W)},
		})
	}
	return r
}

func indices(l *network.Layer) []int {
	in := make([]int, len(l.In))
	for i, p := range l.In {
		in[i] = p.Index
	}
	return in
}

// Columns names the columns of Rows.
func (m *ModelReport) Columns() []string {
	return []string{
		"layer", "name", "operation", "detail", "height", "width", "channels", "parameters", "multiply_adds",
		"receptive_width", "receptive_height", "receptive_whole",
		"projective_width", "projective_height", "projective_whole",
	}
}

// Rows is the layer table as a relation, for csv and tsv.
func (m *ModelReport) Rows() [][]any {
	rows := make([][]any, len(m.Layers))
	for i, l := range m.Layers {
		rows[i] = []any{
			l.Index, l.Name, l.Kind, l.Detail, l.Shape.Height, l.Shape.Width, l.Shape.Channels, l.Parameters, l.MACs,
			l.Receptive.Width, l.Receptive.Height, l.Receptive.Whole,
			l.Projective.Width, l.Projective.Height, l.Projective.Whole,
		}
	}
	return rows
}
