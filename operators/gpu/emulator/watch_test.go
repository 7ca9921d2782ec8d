//go:build linux

package emulator

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"occlude/operators/gpu"
	"occlude/operators/gpu/gputest"
)

// TestWatched takes barriers from kernels, and the end of a map from another, and finds what that
// does.
func TestWatched(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles")
	}
	folder := t.TempDir()
	if err := writeSources(folder); err != nil {
		t.Fatal(err)
	}
	const race, outside = "with no barrier between", "in no allocation"
	spoiled := []struct{ file, text, spoiled, kernel, shows, fault string }{
		{"conv_ffma.cu", "keep(0);\n\tbarrier();", "keep(0);", "conv_ffma_odd", "odd conv", race},
		{"conv_f16x3.cu", "barrier(); // the stage is there", "// the stage is there", "conv_f16x3_256x64", "grouped, tensor cores 256x64", race},
		{"global.cu", "parts[thread()] = p;\n\t\tbarrier();", "parts[thread()] = p;", "global_pool", "global max", race},
		{"global.cu", "i < h * w; i++) {\n\t\t\tmean", "i < h * w + 40; i++) {\n\t\t\tmean", "instance_norm", "instance norm", outside},
	}
	for _, s := range spoiled {
		path := filepath.Join(folder, s.file)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), s.text) {
			t.Fatalf("%s has no %q", s.file, s.text)
		}
		if err := os.WriteFile(path, []byte(strings.Replace(string(text), s.text, s.spoiled, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	path, err := compileProcess(folder)
	if errors.Is(err, exec.ErrNotFound) {
		t.Skip(err)
	} else if err != nil {
		t.Fatal(err)
	}
	for _, s := range spoiled {
		d, err := Open(path, folder)
		if err != nil {
			t.Fatal(err)
		}
		shown := false
		for _, c := range gputest.Kernels() {
			if c.Name != s.shows {
				continue
			}
			shown = true
			if _, err := gputest.Run(t.Context(), gpu.NewDevice(d), c); err == nil || !strings.Contains(err.Error(), s.kernel+": thread") || !strings.Contains(err.Error(), s.fault) {
				t.Errorf("%s: %v", s.kernel, err)
			}
		}
		if err := d.Close(); err != nil || !shown {
			t.Errorf("%s was shown: %t, %v", s.kernel, shown, err)
		}
	}
}
