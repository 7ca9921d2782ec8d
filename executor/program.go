package executor

import (
	"context"
	"fmt"
	"slices"
	"time"

	"occlude/internal/model"
	"occlude/internal/network"
	"occlude/internal/settings"
	"occlude/operators"
	"occlude/operators/cpu"
	"occlude/operators/gpu"
	"occlude/operators/gradient"
	"occlude/planner"
)

// program is a model's network made ready in one way.
type program struct {
	usage
	net *network.Network
	way
	ready    operators.Program
	backward *gradient.Program // nil until it is asked for
}

// way is how a network is made ready: on which device, by which of its kernels, each layer by
// which algorithm.
type way struct {
	device     string // as SET device names it
	kernels    string // the set of the processor's, "" on a GPU
	algorithms []operators.Algorithm
}

// wayOf is what a plan's base pass and updates run on.
func wayOf(p *planner.Occlude) way {
	c := p.Chosen()
	if c.Device != nil {
		return way{device: c.Device.Name, algorithms: c.Algorithms}
	}
	return onProcessor(p.Kernels, c.Algorithms)
}

func onProcessor(kernels string, algorithms []operators.Algorithm) way {
	return way{settings.DeviceCPU, kernels, algorithms}
}

// same tells whether programs made in both ways are alike.
func (w way) same(o way) bool {
	return w.device == o.device && w.kernels == o.kernels && slices.Equal(w.algorithms, o.algorithms)
}

// made tells whether a program is a network's, made ready in a way.
func (m *program) made(net *network.Network, w way) bool { return m.net == net && m.same(w) }

// arrays are what a program holds of the host's memory, in an order of its own.
func (m *program) arrays() [][]float32 {
	all := m.ready.Arrays()
	if m.backward != nil {
		all = append(all, m.backward.Arrays()...)
	}
	return all
}

// deviceBytes is what a program holds of its GPU's memory, but for workers.
func (m *program) deviceBytes() int64 {
	if p, ok := m.ready.(*gpu.Program); ok {
		return p.Weights()
	}
	return 0
}

// make makes a network ready. What others have packed in the same way is shared with
// them.
func (s *Session) make(ctx context.Context, net *network.Network, w way, threads int, others []*program) (operators.Program, error) {
	if w.device != settings.DeviceCPU {
		d, err := s.Devices.Open(w.device)
		if err != nil {
			return nil, err
		}
		p, err := gpu.New(ctx, net, d, gpu.Options{Algorithms: w.algorithms})
		if err != nil {
			return nil, onDevice(ctx, w.device, d, err)
		}
		return p, nil
	}
	o := cpu.Options{Kernels: w.kernels, Algorithms: w.algorithms, Threads: threads}
	for _, other := range others {
		if p, ok := other.ready.(*cpu.Program); ok && other.net == net {
			o.Like = append(o.Like, p)
		}
	}
	p, err := cpu.New(ctx, net, o)
	if err != nil {
		return nil, err
	}
	return p, nil
}

// keptPrograms is how many programs of a model stay ready: those of two plans that
// are compared with each other. Each may hold as much as all the model's weights.
const keptPrograms = 2

// program gives a network made ready in a way, by so many threads if it has to be made.
func (s *Session) program(ctx context.Context, m *model.Model, net *network.Network, w way, threads int) (operators.Program, error) {
	for i, p := range s.programs[m] {
		if p.made(net, w) {
			s.programs[m] = append(slices.Delete(s.programs[m], i, i+1), p)
			s.use(&p.usage)
			return p.ready, nil
		}
	}
	start := time.Now()
	ready, err := s.make(ctx, net, w, threads, s.programs[m])
	if err != nil {
		return nil, fmt.Errorf("model %q: %w", m.Name, err)
	}
	p := &program{net: net, way: w, ready: ready}
	s.use(&p.usage)
	s.programs[m] = append(s.programs[m], p)
	s.dropPrograms(m)
	s.Loaded(m, time.Since(start))
	return ready, nil
}

// programOf gives the program that a plan runs on.
func (s *Session) programOf(ctx context.Context, p *planner.Occlude) (operators.Program, error) {
	return s.program(ctx, p.Model, p.Net, wayOf(p), p.Threads)
}

// own is the program that a plan runs on, nil while it is not ready.
func (s *Session) own(p *planner.Occlude) *program {
	w := wayOf(p)
	for _, ready := range s.programs[p.Model] {
		if ready.made(p.Net, w) {
			return ready
		}
	}
	return nil
}

// dropPrograms lets go of the programs that were used the longest ago.
func (s *Session) dropPrograms(m *model.Model) {
	if n := len(s.programs[m]) - max(keptPrograms, s.keep); n > 0 {
		s.programs[m] = slices.Delete(s.programs[m], 0, n)
		s.dropViews(s.unmade)
	}
}

// keepPrograms lets more of a model's programs stay ready, until done is called.
func (s *Session) keepPrograms(m *model.Model, n int) (done func()) {
	before := s.keep
	s.keep = n
	return func() {
		s.keep = before
		s.dropPrograms(m)
	}
}

// gradients is the backward pass of the network that a plan runs, whose program is ready.
// It is the processor's.
func (s *Session) gradients(p *planner.Occlude) (*gradient.Program, error) {
	own := s.own(p)
	if own.backward == nil {
		// Direct convolutions: a single pass gains less by faster ones than it takes to
		// transform their weights.
		b, err := gradient.New(p.Net, gradient.Options{Kernels: p.Kernels})
		if err != nil {
			return nil, fmt.Errorf("model %q: %w", p.Model.Name, err)
		}
		own.backward = b
	}
	return own.backward, nil
}
