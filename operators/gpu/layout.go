package gpu

import (
	"fmt"
	"math"

	"occlude/internal/network"
	"occlude/operators"
	"occlude/operators/freelist"
	"occlude/operators/gpu/kernels"
	"occlude/operators/region"
)

// layout is where the values of a batch lie in a worker's arena:
//
//	┌────────┬─────────┬──────────────────────────────────────────────┬─────────┐
//	│ tables │ patches │ updates of layers, scratch: each from when    │ outputs │
//	│        │         │ it is made until it was read last            │         │
//	└────────┴─────────┴──────────────────────────────────────────────┴─────────┘
//	 └─── uploaded ───┘                                                └ downl. ┘
//
// A layer's updates at all positions stand one behind the other, without gaps: row r of
// a convolution's matrix product is cell r of its output. Offsets are in bytes.
type layout struct {
	positions int
	layers    []span // by Index
	unchanged int64  // the table of layers that change nowhere
	whole     int64  // the table of whole outputs
	patches   int64
	uploaded  int64 // bytes of tables and patches
	outputs   int64 // of all positions, whole
	bytes     int64 // of everything
}

// span is a layer's part of a layout.
type span struct {
	cells   int64 // of all positions
	most    int   // of one of them
	table   int64 // entries of all positions
	reads   int64 // the same for what the layer reads of its first input, if that is less, else 0
	at      int64 // the values
	scratch int64 // bytes from here on are the layer's while it is computed
}

// tablesBytes is what a table takes.
func tableBytes(positions int) int64 { return aligned(int64(positions) * kernels.EntryBytes) }

// size is what a batch comes to in each layer: cells of all positions and most of one
// of them. cropped are layers that read less than their first input's update.
type size struct {
	positions int
	cells     []int64
	most      []int
	cropped   []bool
	patches   bool // come from the host
}

// sizeOf adds up a batch.
func sizeOf(net *network.Network, batch []operators.Update) size {
	n := len(net.Layers)
	s := size{positions: len(batch), cells: make([]int64, n), most: make([]int, n), cropped: make([]bool, n)}
	for b := range batch {
		u := &batch[b]
		s.patches = s.patches || u.Patch.Data != nil
		for i, l := range net.Layers {
			area := rectOf(u, i).Area()
			s.cells[i] += int64(area)
			s.most[i] = max(s.most[i], area)
			if u.Reads != nil && len(l.In) > 0 && !u.Rects[i].Empty() && !u.Reads[i].Contains(rectOf(u, l.In[0].Index)) {
				s.cropped[i] = true
			}
		}
	}
	return s
}

// rectOf is the rectangle of a layer that an update computes, or brings along.
func rectOf(u *operators.Update, layer int) region.Rect {
	if layer == 0 {
		return u.Patch.Rect
	}
	return u.Rects[layer]
}

// uniform is the size of a batch of equal positions.
func uniform(rects []region.Rect, positions int) size {
	s := size{positions: positions, patches: true, cropped: make([]bool, len(rects))}
	for _, r := range rects {
		s.cells = append(s.cells, int64(r.Area())*int64(positions))
		s.most = append(s.most, r.Area())
	}
	return s
}

