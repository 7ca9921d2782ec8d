package gputest

import (
	"os"
	"path/filepath"
	"testing"

	"occlude/internal/importer"
	"occlude/internal/network"
	"occlude/internal/onnx"
	"occlude/operators/gpu"
	"occlude/operators/region"
	"occlude/planner/rewrite"
)

// BenchmarkTraffic says what a batch of 256 patches of 16x16 comes to on a GPU, and takes the
// time to foretell it: of small architectures, or of the ONNX files that the variable
// OCCLUDE_NETWORKS lists, rewritten as for a query.
func BenchmarkTraffic(b *testing.B) {
	files := filepath.SplitList(os.Getenv("OCCLUDE_NETWORKS"))
	for _, file := range files {
		b.Run(filepath.Base(file), func(b *testing.B) { traffic(b, read(b, file)) })
	}
	for _, c := range Architectures() {
		if len(files) == 0 && c.Options.Algorithms == nil {
			b.Run(c.Name, func(b *testing.B) { traffic(b, c.Net) })
		}
	}
}

func read(b *testing.B, file string) *network.Network {
	m, err := onnx.Read(b.Context(), file)
	if err != nil {
		b.Fatal(err)
	}
	r, err := importer.Import(b.Context(), m, importer.Options{})
	if err != nil {
		b.Fatal(err)
	}
	net, _, err := rewrite.Optimize(r.Net, func(string) bool { return true })
	if err != nil {
		b.Fatal(err)
	}
	return net
}

func traffic(b *testing.B, net *network.Network) {
	const positions = 256
	s, err := gpu.NewShape(net, gpu.Options{})
	if err != nil {
		b.Fatal(err)
	}
	in := net.Input().Shape
	rects := net.Trace(region.Of(in.W/2-8, in.H/2-8, 16, 16).Clip(in.H, in.W), nil)
	var t gpu.Traffic
	for b.Loop() {
		if t, err = s.Traffic(rects, positions); err != nil {
			b.Fatal(err)
		}
	}
	arena, err := s.Bytes(rects, positions)
	if err != nil {
		b.Fatal(err)
	}
	total := t.Total()
	b.ReportMetric(float64(total.Launches), "launches")
	b.ReportMetric(float64(total.MACs)/1e9, "GMAC")
	b.ReportMetric(float64(total.Tiles)/1e9, "GMAC-in-tiles")
	b.ReportMetric(float64(total.Read)/1e6, "MB-read")
	b.ReportMetric(float64(total.Written)/1e6, "MB-written")
	b.ReportMetric(float64(t.Tables)/1e3, "kB-tables-up")
	b.ReportMetric(float64(t.Patches)/1e3, "kB-patches-up")
	b.ReportMetric(float64(t.Scores)/1e3, "kB-down")
	b.ReportMetric(float64(arena)/1e6, "MB-arena")
}
