package main

import (
	"occlude/examples/benchmarks/internal/journal"
	"occlude/internal/quality"
)

// record is what was measured of one query. The fields' JSON names are read by
// the program that draws the curves.
type record struct {
	Model   string  `json:"model"`
	Image   string  `json:"image"`
	Family  string  `json:"family"`
	Setting float64 `json:"setting"` // of the family: a target, a tau, a part of the exact time
	Seed    int     `json:"seed"`
	Query   string  `json:"query"`

	Seconds   float64 `json:"seconds"` // of the statement, in a session that has the model
	Parts     parts   `json:"parts"`
	Process   float64 `json:"process,omitempty"` // seconds of a process that does nothing else
	Load      float64 `json:"load,omitempty"`    // of that, reading and preparing the model
	Exact     float64 `json:"exact"`             // seconds of the exact plan on the same image
	Naive     float64 `json:"naive,omitempty"`   // of ONNX Runtime's naive inference, from some positions
	Limit     float64 `json:"limit,omitempty"`   // seconds that the query was given
	Evaluated int     `json:"evaluated"`
	Positions int     `json:"positions"`

	Figures figures `json:"figures"`
	Claim   *claim  `json:"claim,omitempty"`
}

// parts are what a statement's seconds went to; what they leave of it is reading
// the image, writing the picture and the like.
type parts struct {
	Plan     float64 `json:"plan"`
	Base     float64 `json:"base"`
	Backward float64 `json:"backward"`
	Updates  float64 `json:"updates"`
	Estimate float64 `json:"estimate"`
}

// figures compare a map with the exact one.
type figures struct {
	Range   float64 `json:"range"` // of the exact map, in probability
	SSIM    float64 `json:"ssim"`
	Krypton float64 `json:"ssim_krypton"`
	Pearson float64 `json:"pearson"`
	NRMSE   float64 `json:"nrmse"`
	Top10   float64 `json:"top10_overlap"`
}

func newFigures(f quality.Figures) figures {
	return figures{f.Range, f.SSIM, f.SSIMKrypton, f.Pearson, f.NRMSE, f.Top10Overlap}
}

// claim is what a query said of its own map.
type claim struct {
	SSIM    float64  `json:"ssim"`
	Lower   float64  `json:"ssim_lower"`
	Pearson float64  `json:"pearson"`
	Top10   float64  `json:"top10_overlap"`
	Reached bool     `json:"reached"`
	Notes   []string `json:"notes,omitempty"`
}

// key is what makes a measurement another one.
type key struct {
	model, image, family string
	setting              float64
	seed                 int
}

func (r *record) key() key { return key{r.Model, r.Image, r.Family, r.Setting, r.Seed} }

// log are the records, which go to a file as they come.
type log = journal.Journal[key, record]
