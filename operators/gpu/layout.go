package gpu

import (
	"fmt"
	"math"
	"slices"

	"occlude/internal/network"
	"occlude/operators"
	"occlude/operators/freelist"
	"occlude/operators/gpu/kernels"
	"occlude/operators/region"
)

// layout is where the values of a batch lie in a worker's arena:
//
//	┌─────────┬────────┬──────────────────────────────────────────────┬─────────┐
//	│ patches │ tables │ updates of layers, scratch: each from when    │ outputs │
//	│         │        │ it is made until it was read last            │         │
//	└─────────┴────────┴──────────────────────────────────────────────┴─────────┘
//	 └──── uploaded ──┘                                                └ downl. ┘
//
// A layer's updates at all positions stand one behind the other, without gaps; those of a
// concat's piece between the concat's. Layers that change alike share a table, though there is
// room for one of each: a batch of smaller rectangles may need them. Offsets are in bytes.
type layout struct {
	size      size
	layers    []span // by Index
	unchanged int64  // the table of layers that change nowhere
	whole     int64  // the table of whole outputs
	patches   int64  // bytes of patches, which come first
	uploaded  int64  // bytes of patches and tables
	outputs   int64  // of all positions, whole
	bytes     int64  // of everything
}

// span is a layer's part of a layout.
type span struct {
	cells   int64 // of all positions
	most    int   // of one of them
	table   int64 // entries of all positions
	reads   int64 // the same for what the layer reads of its first input, if that is less, else 0
	at      int64 // the values
	owner   int   // the layer in whose memory they are, itself mostly
	from    int   // the channel of the owner that is the layer's first
	pitch   int   // channels of the owner
	scratch int64 // bytes from here on are the layer's while it is computed
}

// tableBytes is what a table takes.
func tableBytes(positions int) int64 { return aligned(int64(positions) * kernels.EntryBytes) }

// size is what a batch comes to in each layer, by Index: cells of all positions and most of
// one of them.
type size struct {
	batch     []stretch
	positions int
	cells     []int64
	most      []int
	cropped   []bool // reads less than its first input's update
	patches   bool   // come from the host
	inside    []bool // lies in its concat's updates, which is where the concat changes at least
	ring      []bool // and the concat changes more
	same      []int  // the first layer whose table is the same
}

// sizeOf adds up a batch.
func (p *Shape) sizeOf(batch []stretch) size {
	net := p.net
	n := len(net.Layers)
	s := size{
		batch: batch, cells: make([]int64, n), most: make([]int, n), cropped: make([]bool, n),
		inside: make([]bool, n), ring: make([]bool, n), same: make([]int, n),
	}
	for _, u := range batch {
		s.positions += u.positions
		s.patches = s.patches || u.Patch.Data != nil
		for i, l := range net.Layers {
			area := rectOf(u.Update, i).Area()
			s.cells[i] += int64(u.positions) * int64(area)
			s.most[i] = max(s.most[i], area)
			if u.Reads != nil && len(l.In) > 0 && !u.Rects[i].Empty() && !u.Reads[i].Contains(rectOf(u.Update, l.In[0].Index)) {
				s.cropped[i] = true
			}
		}
	}
	for i, in := range p.inside {
		if in.owner == 0 || s.cells[i] == 0 || s.cropped[in.owner] {
			continue
		}
		s.inside[i] = true
		for _, u := range batch {
			own, all := rectOf(u.Update, i), rectOf(u.Update, in.owner)
			s.inside[i] = s.inside[i] && all.Contains(own)
			s.ring[i] = s.ring[i] || own != all
		}
	}
	var tables []int // layers with different ones
	for i := range net.Layers {
		known := slices.IndexFunc(tables, func(k int) bool { return p.sameTable(&s, i, k) })
		if s.same[i] = i; known >= 0 {
			s.same[i] = tables[known]
		} else if s.cells[i] > 0 {
			tables = append(tables, i)
		}
	}
	return s
}

// sameTable tells whether two layers change, and lie in memory, alike.
func (p *Shape) sameTable(s *size, i, k int) bool {
	inI, _ := p.place(s, i)
	inK, _ := p.place(s, k)
	for _, u := range s.batch {
		if rectOf(u.Update, i) != rectOf(u.Update, k) || rectOf(u.Update, inI) != rectOf(u.Update, inK) {
			return false
		}
	}
	return true
}

// place is the layer in whose updates those of a layer lie, the layer itself where that is
// none, and from which channel on.
func (p *Shape) place(s *size, layer int) (owner, at int) {
	for owner = layer; s.inside[owner]; owner = p.inside[owner].owner {
		at += p.inside[owner].at
	}
	return owner, at
}

// rectOf is the rectangle of a layer that an update computes, or brings along.
func rectOf(u *operators.Update, layer int) region.Rect {
	if layer == 0 {
		return u.Patch.Rect
	}
	return u.Rects[layer]
}

// uniform is the size of a batch of equal positions.
func (p *Shape) uniform(rects []region.Rect, positions int) size {
	u := operators.Update{Patch: operators.Tile{Rect: rects[0], Data: []float32{}}, Rects: rects}
	return p.sizeOf([]stretch{{&u, positions}})
}

