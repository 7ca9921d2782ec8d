package gputest

import (
	"errors"
	"math"
	"unsafe"

	"occlude/internal/network"
	"occlude/internal/network/networktest"
	"occlude/operators/gpu/driver"
	"occlude/operators/gpu/kernels"
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

// FunctionTolerance is how far a device's function of one number may be from its definition.
const FunctionTolerance = 1e-6

// Function is how far the device's function of one number, by its place in
// kernels.Functions, is from its definition at most, and at which number: relative to the
// result, or to what the result is a difference of, 1 or the number.
func Function(d driver.Driver, fn int) (worst float64, where float32, err error) {
	release, err := d.Bind()
	if err != nil {
		return 0, 0, err
	}
	defer release()
	act := network.Activation{Fn: kernels.Functions[fn], Alpha: 1.25, Beta: .375}
	in := arguments()
	out, err := activated(d, fn, act, in)
	if err != nil {
		return 0, 0, err
	}
	for i, x := range in {
		want := networktest.Apply(act, float64(x))
		if x != x {
			want = math.NaN() // which no function hides
		}
		got := float64(out[i])
		if float32(want) == out[i] || math.IsNaN(want) && math.IsNaN(got) {
			continue
		}
		far := math.Abs(got-want) / max(math.Abs(want), 1e-37, min(1, math.Abs(float64(x))))
		if math.IsNaN(far) {
			return math.Inf(1), x, nil
		}
		if far > worst {
			worst, where = far, x
		}
	}
	return worst, where, nil
}

// activated launches a function over numbers. The caller is bound to the device.
func activated(d driver.Driver, fn int, act network.Activation, in []float32) (out []float32, err error) {
	out = make([]float32, len(in))
	place := (&kernels.Place{}).Kernel()
	return out, launching(d, place, rowBytes(len(in)), func(s driver.Stream, k driver.Kernel, at driver.Pointer) error {
		a, err := row(s, at, len(in))
		if err != nil {
			return err
		}
		a.Fn, a.Alpha, a.Beta = kernels.Int(fn), kernels.F(act.Alpha), kernels.F(act.Beta)
		if err := s.Upload(a.In.View, bytesOf(in)); err != nil {
			return err
		}
		if err := s.Launch(k, driver.Launch{Grid: [3]int{2, 1, 1}, Block: kernels.Threads, Args: kernels.Words(a)}); err != nil {
			return err
		}
		return s.Download(bytesOf(out), a.Data)
	})
}

// row are the arguments that place a row of n cells of one channel: all of them, from a view
// of which nothing has changed. The memory holds the two tables, the view and the copy.
func row(s driver.Stream, at driver.Pointer, n int) (*kernels.Place, error) {
	tables := []kernels.Entry{{Y1: 1, X1: int32(n), Width: int32(n)}, {}}
	bytes := unsafe.Slice((*byte)(unsafe.Pointer(&tables[0])), len(tables)*int(kernels.EntryBytes))
	view := at + driver.Pointer(len(bytes))
	return &kernels.Place{
		Out: kernels.Out{Data: view + driver.Pointer(4*n), Table: at, Positions: 1, Pitch: 1}, N: 1,
		In:     kernels.Source{View: view, Table: at + driver.Pointer(kernels.EntryBytes), W: kernels.Int(n), C: 1, Pitch: 1},
		Ending: kernels.Ending{Low: kernels.F(float32(math.Inf(-1))), High: kernels.F(float32(math.Inf(1)))},
	}, s.Upload(at, bytes)
}

// rowBytes is the memory that row takes.
func rowBytes(n int) int64 { return 2*kernels.EntryBytes + 8*int64(n) }

// launching brings a kernel, memory and a stream together, and lets go of them. The caller is
// bound to the device.
func launching(d driver.Driver, kernel string, bytes int64, do func(s driver.Stream, k driver.Kernel, at driver.Pointer) error) (err error) {
	module, err := d.Load(kernels.PTX)
	if err != nil {
		return err
	}
	k, err := module.Kernel(kernel, 0)
	if err != nil {
		return err
	}
	at, err := d.Alloc(bytes)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Free(at)) }()
	s, err := d.NewStream()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return do(s, k, at)
}

func bytesOf(v []float32) []byte { return unsafe.Slice((*byte)(unsafe.Pointer(&v[0])), 4*len(v)) }
