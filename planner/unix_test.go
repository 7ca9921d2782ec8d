//go:build unix

package planner_test

import (
	"os"
	"strings"
	"syscall"
	"testing"

	"occlude/internal/imageio"
	"occlude/internal/model"
	"occlude/lang"
)

// A pipe is no image, model or list of labels, whether it is named or matches a pattern;
// and what is far too large is not read.
func TestNoFiles(t *testing.T) {
	folder(t)
	if err := syscall.Mkfifo("pipe.png", 0o600); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	m, err := model.Load(t.Context(), "m", "small.onnx", model.Options{Spec: imageio.DefaultSpec(0, 0)})
	if err != nil {
		t.Fatal(err)
	}
	w.models["m"] = m
	if err := os.WriteFile("large.json", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate("large.json", 1<<30); err != nil {
		t.Skip(err) // no holes in files here
	}
	for text, want := range map[string]string{
		"IMPORT CALIBRATION FROM 'large.json';":                        `1:25: error: calibration "large.json": more than 16777216 bytes`,
		"CREATE MODEL n FROM 'pipe.png';":                              `1:21: error: model "pipe.png" is not a regular file`,
		"IMPORT CALIBRATION FROM 'pipe.png';":                          `1:25: error: calibration "pipe.png" is not a regular file`,
		"CREATE MODEL n FROM 'small.onnx' WITH (labels = 'pipe.png');": `labels "pipe.png" is not a regular file`,
		"OCCLUDE 'pipe.png' USING m;":                                  `1:9: error: image "pipe.png" is not a regular file`,
		"OCCLUDE 'pip*.png' USING m;":                                  `no file matches "pip*.png"`,
		"OCCLUDE 'scan.png' USING m FILL image('pipe.png');":           `image "pipe.png" is not a regular file`,
	} {
		script, diagnostics := lang.Parse("", text)
		if err := diagnostics.Err(); err != nil {
			t.Fatal(err)
		}
		if _, err := w.planner.Plan(t.Context(), script.Statements[0]); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
