package gputest

import (
	"strings"
	"sync"
	"testing"

	"occlude/operators/gpu"
	"occlude/operators/gpu/driver"
	"occlude/operators/gpu/kernels"
	"occlude/operators/gpu/soft"
)

// definitions are remembered, for every device is compared with the same ones.
var definitions sync.Map

// plainName is the name of the case that computes the same without tensor cores.
func plainName(c Case) string {
	name, _, _ := strings.Cut(c.Name, tensorCores)
	return name
}

func definition(c Case) (Result, error) {
	if r, ok := definitions.Load(plainName(c)); ok {
		return r.(Result), nil
	}
	r, err := Definition(c)
	if err == nil {
		definitions.Store(plainName(c), r) // which compute the same
	}
	return r, err
}

// check compares a device with the definitions in float64.
func check(t *testing.T, d driver.Driver, cases []Case) {
	if testing.Short() {
		t.Skip("only computes for long")
	}
	device := gpu.NewDevice(d)
	for _, c := range cases {
		got, err := Run(t.Context(), device, c)
		if err != nil {
			t.Errorf("%s: %v", c.Name, err)
			continue
		}
		want, err := definition(c)
		if err != nil {
			t.Fatal(err)
		}
		if far, where := Compare(c, got, want); !(far <= Tolerance) {
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

// checkFunctions compares the functions of one number with their definitions.
func checkFunctions(t *testing.T, d driver.Driver) {
	for fn, name := range kernels.Functions {
		far, where, err := Function(d, fn)
		if err != nil {
			t.Fatal(err)
		}
		if !(far < FunctionTolerance) {
			t.Errorf("%s is off by %.2g at %g", name, far, where)
		}
	}
}

func TestFunctionsOfTwins(t *testing.T) { checkFunctions(t, &soft.Device{}) }
