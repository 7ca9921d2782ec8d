package gpu

import (
	"occlude/internal/network"
	"occlude/operators"
	"occlude/operators/gpu/driver"
	"occlude/operators/gpu/kernels"
)

// step is a layer to compute for consecutive positions of a batch.
type step struct {
	launcher
	layer *network.Layer
	out   kernels.Out
	work  network.Work
	cost  int64 // what the work counts by where it is bounded
	runs  int   // positions at which there is something to compute
	rows  int64 // cells of all positions
	all   int64 // cells of the whole batch
	most  int   // cells of one of the positions, at most
	size  *size
	in    []kernels.Source
	// source is what a kernel reads of a layer.
	source func(*network.Layer) kernels.Source
	made   driver.Pointer // the table of the first input's updates, of which in[0] may show less
	// unchanged is the table of layers that change nowhere.
	unchanged driver.Pointer
	// base is the layer's own view, sums its values before the activation; zero where
	// there is none.
	base, sums driver.Pointer
	// largest is where the largest value of the first input's clean view is, zero where
	// nobody measured it; plain forbids tensor cores.
	largest driver.Pointer
	plain   bool
	scratch driver.Pointer
	// inputs is the cells of the first input at all positions, inputMost of one of them.
	inputs    int64
	inputMost int
}

// launcher takes what steps launch: a worker, or who counts.
type launcher interface {
	launch(a kernels.Args, grid [3]int) error
}

// steps cuts a layer's work on a batch into parts of which none does too much at once, and
// shows each that does something, with the positions from lo up to hi.
func (p *Shape) steps(l *network.Layer, batch []stretch, all int64, do func(s *step, lo, hi int) error) error {
	at, begun := 0, 0 // the next stretch, and how many of its positions are in a step
	for lo := 0; at < len(batch); {
		s := step{layer: l, all: all}
		hi := lo
		for ; at < len(batch); at, begun = at+1, 0 {
			u := batch[at]
			r := u.Rects[l.Index]
			one := network.Work{}
			if !r.Empty() {
				one = l.Work(r)
			}
			cost := p.cost(l, one, r.Area())
			n := u.positions - begun
			if fit := p.limit - s.cost; fit < int64(n)*cost || fit < 0 {
				n = int(max(0, fit) / max(1, cost))
				if hi == lo {
					n = max(1, n)
				}
			}
			s.add(u.Update, n, one, cost)
			hi += n
			if begun += n; begun < u.positions {
				break
			}
		}
		if s.rows > 0 {
			if err := do(&s, lo, hi); err != nil {
				return err
			}
		}
		lo = hi
	}
	return nil
}

// add takes n like positions into a step, each with such work.
func (s *step) add(u *operators.Update, n int, one network.Work, cost int64) {
	area, input := u.Rects[s.layer.Index].Area(), rectOf(u, s.layer.In[0].Index).Area()
	times := int64(n)
	s.work = s.work.Plus(network.Work{MACs: times * one.MACs, Steps: times * one.Steps})
	s.cost += times * cost
	s.runs += n * min(1, area)
	s.rows += times * int64(area)
	s.inputs += times * int64(input)
	if n > 0 {
		s.most, s.inputMost = max(s.most, area), max(s.inputMost, input)
	}
}

// cost is what work on so many cells counts by where it is bounded, in multiply-adds: by
// what is computed, or by the bytes that it moves, the inputs' in the proportion of the maps,
// whichever takes longer.
func (p *Shape) cost(l *network.Layer, w network.Work, cells int) int64 {
	values := l.Shape.Len()
	for _, in := range l.In {
		values += in.Shape.Len()
	}
	bytes := 4 * int64(cells) * int64(values) / int64(l.Shape.Cells())
	if k, ok := p.kernels[l.Index].(*conv); ok && k.name == direct {
		w.MACs *= directWork
	}
	return max(w.MACs+w.Steps, byteWork*bytes)
}

// maxBlocks is how many blocks along x share the values of a position at most: enough to
// fill a device with one position.
const maxBlocks = 1024

// blocks is how many blocks take so many values, a thread each.
func blocks(values int64) int {
	return int(min(maxBlocks, max(1, (values+kernels.Threads-1)/kernels.Threads)))
}

// each is the grid of kernels that compute c values for each cell, position by position.
func (s *step) each(c int) [3]int { return grid(s.most, c, int(s.out.Positions)) }

// grid is that of kernels that compute c values for each of so many cells of a position at
// most: a thread for each, or for 4 where that many can be read at once.
func grid(cells, c, positions int) [3]int {
	if c%vector == 0 {
		c /= vector
	}
	return [3]int{blocks(int64(cells) * int64(c)), positions, 1}
}
