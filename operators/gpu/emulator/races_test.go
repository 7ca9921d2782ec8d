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

// TestRaces takes a barrier from kernels that meet, and finds what that does.
func TestRaces(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles")
	}
	folder := t.TempDir()
	if err := writeSources(folder); err != nil {
		t.Fatal(err)
	}
	spoiled := []struct{ file, barrier, kernel, cases string }{
		{"conv_ffma.cu", "keep(0);\n\tbarrier();", "conv_ffma_odd", "odd conv"},
		{"conv_f16x3.cu", "barrier(); // the stage is there, and all have left the one before", "conv_f16x3_256x64", "grouped, tensor cores 256x64"},
		{"global.cu", "parts[thread()] = p;\n\t\tbarrier();", "global_pool", "global max"},
	}
	for _, s := range spoiled {
		path := filepath.Join(folder, s.file)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		before, after, found := strings.Cut(string(text), s.barrier)
		if !found {
			t.Fatalf("%s has no %q", s.file, s.barrier)
		}
		if err := os.WriteFile(path, []byte(before+strings.Replace(s.barrier, "barrier();", "", 1)+after), 0o600); err != nil {
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
		for _, c := range gputest.Kernels() {
			if c.Name != s.cases {
				continue
			}
			if _, err := gputest.Run(t.Context(), gpu.NewDevice(d), c); err == nil || !strings.Contains(err.Error(), s.kernel+": thread") || !strings.Contains(err.Error(), "shared memory") {
				t.Errorf("%s: %v", s.kernel, err)
			}
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
}
