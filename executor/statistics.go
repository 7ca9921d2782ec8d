package executor

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"time"

	"github.com/klauspost/cpuid/v2"

	"occlude/internal/curve"
	"occlude/internal/store"
	"occlude/planner/cost"
)

// Profile implements planner.Statistics.
func (s *Session) Profile(ctx context.Context, model, kernels string) *cost.Profile {
	// One of an older version may stand before one of this machine.
	for _, model := range []string{model, store.AnyModel} {
		c, ok, err := s.Store.Calibration(ctx, machine(kernels), model)
		if err != nil || !ok {
			s.warn(ctx, err)
			return nil
		}
		p, err := cost.Parse(c.Profile)
		if err == nil {
			_, err = p.For(kernels)
		}
		if err == nil {
			return p
		}
		s.warn(ctx, fmt.Errorf("the calibration in %q is of no use to this version of Occlude: %w; ANALYZE MODEL makes a new one", s.Store.Path(), err))
	}
	return nil
}

// DeviceProfile implements planner.Statistics. A GPU's profile is kept under its name, as that of
// the processor is.
func (s *Session) DeviceProfile(ctx context.Context, name string, processors int) *cost.Device {
	c, ok, err := s.Store.Calibration(ctx, gpuMachine(name, processors), store.AnyModel)
	if err != nil || !ok {
		s.warn(ctx, err)
		return nil
	}
	d, err := cost.ParseDevice(c.Profile)
	if err != nil {
		s.warn(ctx, fmt.Errorf("the calibration of %s in %q is of no use to this version of Occlude: %w", name, s.Store.Path(), err))
		return nil
	}
	return d
}

// deviceKernels is the set of kernels of a GPU, where sets of the processor's are named.
const deviceKernels = "cuda"

// Curve implements planner.Statistics.
func (s *Session) Curve(ctx context.Context, k curve.Key) (curve.Curve, bool) {
	c, ok, err := s.Store.Curve(ctx, k)
	s.warn(ctx, err)
	return c, ok && err == nil
}

// Curves implements planner.Statistics.
func (s *Session) Curves(ctx context.Context, model string) []curve.Curve {
	all, err := s.Store.Curves(ctx, model)
	s.warn(ctx, err)
	return all
}

// warn tells the user once what keeps plans from being better. A context's end says
// itself what it has to say.
func (s *Session) warn(ctx context.Context, err error) {
	if err == nil || ctx.Err() != nil || s.warned[err.Error()] {
		return
	}
	s.warned[err.Error()] = true
	s.tell(err)
}

// tell tells the user of something that ends no statement.
func (s *Session) tell(err error) {
	if s.Warn != nil {
		s.Warn(err)
	}
}

// processor names what a calibration was measured on, for people.
func processor() string {
	m := machine("")
	return fmt.Sprintf("%s, %d cores", m.CPU, m.Cores)
}

// machine is what a calibration is kept for.
func machine(kernels string) store.Machine {
	cpu := cpuid.CPU.BrandName
	if cpu == "" { // as on many ARM machines
		cpu = cpuid.CPU.VendorID.String() + " " + runtime.GOARCH
	}
	return store.Machine{CPU: cpu, Cores: runtime.GOMAXPROCS(0), Kernels: kernels}
}

// stored is a profile as it is kept.
func stored(kernels string, p *cost.Profile, at time.Time) (store.Calibration, error) {
	data, err := json.Marshal(p)
	if err != nil {
		return store.Calibration{}, fmt.Errorf("storing the calibration: %w", err)
	}
	return store.Calibration{Machine: machine(kernels), Model: keptFor(p), Profile: data, Measured: at}, nil
}

// keptFor is the model that a profile is kept for.
func keptFor(p *cost.Profile) string {
	if p.Kind == cost.Quick {
		return store.AnyModel
	}
	return p.Hash
}