// lay makes the layout of a batch. Where views is true the layers' values are not in the
// arena, for they become views.
func (p *Shape) lay(s size, views bool) (*layout, error) {
	net := p.net
	if views {
		clear(s.inside)
	}
	l := &layout{size: s, layers: make([]span, len(net.Layers))}
	table := tableBytes(s.positions)
	next := func(bytes int64) int64 {
		at := l.uploaded
		l.uploaded += bytes
		return at
	}
	if s.patches {
		l.patches = aligned(4 * s.cells[0] * int64(net.Input().Shape.C))
		next(l.patches)
	}
	l.unchanged, l.whole = next(table), next(table)
	spare := int64(0) // for tables that others share here
	for i, layer := range net.Layers {
		v := &l.layers[i]
		v.cells, v.most, v.table = s.cells[i], s.most[i], l.unchanged
		if v.cells > math.MaxInt32/2 {
			return nil, fmt.Errorf("%s: %d cells at %d positions are too many for one batch", layer, v.cells, s.positions)
		}
		switch {
		case v.cells == 0:
		case s.same[i] == i:
			v.table = next(table)
		default:
			v.table = l.layers[s.same[i]].table
			spare += table
		}
		if s.cropped[i] {
			v.reads = next(table)
		}
		v.owner, v.from = p.place(&s, i)
		v.pitch = net.Layers[v.owner].Shape.C
	}
	p.allocate(l, l.uploaded+spare, views)
	return l, nil
}

// allocate gives the layers of a layout memory, each from when it is made until it was read
// last.
func (p *Shape) allocate(l *layout, uploaded int64, views bool) {
	memory, top := freelist.New(math.MaxInt/alignment/2), 0
	take := func(bytes int64) (lo, hi int) {
		n := int(aligned(max(bytes, 1)) / alignment)
		lo, _ = memory.Take(n)
		top = max(top, lo+n)
		return lo, lo + n
	}
	take(uploaded)
	until := make([]int, len(l.layers)) // by owner
	for i, v := range l.layers {
		until[v.owner] = max(until[v.owner], p.lastRead[i])
	}
	taken := make([][2]int, len(l.layers))
	release := func(layer, now int) {
		i := l.layers[layer].owner
		if t := taken[i]; until[i] == now && t[1] > t[0] {
			memory.Give(t[0], t[1])
			taken[i] = [2]int{}
		}
	}
	for i, layer := range p.net.Layers {
		v := &l.layers[i]
		if i == 0 && l.size.patches {
			continue // which begin the arena
		}
		if v.cells > 0 && !views {
			t := &taken[v.owner]
			if t[1] == 0 {
				t[0], t[1] = take(4 * l.layers[v.owner].cells * int64(v.pitch))
			}
			v.at = int64(t[0])*alignment + 4*int64(v.from)
		}
		if k, ok := p.kernels[i].(scratchy); ok && v.cells > 0 {
			lo, hi := take(k.scratch(v.cells, l.layers[l.layers[layer.In[0].Index].owner].cells))
			v.scratch = int64(lo) * alignment
			memory.Give(lo, hi)
		}
		for _, in := range layer.In {
			release(in.Index, i)
		}
		release(i, i)
	}
	lo, _ := take(4 * int64(l.size.positions) * int64(p.net.Output.Shape.Len()))
	l.outputs = int64(lo) * alignment
	l.bytes = int64(top) * alignment
}

// tables fills in what is uploaded but for the patches.
func (l *layout) tables(net *network.Network, batch []operators.Update, upload []byte) {
	n := l.size.positions
	whole := filler{entries: entries(upload[l.whole:], n)}
	for b := range n {
		whole.add(b, net.Output.Shape.Whole(), net.Output.Shape.Whole())
	}
	clear(entries(upload[l.unchanged:], n))
	for i, v := range l.layers {
		if v.cells == 0 || l.size.same[i] != i {
			continue
		}
		fill := filler{entries: entries(upload[v.table:], n)}
		for b := range batch {
			fill.add(b, rectOf(&batch[b], i), rectOf(&batch[b], v.owner))
		}
	}
	for i, layer := range net.Layers {
		v := l.layers[i]
		if v.reads == 0 {
			continue
		}
		to, from := entries(upload[v.reads:], n), entries(upload[l.layers[layer.In[0].Index].table:], n)
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

// filler writes a table, the memory of updates standing one behind the other.
type filler struct {
	entries     []kernels.Entry
	rows, cells int
}

// add adds a position, at which a rectangle changes in the memory of another around it.
func (f *filler) add(position int, r, around region.Rect) {
	e := &f.entries[position]
	*e = kernels.Entry{Row: int32(f.rows)}
	if !r.Empty() {
		e.Y0, e.X0, e.Y1, e.X1 = int32(r.Y.Lo), int32(r.X.Lo), int32(r.Y.Hi), int32(r.X.Hi)
		e.Width, e.Base = int32(around.W()), int32(f.cells-around.Y.Lo*around.W()-around.X.Lo)
	}
	f.rows += r.Area()
	f.cells += around.Area()
}
