package cpu

import (
	"context"
	"fmt"

	"occlude/internal/network"
	"occlude/operators"
)

// Team is a few workers that run programs one after the other, so that memory
// which one program needed serves the next: for computations of many small
// programs, such as a backward pass with one for each layer. One goroutine uses a
// team at a time.
type Team struct {
	workers []*worker
	free    map[int][][]float32 // memory that was given back, by length
	bytes   int64               // of all values that were taken
	ran     map[*Program]bool
}

// NewTeam makes a team of as many workers as it may use threads.
func NewTeam(threads int) *Team {
	t := &Team{workers: make([]*worker, max(threads, 1)), free: map[int][][]float32{}, ran: map[*Program]bool{}}
	for i := range t.workers {
		t.workers[i] = &worker{}
	}
	return t
}

// Take gives n values of any contents, out of what was given back if it can.
func (t *Team) Take(n int) []float32 {
	if have := t.free[n]; len(have) > 0 {
		t.free[n] = have[:len(have)-1]
		return have[len(have)-1]
	}
	t.bytes += 4 * int64(n)
	return make([]float32, n)
}

// Bytes is the memory that the team ever needed, for values and to compute them.
func (t *Team) Bytes() int64 {
	n := t.bytes
	for _, w := range t.workers {
		n += w.memory.peak
	}
	return n
}

// Arrays are the weights of all programs that the team ran: those of their networks
// and those that were packed.
func (t *Team) Arrays() [][]float32 {
	var all [][]float32
	for p := range t.ran {
		all = append(append(all, p.net.Arrays()...), p.Arrays()...)
	}
	return all
}

// Give takes values back that nobody refers to any more: they may be what Run
// computed.
func (t *Team) Give(v []float32) {
	if len(v) > 0 {
		t.free[len(v)] = append(t.free[len(v)], v)
	}
}

// Run computes the value of every layer of a program, by Index, from that of its
// input, in stored order. Like Base it cuts layers into bands of rows, and no
// result depends on where; it counts nothing.
func (t *Team) Run(ctx context.Context, p *Program, in []float32) ([][]float32, error) {
	if s := p.net.Input().Shape; len(in) != s.Len() {
		return nil, fmt.Errorf("%d values for a network that takes %s", len(in), s)
	}
	t.ran[p] = true
	for _, w := range t.workers {
		w.program, w.stats = p, make([]operators.LayerStats, len(p.net.Layers))
		defer w.watch(ctx)()
	}
	values := make([][]float32, len(p.net.Layers))
	values[0] = in
	tile := func(i int) operators.Tile { return operators.WholeTile(p.net.Layers[i].Shape, values[i]) }
	for i, l := range p.net.Layers[1:] {
		if c, ok := l.Op.(network.Const); ok {
			values[i+1] = c.Value.Data().([]float32)
			continue
		}
		out := t.Take(l.Shape.Len())
		if _, err := p.compute(ctx, t.workers, l, tile, out, nil); err != nil {
			return nil, err
		}
		values[i+1] = out
	}
	return values, nil
}
