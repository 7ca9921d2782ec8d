package main

import (
	"bytes"
	"fmt"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"testing"
)

// writeLog writes a log of two images, the second of which takes three times as
// long and is worse by a tenth.
func writeLog(t *testing.T) string {
	t.Helper()
	var text bytes.Buffer
	for i, image := range []string{"a.png", "b.png"} {
		for _, r := range []struct {
			family                 string
			setting, seconds, ssim float64
		}{{"SSIM", .95, 4, .98}, {"SSIM", .9, 2, .94}, {"incremental", 0, 10, 1}, {constantMap, 0, 0, .5}, {"tau", .4, 1, .6}} {
			fmt.Fprintf(&text, `{"model": "net", "image": %q, "family": %q, "setting": %g, "seconds": %g, "naive": 100, "figures": {"ssim": %g, "pearson": 0.5}}`+"\n",
				image, r.family, r.setting, r.seconds*float64(1+2*i), r.ssim-.1*float64(i))
		}
	}
	path := filepath.Join(t.TempDir(), "runs.jsonl")
	if err := os.WriteFile(path, text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestPoints: means over images, from the cheapest setting to the dearest.
func TestPoints(t *testing.T) {
	all, err := readLog(writeLog(t))
	if err != nil {
		t.Fatal(err)
	}
	charts := newCharts(all)
	if len(charts) != 1 || charts[0].images != 2 || charts[0].naive != 100 || len(charts[0].series) != 3 {
		t.Fatalf("%+v", charts)
	}
	near := func(a, b float64) bool { return math.Abs(a-b) < 1e-9 }
	if c := charts[0].constant; !near(c.ssim, .45) {
		t.Errorf("a constant map has %+v", c)
	}
	for _, s := range charts[0].series {
		if s.family != "SSIM" {
			continue
		}
		if len(s.points) != 2 || s.points[0].setting != .9 || !near(s.points[0].ssim, .89) || !near(s.points[0].seconds, 4) ||
			!near(s.points[1].seconds, 8) {
			t.Errorf("%+v", s.points)
		}
	}
}

// TestPicture: a file for each network, with something in every family's colour.
func TestPicture(t *testing.T) {
	dir := t.TempDir()
	var out bytes.Buffer
	if err := run([]string{"-out", dir, writeLog(t)}, &out, &bytes.Buffer{}); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(filepath.Join(dir, "net.png"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	img, err := png.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for y := img.Bounds().Min.Y; y < img.Bounds().Max.Y; y++ {
		for x := img.Bounds().Min.X; x < img.Bounds().Max.X; x++ {
			r, g, b, _ := img.At(x, y).RGBA()
			for _, l := range looks {
				if r>>8 == uint32(l.colour.R) && g>>8 == uint32(l.colour.G) && b>>8 == uint32(l.colour.B) {
					seen[l.family] = true
				}
			}
		}
	}
	for _, family := range []string{"SSIM", "incremental", "tau"} {
		if !seen[family] {
			t.Errorf("nothing is drawn of %s", family)
		}
	}
	if seen["drill-down"] {
		t.Error("something is drawn of drill-down, which was not measured")
	}
}

func TestUsage(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.jsonl")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{nil, {"no-such.jsonl"}, {"-what"}, {"main.go"}, {empty}, {"-out", "no/such", writeLog(t)}} {
		if err := run(args, &bytes.Buffer{}, &bytes.Buffer{}); err == nil {
			t.Errorf("%q: no error", args)
		}
	}
}
