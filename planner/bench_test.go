package planner_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"occlude/planner"
)

// BenchmarkPlan plans a heat map of 53 x 53 positions, or more for larger images, on the
// processor and on a made-up GPU: of a small network, or of the ONNX files that the variable
// OCCLUDE_NETWORKS lists.
func BenchmarkPlan(b *testing.B) {
	files := filepath.SplitList(os.Getenv("OCCLUDE_NETWORKS"))
	for i, file := range files {
		path, err := filepath.Abs(file)
		if err != nil {
			b.Fatal(err)
		}
		files[i] = path
	}
	w := onGPUs(b, &gpus{free: map[string]int64{"cuda:0": 8 << 30}})
	names := []string{"wide"}
	if len(files) > 0 {
		names = nil
	}
	for _, file := range files {
		names = append(names, filepath.Base(file))
		create(b, w, fmt.Sprintf("CREATE MODEL %q FROM '%s';", filepath.Base(file), file))
	}
	for _, name := range names {
		for _, device := range []string{"cpu", "cuda:0"} {
			b.Run(name+"/"+device, func(b *testing.B) {
				query := fmt.Sprintf("OCCLUDE 'scan.png' USING %q WITH (device = '%s');", name, device)
				layers := 0
				for b.Loop() {
					p, err := w.plan(query)
					if err != nil {
						b.Fatal(err)
					}
					layers = len(p.(*planner.Occlude).Net.Layers)
				}
				b.ReportMetric(b.Elapsed().Seconds()/float64(b.N*layers)*1e6, "us/layer")
			})
		}
	}
}
