package gputest

import (
	"testing"

	"occlude/operators/gpu/driver"
	"occlude/operators/gpu/kernels"
	"occlude/operators/gpu/soft"
)

// check compares a device with the definitions in float64.
func check(t *testing.T, d driver.Driver, cases []Case) {
	for _, c := range cases {
		got, err := Run(t.Context(), d, c)
		if err != nil {
			t.Errorf("%s: %v", c.Name, err)
			continue
		}
		want, err := Definition(c)
		if err != nil {
			t.Fatal(err)
		}
		if far, where := Compare(c, got, want); far > 5e-6 {
			t.Errorf("%s: %s differs by %g", c.Name, where, far)
		}
	}
}

func TestTwins(t *testing.T) {
	d := &soft.Device{}
	check(t, d, Kernels())
	for _, k := range kernels.All() {
		if d.Launches(k.Kernel()) == 0 {
			t.Errorf("no case shows %s", k.Kernel())
		}
	}
}

func TestTwinsOfArchitectures(t *testing.T) { check(t, &soft.Device{}, Architectures()) }
