//go:build linux

package gputest

import (
	"errors"
	"os"
	"os/exec"
	"sync"
	"testing"

	"occlude/operators/gpu"
	"occlude/operators/gpu/emulator"
)

// folder is where the emulator is compiled, once for all tests.
var folder string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		var err error
		if folder, err = os.MkdirTemp("", "emulator"); err != nil {
			panic(err)
		}
		defer os.RemoveAll(folder)
		return m.Run()
	}())
}

var compiled = sync.OnceValues(func() (string, error) { return emulator.Build(folder) })

// emulated opens a device that runs the kernels' own source; without its compiler the
// test is skipped.
func emulated(t *testing.T) *emulator.Device {
	t.Helper()
	if testing.Short() {
		t.Skip("compiles, and computes for long")
	}
	path, err := compiled()
	if errors.Is(err, exec.ErrNotFound) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	d, err := emulator.Open(path, folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

func TestFunctions(t *testing.T)              { checkFunctions(t, emulated(t)) }
func TestKernels(t *testing.T)                { check(t, emulated(t), Kernels()) }
func TestKernelsInArchitectures(t *testing.T) { check(t, emulated(t), Architectures()) }

// TestKernelsInRandomNetworks is wider of them, and not as close: their layers multiply
// errors.
func TestKernelsInRandomNetworks(t *testing.T) {
	d := gpu.NewDevice(emulated(t))
	for _, c := range Random(25, 10) {
		c.Patches = c.Patches[:6]
		got, err := Run(t.Context(), d, c)
		if err != nil {
			t.Fatal(err)
		}
		want, err := Definition(c)
		if err != nil {
			t.Fatal(err)
		}
		if far, where := Compare(c, got, want); !(far <= RandomTolerance) {
			t.Errorf("%s: %s differs by %g", c.Name, where, far)
		}
	}
}

func TestRanges(t *testing.T) { checkRanges(t, emulated(t)) }
func TestErrors(t *testing.T) { checkErrors(t, emulated(t)) }
