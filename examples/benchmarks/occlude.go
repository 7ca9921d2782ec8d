package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"occlude/examples/benchmarks/internal/process"
	"occlude/lang"
)

// occlude runs the binary and reads what it reports of itself.
type occlude struct {
	settings
	binary  string
	version string
	heat    string // file for heat maps
}

// newOcclude builds the binary, unless one was given.
func newOcclude(ctx context.Context, s settings, scratch string) (*occlude, error) {
	o := &occlude{settings: s, binary: s.occlude, heat: filepath.Join(scratch, "heat.json")}
	if o.binary == "" {
		var err error
		if o.binary, err = process.Occlude(ctx, scratch); err != nil {
			return nil, err
		}
	}
	version, _, err := process.Run(ctx, o.binary, "version")
	o.version, _, _ = strings.Cut(strings.TrimSpace(string(version)), "\n")
	return o, err
}

// facts are what Occlude says of a model.
type facts struct {
	width, height, channels int
	output                  string // what its scores are: softmax where logits became probabilities
}

// query runs statements on a model and decodes the one JSON value they print.
func (o *occlude) query(ctx context.Context, file, statements string, into any) (peak int64, err error) {
	text := fmt.Sprintf("SET threads = %d; CREATE MODEL m FROM %s WITH (mean = %g, std = %g); %s",
		o.threads, lang.String{Value: file}, mean, std, statements)
	return process.Query(ctx, o.binary, text, into)
}

func (o *occlude) facts(ctx context.Context, file string) (f facts, err error) {
	var models []struct{ Input, Output string }
	if _, err := o.query(ctx, file, "SHOW MODELS", &models); err != nil {
		return f, err
	}
	f.output = models[0].Output
	_, err = fmt.Sscanf(models[0].Input, "%dx%dx%d", &f.width, &f.height, &f.channels)
	return f, err
}

// full measures full inference at the network's positions: the seconds of the
// batches, without reading the image and the pass over the whole one.
func (o *occlude) full(ctx context.Context, n *network) (*result, error) {
	var at []string
	for _, p := range n.positions {
		at = append(at, fmt.Sprintf("(%d, %d)", p[0], p[1]))
	}
	r, actual, err := o.explain(ctx, n, "AT "+strings.Join(at, ", "), "full")
	if err != nil {
		return nil, err
	}
	r.seconds = actual.UpdateSeconds / float64(len(n.positions))
	return r, nil
}

// incremental measures an exact heat map from reading the image to writing the
// answer.
func (o *occlude) incremental(ctx context.Context, n *network) (*result, error) {
	r, actual, err := o.explain(ctx, n, fmt.Sprintf("STRIDE %d", o.stride), "incremental")
	if err != nil {
		return nil, err
	}
	r.seconds = actual.RunSeconds
	return r, nil
}

// actual is a part of what EXPLAIN ANALYZE reports.
type actual struct {
	RunSeconds    float64 `json:"run_seconds"`
	UpdateSeconds float64 `json:"update_seconds"`
}

// explain runs a plan on the network's image at some positions.
func (o *occlude) explain(ctx context.Context, n *network, where, plan string) (*result, actual, error) {
	var report struct{ Actual actual }
	statement := fmt.Sprintf("EXPLAIN (ANALYZE, FORMAT JSON) OCCLUDE %s USING m PATCH %d %s FILL gray INTO %s WITH (plan = '%s')",
		lang.String{Value: n.image.png}, o.patch, where, lang.String{Value: o.heat}, plan)
	peak, err := o.query(ctx, n.file, statement, &report)
	if err != nil {
		return nil, actual{}, err
	}
	text, err := os.ReadFile(o.heat)
	if err != nil {
		return nil, actual{}, err
	}
	var rows []struct {
		X, Y    int
		ClassID int `json:"class_id"`
		P       float64
	}
	if err := json.Unmarshal(text, &rows); err != nil {
		return nil, actual{}, err
	}
	r := &result{peak: peak, version: o.version, p: map[[2]int]float64{}}
	for _, row := range rows {
		r.p[[2]int{row.X, row.Y}], r.class = row.P, row.ClassID
	}
	return r, report.Actual, nil
}
