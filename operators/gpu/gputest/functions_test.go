package gputest

import (
	"math"
	"testing"
	"unsafe"

	"occlude/internal/network"
	"occlude/internal/network/networktest"
	"occlude/operators/gpu/driver"
	"occlude/operators/gpu/kernels"
	"occlude/operators/gpu/soft"
)

// arguments are numbers of every size, and those that are none.
func arguments() []float32 {
	special := []float64{0, math.Copysign(0, -1), math.Inf(1), math.Inf(-1), math.NaN(), 1, -1, 0.5, -0.5, 2, -2, 1e-38, 1e-42, -1e-42, 88.7, -103, 90, -200}
	var v []float32
	for _, x := range special {
		v = append(v, float32(x))
	}
	for x := 1e-6; x < 90; x *= 1.01 {
		v = append(v, float32(x), float32(-x))
	}
	return v
}

// checkFunctions compares the functions of one number with their definitions.
func checkFunctions(t *testing.T, d driver.Driver) {
	in := arguments()
	bytes := func(v []float32) []byte { return unsafe.Slice((*byte)(unsafe.Pointer(&v[0])), 4*len(v)) }
	module, err := d.Load(kernels.PTX)
	if err != nil {
		t.Fatal(err)
	}
	kernel, err := module.Kernel("activate")
	if err != nil {
		t.Fatal(err)
	}
	at, err := d.Alloc(int64(4 * len(in)))
	if err != nil {
		t.Fatal(err)
	}
	s, err := d.NewStream()
	if err != nil {
		t.Fatal(err)
	}
	for fn, name := range kernels.Functions {
		act := network.Activation{Fn: name, Alpha: 1.25, Beta: .375}
		out := make([]float32, len(in))
		a := &kernels.Activate{Data: at, Values: kernels.Long(len(in)), Fn: kernels.Int(fn), Alpha: kernels.F(act.Alpha), Beta: kernels.F(act.Beta)}
		if err := s.Upload(at, bytes(in)); err != nil {
			t.Fatal(err)
		}
		if err := s.Launch(kernel, driver.Launch{Grid: [3]int{2, 1, 1}, Block: kernels.Threads, Args: kernels.Words(a)}); err != nil {
			t.Fatal(err)
		}
		if err := s.Download(bytes(out), at); err != nil {
			t.Fatal(err)
		}
		worst, where := 0.0, float32(0)
		for i, x := range in {
			want := networktest.Apply(act, float64(x))
			if x != x {
				want = math.NaN() // which no function hides
			}
			got := float64(out[i])
			if float32(want) == out[i] || math.IsNaN(want) && math.IsNaN(got) {
				continue
			}
			// Of the result, or of what it is a difference of: 1, or x.
			far := math.Abs(got-want) / max(math.Abs(want), 1e-37, min(1, math.Abs(float64(x))))
			if !(far <= worst) {
				worst, where = far, x
			}
		}
		if !(worst < 1e-6) {
			t.Errorf("%s is off by %.2g at %g", act, worst, where)
		}
	}
}

func TestFunctionsOfTwins(t *testing.T) { checkFunctions(t, &soft.Device{}) }
