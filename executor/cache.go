package executor

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"occlude/internal/memory"
	"occlude/internal/model"
	"occlude/internal/network"
	"occlude/operators"
	"occlude/operators/cpu"
	"occlude/operators/gradient"
	"occlude/planner"
)

// What a query has made ready stays for those after it: programs, that is networks with
// packed weights, and what an image looks like to one (views.go). Views belong to the
// program that made them, and go with it.

// program is a model's network made ready in one way.
type program struct {
	usage
	net        *network.Network
	kernels    string
	algorithms []operators.Algorithm
	ready      *cpu.Program
	backward   *gradient.Program // nil until it is asked for
}

// made tells whether a program is what a plan's base pass and updates run on.
func (m *program) made(net *network.Network, kernels string, algorithms []operators.Algorithm) bool {
	return m.net == net && m.kernels == kernels && slices.Equal(m.algorithms, algorithms)
}

// arrays are what a program holds in an order of its own.
func (m *program) arrays() [][]float32 {
	all := m.ready.Arrays()
	if m.backward != nil {
		all = append(all, m.backward.Arrays()...)
	}
	return all
}

// usage tells how often something that is kept was used.
type usage struct {
	uses int
	last time.Time
	at   int // the last of the session's uses that was of this
}

func (s *Session) use(u *usage) {
	s.uses++
	u.uses, u.at, u.last = u.uses+1, s.uses, time.Now()
}

// keptPrograms is how many programs of a model stay ready: those of two plans that
// are compared with each other. Each may hold as much as all the model's weights.
const keptPrograms = 2

// program makes a network ready for the processor, in the way that a plan chose.
// What the model's last programs have packed in the same way is shared with them.
func (s *Session) program(ctx context.Context, m *model.Model, net *network.Network, o cpu.Options) (operators.Program, error) {
	for i, p := range s.programs[m] {
		if p.made(net, o.Kernels, o.Algorithms) {
			s.programs[m] = append(slices.Delete(s.programs[m], i, i+1), p)
			s.use(&p.usage)
			return p.ready, nil
		}
		if p.net == net {
			o.Like = append(o.Like, p.ready)
		}
	}
	start := time.Now()
	ready, err := cpu.New(ctx, net, o)
	if err != nil {
		return nil, fmt.Errorf("model %q: %w", m.Name, err)
	}
	p := &program{net: net, kernels: o.Kernels, algorithms: o.Algorithms, ready: ready}
	s.use(&p.usage)
	s.programs[m] = append(s.programs[m], p)
	s.dropPrograms(m)
	s.Loaded(m, time.Since(start))
	return ready, nil
}

// own is the program that a plan runs on, nil while it is not ready.
func (s *Session) own(p *planner.Occlude) *program {
	for _, ready := range s.programs[p.Model] {
		if ready.made(p.Net, p.Kernels, p.Chosen().Algorithms) {
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

// kept is something that is kept for other queries.
type kept struct {
	of      *model.Model
	program *program // whose it is
	seen    *seen    // nil for the program itself
}

func (k kept) usage() *usage {
	if k.seen != nil {
		return &k.seen.usage
	}
	return &k.program.usage
}

func (k kept) arrays() [][]float32 {
	if k.seen != nil {
		return k.seen.arrays()
	}
	return append(k.program.net.Arrays(), k.program.arrays()...)
}

// latest is all that is kept, what was used last first.
func (s *Session) latest() []kept {
	var all []kept
	for m, programs := range s.programs {
		for _, p := range programs {
			all = append(all, kept{of: m, program: p})
		}
	}
	for _, v := range s.seen {
		all = append(all, kept{v.model, v.by, v})
	}
	slices.SortFunc(all, func(a, b kept) int { return cmp.Compare(b.usage().at, a.usage().at) })
	return all
}

// makeRoom lets go of what was made ready for other plans, as far as it does not fit
// into the memory limit beside the plan that is to run, on an image that was seen
// before or not. What was used the longest ago goes first.
func (s *Session) makeRoom(p *planner.Occlude, image *seen) {
	if p.MemoryLimit == 0 {
		return
	}
	own := s.own(p)
	known, _ := s.held(p, own)
	if image != nil {
		known.Add(image.arrays()...)
	}
	left := p.MemoryLimit - p.Chosen().Estimate.PeakBytes
	for _, k := range s.latest() {
		if k.seen == nil && k.program == own || k.seen != nil && k.seen == image {
			continue
		}
		if left -= known.Add(k.arrays()...); left < 0 {
			s.drop(k)
		}
	}
	s.dropViews(s.unmade)
}

// drop lets go of something that is kept.
func (s *Session) drop(k kept) {
	if k.seen != nil {
		s.dropViews(func(v *seen) bool { return v == k.seen })
		return
	}
	s.programs[k.of] = slices.DeleteFunc(s.programs[k.of], func(p *program) bool { return p == k.program })
}

// showCache lists what is kept, views first, then what was used last.
func (s *Session) showCache() *Relation {
	r := &Relation{Columns: []string{"kind", "model", "image", "convolutions", "bytes", "uses", "last_used"}}
	var known memory.Arrays
	var weights [][]any
	for _, k := range s.latest() {
		u := k.usage()
		row := []any{"views", k.of.Name, nil, convolutions(k.program.algorithms), 0, u.uses, planner.FormatAge(time.Since(u.last))}
		if k.seen != nil {
			row[2], row[4] = k.seen.image, int(k.seen.bytes)
			r.Rows = append(r.Rows, row)
			continue
		}
		row[0], row[4] = "weights", int(known.Add(k.program.arrays()...)) // what programs share counts for one
		weights = append(weights, row)
	}
	r.Rows = append(r.Rows, weights...)
	return r
}

// clearCache lets go of all that is kept, and says how much that was.
func (s *Session) clearCache() Message {
	var known memory.Arrays
	var views, weights int64
	programs := 0
	for _, all := range s.programs {
		programs += len(all)
		for _, p := range all {
			weights += known.Add(p.arrays()...)
		}
	}
	images := len(s.seen)
	for _, v := range s.seen {
		views += v.bytes
	}
	clear(s.programs)
	s.seen = nil
	if images+programs == 0 {
		return Message{"CLEAR CACHE: nothing was kept"}
	}
	return Message{fmt.Sprintf("CLEAR CACHE: %s of views (%s), the packed weights of %s (%s)",
		planner.Counted(images, "set"), planner.FormatBytes(views), planner.Counted(programs, "program"), planner.FormatBytes(weights))}
}
