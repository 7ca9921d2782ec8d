//go:build cuda && linux && cgo

package cuda

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"occlude/operators/gpu"
	"occlude/operators/gpu/driver"
	"occlude/operators/gpu/emulator"
	"occlude/operators/gpu/gputest"
	"occlude/operators/gpu/soft"
)

// inside is set where this program runs again, with the emulator as its driver.
const inside = "OCCLUDE_EMULATED_DRIVER"

// TestDriver runs TestCases once more with a libcuda.so.1 that has the emulator as its only
// device, and TestNoDevice with one that has none. Without the compiler it is skipped.
func TestDriver(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles, and computes for long")
	}
	folder := t.TempDir()
	if _, err := emulator.BuildDriver(folder); errors.Is(err, exec.ErrNotFound) {
		t.Skip(err)
	} else if err != nil {
		t.Fatal(err)
	}
	for test, env := range map[string]string{"TestCases": inside + "=1", "TestNoDevice": "OCCLUDE_NO_DEVICE=1"} {
		cmd := exec.Command(os.Args[0], "-test.run=^"+test+"$", "-test.v")
		cmd.Env = append(os.Environ(), "LD_LIBRARY_PATH="+folder, inside+"=1", env)
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "--- PASS: "+test) {
			t.Errorf("%v\n%s", err, out)
		}
	}
}

// TestCases compares a device behind the driver with the software device.
func TestCases(t *testing.T) {
	if os.Getenv(inside) == "" {
		t.Skip("TestDriver runs it")
	}
	d, err := Open(0)
	if err != nil {
		t.Fatal(err)
	}
	if p := d.Properties(); p.Name != "emulated GPU" || p.Capability != [2]int{8, 0} || p.Processors != 1 || p.SharedMemory != 48<<10 || p.SharedMemoryMost != 227<<10 || p.Memory != 1<<30 {
		t.Errorf("%+v", p)
	}
	if _, total, err := d.Memory(); err != nil || total != 1<<30 {
		t.Errorf("%d bytes, %v", total, err)
	}
	if p := d.Properties(); p.Clock != 1e9 || p.MemoryClock != 0 || p.MemoryBus != 0 {
		t.Errorf("clocks of %d and %d Hz, %d bits", p.Clock, p.MemoryClock, p.MemoryBus)
	}
	binding(t, d)
	device := gpu.NewDevice(d)
	for _, c := range gputest.Kernels() {
		got, err := gputest.Run(t.Context(), device, c)
		if err != nil {
			t.Fatalf("%s: %v", c.Name, err)
		}
		want, err := gputest.Run(t.Context(), gpu.NewDevice(&soft.Device{}), c)
		if err != nil {
			t.Fatal(err)
		}
		if far, where := gputest.Compare(c, got, want); !(far <= 5e-6) {
			t.Errorf("%s: %s differs by %g", c.Name, where, far)
		}
	}
	if _, err := Open(1); err == nil || !strings.Contains(err.Error(), "there are 1") {
		t.Errorf("opened another one: %v", err)
	}
}

// binding does what needs a context that is bound.
func binding(t *testing.T, d driver.Driver) {
	release, err := d.Bind()
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if _, err := d.Load(".version 7.8"); err == nil || !strings.HasSuffix(err.Error(), ": ptxas fatal : no kernels") {
		t.Errorf("what the driver's compiler said is not in %v", err)
	}
	unpin, err := d.(driver.Pinner).Pin(driver.Pages(100))
	if err != nil {
		t.Fatal(err)
	}
	if err := unpin(); err != nil {
		t.Error(err)
	}
}

// TestNoDevice opens one where there is none.
func TestNoDevice(t *testing.T) {
	if os.Getenv(inside) == "" {
		t.Skip("TestDriver runs it")
	}
	if _, err := Open(0); err == nil || !strings.Contains(err.Error(), "does not start: CUDA error 100, no CUDA-capable device is detected") {
		t.Errorf("the error is %v", err)
	}
}
