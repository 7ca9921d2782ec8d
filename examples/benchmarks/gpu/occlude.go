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

// Preprocessing: x = (pixel/255 - mean) / std, the same in all channels.
const mean, std, gray = 0.45, 0.25, 128

// query runs a statement on a network, which it calls m, and decodes the JSON value that it prints.
func (b *bench) query(ctx context.Context, n *result, device, statement string, into any) error {
	text := fmt.Sprintf("SET device = %s; CREATE MODEL m FROM %s WITH (mean = %g, std = %g); %s",
		lang.String{Value: device}, lang.String{Value: filepath.Join(b.dir, n.Network+".onnx")}, mean, std, statement)
	_, err := process.Query(ctx, b.occlude, text, into)
	return err
}

// occluding is the query on a network's image, at some positions or at all.
func (b *bench) occluding(n *result, at []position) string {
	where := fmt.Sprintf("STRIDE %d", b.stride)
	if at != nil {
		var list []string
		for _, p := range at {
			list = append(list, fmt.Sprintf("(%d, %d)", p.X, p.Y))
		}
		where = "AT " + strings.Join(list, ", ")
	}
	return fmt.Sprintf("OCCLUDE %s USING m PATCH %d %s FILL gray", lang.String{Value: b.image(n)}, b.patch, where)
}

// image is the picture in the network's size.
func (b *bench) image(n *result) string { return filepath.Join(b.dir, fmt.Sprintf("%d.png", n.Side)) }

// explain runs the query with the plan that the planner takes on a device.
func (b *bench) explain(ctx context.Context, n *result, device string, at []position) (h heatMap, err error) {
	heat := filepath.Join(b.scratch, "heat.json")
	defer os.Remove(heat) // so that none is taken for another's
	statement := fmt.Sprintf("EXPLAIN (ANALYZE, LAYERS, FORMAT JSON) %s INTO %s", b.occluding(n, at), lang.String{Value: heat})
	if err := b.query(ctx, n, device, statement, &h.report); err != nil {
		return h, err
	}
	var said struct {
		Plan   struct{ Name, Device string }
		Actual struct {
			UpdateSeconds float64 `json:"update_seconds"`
			Device        struct {
				PeakBytes int64 `json:"peak_bytes"`
			} // of plans on a GPU
		}
	}
	if err := json.Unmarshal(h.report, &said); err != nil {
		return h, err
	}
	if said.Plan.Device != device {
		return h, fmt.Errorf("it ran on %s", said.Plan.Device)
	}
	h.plan, h.updateSeconds, h.deviceBytes = said.Plan.Name, said.Actual.UpdateSeconds, said.Actual.Device.PeakBytes
	text, err := os.ReadFile(heat)
	if err != nil {
		return h, err
	}
	var rows []struct {
		X, Y    int
		ClassID int `json:"class_id"`
		P       float64
	}
	if err := json.Unmarshal(text, &rows); err != nil {
		return h, err
	}
	h.p = map[position]float64{}
	for _, row := range rows {
		h.p[position{row.X, row.Y}], h.class = row.P, row.ClassID
	}
	return h, nil
}

// chosen is the plan and the device that the planner takes where it may choose both.
func (b *bench) chosen(ctx context.Context, n *result) (string, error) {
	var said struct{ Plan struct{ Name, Device string } }
	if err := b.query(ctx, n, "auto", "EXPLAIN (FORMAT JSON) "+b.occluding(n, nil), &said); err != nil {
		return "", fmt.Errorf("with device = 'auto': %w", err)
	}
	return said.Plan.Name + " on " + said.Plan.Device, nil
}

// plan is what BENCHMARK says of one.
type plan struct {
	Name       string  `json:"plan"`
	Chosen     bool    `json:"chosen"`
	Runs       int     `json:"runs"`
	Seconds    float64 `json:"median_seconds"`
	Least      float64 `json:"min_seconds"`
	Most       float64 `json:"max_seconds"`
	Estimate   float64 `json:"estimated_seconds"`
	Difference float64 `json:"max_difference"`
}

// benchmark times both exact plans on the device, after a run that does not count.
func (b *bench) benchmark(ctx context.Context, n *result) (plans []plan, err error) {
	statement := fmt.Sprintf("BENCHMARK (RUNS %d, WARMUP 1, PLANS (full, incremental)) %s", b.runs, b.occluding(n, nil))
	if err := b.query(ctx, n, b.device, statement, &plans); err != nil {
		return nil, fmt.Errorf("timing plans on %s: %w", b.device, err)
	}
	return plans, nil
}
