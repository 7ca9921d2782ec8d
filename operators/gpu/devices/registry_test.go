package devices_test

import (
	"strings"
	"testing"

	"occlude/operators/gpu/devices"
	"occlude/operators/gpu/driver"
	"occlude/operators/gpu/soft"
)

func TestCanonical(t *testing.T) {
	for name, want := range map[string]string{"cuda": "cuda:0", "CUDA:0": "cuda:0", "cuda:07": "cuda:7", "cuda:255": "cuda:255"} {
		if got, err := devices.Canonical(name); err != nil || got != want {
			t.Errorf("%s is %q, %v", name, got, err)
		}
	}
	for _, name := range []string{"", "gpu", "cuda:", "cuda:-1", "cuda:256", "cuda:x", "cuda:0:0", "cuda:+1", "cuda: 1"} {
		if got, err := devices.Canonical(name); err == nil || !strings.Contains(err.Error(), "such as cuda:0") {
			t.Errorf("%q is %q, %v", name, got, err)
		}
	}
}

// TestOpen checks that a GPU is opened once, and that what cannot be opened is asked
// for once.
func TestOpen(t *testing.T) {
	asked := 0
	r := devices.New(func(n int) (driver.Driver, error) {
		asked++
		if n > 0 {
			return nil, &driver.Absent{Reason: "there is one"}
		}
		return &soft.Device{}, nil
	})
	first, err := r.Open("cuda:0")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := r.Open("cuda"); again != first || err != nil {
		t.Errorf("another one, %v", err)
	}
	for range 2 {
		if _, err := r.Open("cuda:1"); err == nil || err.Error() != "there is one" {
			t.Errorf("the second: %v", err)
		}
	}
	if asked != 2 {
		t.Errorf("asked %d times for two", asked)
	}
	if all := r.All(); len(all) != 1 || all[0].Name != "cuda:0" || all[0].Device != first || all[0].Reason != nil {
		t.Errorf("all are %+v", all)
	}
	if asked != 2 {
		t.Errorf("asked %d times for two", asked)
	}
	for _, none := range []*devices.Registry{nil, devices.New(func(int) (driver.Driver, error) { return nil, driver.ErrNotBuilt })} {
		if all := none.All(); len(all) != 1 || all[0].Name != "cuda:0" || all[0].Device != nil || all[0].Reason == nil {
			t.Errorf("where there is none they are %+v", all)
		}
	}
	if _, err := (*devices.Registry)(nil).Open("cuda:0"); err == nil {
		t.Error("nothing has a GPU")
	}
}

// What others hold of a GPU's memory they may give back, so it is asked for again.
func TestOpenAgain(t *testing.T) {
	var full error = driver.ErrMemory
	r := devices.New(func(int) (driver.Driver, error) { return &soft.Device{}, full })
	if _, err := r.Open("cuda:0"); err != full {
		t.Errorf("the error is %v", err)
	}
	full = nil
	if _, err := r.Open("cuda:0"); err != nil {
		t.Error(err)
	}
}
