//go:build cuda && linux && cgo

package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"occlude/operators/gpu/emulator"
)

// TestCUDA runs the scripts of testdata/cuda, as TestScript does, with a libcuda.so.1 in the
// folder $DRIVER whose only device runs the kernels' source on the processor. Without the compiler
// that makes it the test is skipped, but in CI.
func TestCUDA(t *testing.T) {
	folder := t.TempDir()
	_, err := emulator.BuildDriver(folder)
	if errors.Is(err, exec.ErrNotFound) && os.Getenv("OCCLUDE_CI") == "" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/cuda",
		Setup: func(env *testscript.Env) error {
			env.Setenv("OCCLUDE_DATA", filepath.Join(env.WorkDir, "data"))
			env.Setenv("DRIVER", folder)
			return os.CopyFS(filepath.Join(env.WorkDir, "examples"), os.DirFS("examples"))
		},
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "json": jsonValues},
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	})
}

func init() { withCUDA = true }