// lay makes the layout of a batch. Where views is true the layers' values are not in the
// arena, for they become views.
func (p *Shape) lay(s size, views bool) (*layout, error) {
	net := p.net
	l := &layout{positions: s.positions, layers: make([]span, len(net.Layers))}
	table := tableBytes(s.positions)
	next := func(bytes int64) int64 {
		at := l.uploaded
		l.uploaded += bytes
		return at
	}
	l.unchanged, l.whole = next(table), next(table)
	for i, layer := range net.Layers {
		v := &l.layers[i]
		v.cells, v.most, v.table = s.cells[i], s.most[i], l.unchanged
		if v.cells > math.MaxInt32/2 {
			return nil, fmt.Errorf("%s: %d cells at %d positions are too many for one batch", layer, v.cells, s.positions)
		}
		if v.cells > 0 {
			v.table = next(table)
		}
		if s.cropped[i] {
			v.reads = next(table)
		}
	}
	l.patches = next(0)
	if s.patches {
		next(aligned(4 * s.cells[0] * int64(net.Input().Shape.C)))
	}

	memory, top := freelist.New(math.MaxInt/alignment/2), 0
	take := func(bytes int64) (lo, hi int) {
		n := int(aligned(max(bytes, 1)) / alignment)
		lo, _ = memory.Take(n)
		top = max(top, lo+n)
		return lo, lo + n
	}
	take(l.uploaded)
	taken := make([][2]int, len(net.Layers))
	release := func(i int) {
		if t := taken[i]; t[1] > t[0] {
			memory.Give(t[0], t[1])
			taken[i] = [2]int{}
		}
	}
	for i, layer := range net.Layers {
		v := &l.layers[i]
		if i == 0 && s.patches {
			v.at = l.patches
			continue
		}
		if v.cells > 0 && !views {
			lo, hi := take(4 * v.cells * int64(layer.Shape.C))
			taken[i] = [2]int{lo, hi}
			v.at = int64(lo) * alignment
		}
		if k, ok := p.kernels[i].(scratchy); ok && v.cells > 0 {
			lo, hi := take(k.scratch(v.cells, s.cells[layer.In[0].Index]))
			v.scratch = int64(lo) * alignment
			memory.Give(lo, hi)
		}
		for _, in := range layer.In {
			if p.lastRead[in.Index] == i {
				release(in.Index)
			}
		}
		if p.lastRead[i] == i {
			release(i)
		}
	}
	lo, _ := take(4 * int64(s.positions) * int64(net.Output.Shape.Len()))
	l.outputs = int64(lo) * alignment
	l.bytes = int64(top) * alignment
	return l, nil
}

// tables fills in what is uploaded but for the patches.
func (l *layout) tables(net *network.Network, batch []operators.Update, upload []byte) {
	out := net.Output.Shape
	whole := entries(upload[l.whole:], l.positions)
	fill := filler{entries: whole}
	for b := range whole {
		fill.add(b, out.Whole())
	}
	clear(entries(upload[l.unchanged:], l.positions))
	for i := range net.Layers {
		v := l.layers[i]
		if v.table == l.unchanged {
			continue
		}
		fill := filler{entries: entries(upload[v.table:], l.positions)}
		for b := range batch {
			fill.add(b, rectOf(&batch[b], i))
		}
	}
	for i, layer := range net.Layers {
		v := l.layers[i]
		if v.reads == 0 {
			continue
		}
		to, from := entries(upload[v.reads:], l.positions), entries(upload[l.layers[layer.In[0].Index].table:], l.positions)
		for b := range batch {
			e := from[b]
			if r := rectOf(&batch[b], layer.In[0].Index).Intersect(batch[b].Reads[i]); r.Empty() {
				e.Y1, e.X1 = e.Y0, e.X0
			} else {
				e.Y0, e.Y1, e.X0, e.X1 = int32(r.Y.Lo), int32(r.Y.Hi), int32(r.X.Lo), int32(r.X.Hi)
			}
			to[b] = e
		}
	}
}

// filler writes a table, updates standing one behind the other.
type filler struct {
	entries []kernels.Entry
	cells   int
}

func (f *filler) add(position int, r region.Rect) {
	if r.Empty() {
		f.entries[position] = kernels.Entry{Row: int32(f.cells)}
		return
	}
	f.entries[position] = kernels.Entry{
		Y0: int32(r.Y.Lo), X0: int32(r.X.Lo), Y1: int32(r.Y.Hi), X1: int32(r.X.Hi),
		Width: int32(r.W()), Base: int32(f.cells - r.Y.Lo*r.W() - r.X.Lo),
		Row: int32(f.cells),
	}
	f.cells += r.Area()
}
