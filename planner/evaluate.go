package planner

import (
	"strings"

	"occlude/operators/region"
)

// Evaluate is how faithful heat maps are to the model, by some metrics.
type Evaluate struct {
	text
	Query   *Occlude // the maps
	Metrics []Metric
	// Walk is full inference of an image for every step of a curve, as a query whose
	// patches are as large as the image: how the steps are computed, and what they
	// take. Nil where no metric has a curve. Where Incremental is set a step
	// computes only what differs from one of the curve's two ends; it keeps the views
	// of both.
	Walk        *Occlude
	Incremental bool
	Steps       int  // of a curve, from its first image to its last
	Even        bool // the steps are equally wide, not close together at first
	// Random is how many maps with the same values in other places are walked, too, to
	// compare a score with; Seed decides on the places.
	Random, Seed int
	Margin       float64 // around a box, in pixels, that still counts for pointing
}

// MetricKind is a way to judge a map.
type MetricKind int

// The metrics. Package faithfulness defines them.
const (
	Deletion MetricKind = iota
	Insertion
	Pointing
	Energy
)

// Metric is one of the scores.
type Metric struct {
	Kind MetricKind
	Text string // as written, in canonical form
	Fill Fill   // of curves: what stands in for pixels that are not there
	Box  Box    // of places: what the map should point at
}

// Name is the metric's own name, without arguments.
func (m Metric) Name() string { return metricNames[m.Kind] }

var metricNames = []string{Deletion: "deletion", Insertion: "insertion", Pointing: "pointing", Energy: "energy"}

// Curved tells whether a metric is the area under a curve.
func (m Metric) Curved() bool { return m.Kind == Deletion || m.Kind == Insertion }

// Direction says which scores are good ones.
func (m Metric) Direction() string {
	if m.Kind == Deletion {
		return "lower is better"
	}
	return "higher is better"
}

// Box is a part of the model's input: a rectangle, or the pixels of a picture that are
// not black.
type Box struct {
	Rect region.Rect
	Mask string // a file, which may hold {image}; "" for the rectangle
}

// For is the file of the mask for an image.
func (b Box) For(image string) string { return Output{Path: b.Mask}.For(image) }

// curved tells whether any metric has a curve.
func (p *Evaluate) curved() bool {
	for _, m := range p.Metrics {
		if m.Curved() {
			return true
		}
	}
	return false
}

// StepsEach is how many images the curves of one image look at between their ends.
func (p *Evaluate) StepsEach() int {
	curves := 0
	for _, m := range p.Metrics {
		if m.Curved() {
			curves++
		}
	}
	return curves * p.Query.Target.Count() * (1 + p.Random) * (p.Steps - 1)
}

// Formats implements Formatted: scores are rows, and curves a picture and an array.
func (p *Evaluate) Formats() []string {
	if p.curved() {
		return []string{WritePNG, WriteNPY, WriteCSV, WriteJSON}
	}
	return []string{WriteCSV, WriteJSON}
}

// perImage tells whether a box is another one for each image.
func (b Box) perImage() bool { return strings.Contains(b.Mask, ImagePlaceholder) }
