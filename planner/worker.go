package planner

import (
	"fmt"
	"math"
	"slices"

	"occlude/internal/network"
	"occlude/operators"
	"occlude/operators/freelist"
	"occlude/operators/region"
	"occlude/planner/cost"
)

// What a worker takes from its arena for a batch is known beforehand: it is gone
// through here as operators/cpu does it, layer by layer and group by group, with the
// sizes alone.

// Of the processor's memory, in bytes: what an arena takes at least, and what a line
// of its cache holds. In float32 values: those that a direct convolution gathers at
// a time, and those of transformed tiles that are to stay in the cache. weightTiles
// are transformed together where fewer would.
const (
	slabBytes   = 1 << 20
	lineBytes   = 64
	chunkGather = 3 << 17
	chunkValues = 3 << 17
	weightTiles = 144
)

// layerBytes is what a worker notes of each layer at each position of a batch: the
// rectangles to compute and to read, and where the update is in memory.
const layerBytes = 32 + 32 + 192

// notesBytes is what a worker holds for the positions of a batch beside what it
// computes.
func notesBytes(q *Occlude, batch int) int64 {
	net := q.Net
	pixels := int64(q.Grid.PatchW*q.Grid.PatchH*net.Input().Shape.C) * 4
	notes := pixels + 4*int64(net.Output.Shape.Len()) + layerBytes*int64(len(net.Layers))
	return int64(batch) * notes
}

// workerBytes is the most that a worker takes from its arena, in the base pass and for
// batches of a size.
func (c *Candidate) workerBytes(q *Occlude, batch int) int64 {
	var bytes int64
	if c.Views == nil {
		bytes = c.baseBytes(q.Net, c.Threads)
	}
	for _, b := range c.heaviest(q.Net, batch) {
		bytes = max(bytes, arenaBytes(q.Net, c.Algorithms, b))
	}
	return max(slabBytes, lines((bytes+bytes/16)/4)) // other batches leave other gaps
}

// baseBytes is what each of so many workers takes for the base pass, in which they
// share the rows of a layer.
func (c *Candidate) baseBytes(net *network.Network, threads int) int64 {
	var most int64
	for i, l := range net.Layers[1:] {
		band := l.Shape.Whole()
		band.Y.Hi = (band.Y.Hi + threads - 1) / threads
		var s scratch
		s.add(l, c.Algorithms[i+1], band)
		blocks := s.blocks(l, c.Algorithms[i+1])
		most = max(most, blocks[0]+blocks[1])
	}
	return most
}

// load is a batch by the kinds of its positions, in their order, with the stages that
// it goes through and what its updates take in all layers together.
type load struct {
	kinds  []*kind
	stages []operators.Stage
	total  int64
}

// heaviest are the batches whose updates take the most, one for each way in which the
// layers are cut into stages: small updates go through them in larger groups, and may
// so take more at a time than large ones.
func (c *Candidate) heaviest(net *network.Network, batch int) map[string]load {
	type shape struct {
		largest *kind
		size    int
	}
	cuts := map[shape][]operators.Stage{} // few kinds are the largest of a batch
	best := map[string]load{}
	for order := range slices.Chunk(c.Order, batch) {
		b := load{kinds: make([]*kind, len(order))}
		of := shape{size: len(order)}
		for i, at := range order {
			k := &c.shapes.kinds[c.shapes.kindOf(at)]
			b.kinds[i] = k
			b.total += k.total
			if of.largest == nil || k.cells > of.largest.cells {
				of.largest = k
			}
		}
		if _, known := cuts[of]; !known {
			cuts[of] = stagesOf(net, of.largest.rects, c.Algorithms, of.size)
		}
		b.stages = cuts[of]
		if cut := fmt.Sprint(b.stages); best[cut].total <= b.total {
			best[cut] = b
		}
	}
	return best
}

// arenaBytes is the most that a worker's arena holds of the updates of a batch, gaps
// included. An update lives from the layer that makes it to the last that reads it,
// for each group of positions apart.
func arenaBytes(net *network.Network, algorithms []operators.Algorithm, b load) int64 {
	type block struct{ lo, hi int }
	var (
		batch  = b.kinds
		last   = lastReaders(net)
		memory = freelist.New(math.MaxInt)
		peak   int
		blocks = make([]block, len(net.Layers)*len(batch))
	)
	take := func(bytes int64) block {
		lo, _ := memory.Take(int(bytes))
		peak = max(peak, lo+int(bytes))
		return block{lo, lo + int(bytes)}
	}
	for _, s := range b.stages {
		for lo := 0; lo < len(batch); lo += s.Group {
			hi := min(lo+s.Group, len(batch))
			for _, l := range net.Layers[s.From:s.To] {
				var while scratch
				for b := lo; b < hi; b++ {
					if bytes := batch[b].bytes[l.Index]; bytes > 0 {
						blocks[l.Index*len(batch)+b] = take(bytes)
					}
					while.add(l, algorithms[l.Index], batch[b].rects[l.Index])
				}
				var taken [2]block
				for i, bytes := range while.blocks(l, algorithms[l.Index]) {
					if bytes > 0 {
						taken[i] = take(bytes)
					}
				}
				for _, b := range taken {
					if b.hi > 0 {
						memory.Give(b.lo, b.hi)
					}
				}
				for _, done := range last[l.Index] {
					for b := lo; b < hi; b++ {
						if was := blocks[done*len(batch)+b]; was.hi > 0 {
							memory.Give(was.lo, was.hi)
						}
					}
				}
			}
		}
	}
	return int64(peak)
}

// lastReaders lists, by layer Index, the layers whose values nobody needs behind it.
func lastReaders(net *network.Network) [][]int {
	last := make([]int, len(net.Layers))
	for i, l := range net.Layers {
		last[i] = i
		for _, in := range l.In {
			last[in.Index] = i
		}
	}
	done := make([][]int, len(net.Layers))
	for i, reader := range last {
		if i != net.Output.Index {
			done[reader] = append(done[reader], i)
		}
	}
	return done
}

// updateBytes is what the updates of a position take, by layer: each its rectangle,
// with what windows read around it, which stands around it in memory.
func updateBytes(net *network.Network, rects []region.Rect) []int64 {
	outer := make([]region.Rect, len(net.Layers))
	copy(outer, rects)
	for i, l := range net.Layers {
		r := rects[i]
		if r.Empty() {
			continue
		}
		for j, in := range l.In {
			if rects[in.Index].Empty() {
				continue
			}
			switch op := l.Op.(type) {
			case network.Conv:
				reads := region.Rect{Y: op.Y.Input(r.Y), X: op.X.Input(r.X)}
				if j > 0 {
					reads = l.Reads(j, r)
				}
				outer[in.Index] = outer[in.Index].Union(reads)
			case network.Pool:
				outer[in.Index] = outer[in.Index].Union(l.Reads(j, r))
			}
		}
	}
	bytes := make([]int64, len(net.Layers))
	for i, l := range net.Layers[1:] {
		if !rects[i+1].Empty() {
			bytes[i+1] = lines(int64(outer[i+1].Area()) * int64(l.Shape.C))
		}
	}
	return bytes
}

// lines is what a block of so many float32 values takes, in bytes.
func lines(values int64) int64 { return (4*values + lineBytes - 1) / lineBytes * lineBytes }

// scratch is what a layer takes beside its inputs and outputs.
type scratch struct {
	reads, tiles, products int64
	runs                   int
}

// add is another rectangle to compute.
func (s *scratch) add(l *network.Layer, how operators.Algorithm, r region.Rect) {
	if r.Empty() {
		return
	}
	s.runs++
	if f := cost.Of(l, how); f.Points > 1 {
		s.tiles += f.Tiles(r)
		s.products += f.Products(r)
		return
	}
	s.reads = min(s.reads+readBytes(l, r)/4, chunkGather)
}

// blocks are what all of them take together: transformed tiles before and behind the
// products, as many as are computed at a time; the inputs of fully-connected layers
// side by side.
func (s *scratch) blocks(l *network.Layer, how operators.Algorithm) [2]int64 {
	switch op := l.Op.(type) {
	case network.Conv:
		f := cost.Of(l, how)
		if f.Points == 1 || s.tiles == 0 {
			break
		}
		points, in, out := int64(f.Points), apart(op.GroupIn()), apart(op.Filters())
		weights := points * int64(op.GroupIn()*op.Filters())
		size := chunkValues / (points * (in + out))
		if 4*weights <= 3*chunkValues {
			size = (chunkValues - weights) / (points * (in + out))
		} else if size < weightTiles/2 {
			size = weightTiles
		}
		size = min(max(1, size*s.tiles*points/max(1, s.products)), s.tiles)
		return [2]int64{lines(points * plane(size*in)), lines(points * plane(size*out))}
	case network.Dense:
		const block, rows = 2048, 96 // inputs, and rows of weights
		inputs := min(int64(op.Weights.Shape()[1]), block)
		return [2]int64{lines(int64(s.runs+filterPanel-1) / filterPanel * filterPanel * (inputs + rows))}
	}
	return [2]int64{lines(s.reads)}
}

// plane is the distance between planes of n values, each for a point: whole pages and
// some lines.
func plane(n int64) int64 { return (n+1023)/1024*1024 + 5*lineBytes/4 }

// apart is the distance between vectors of n values that are used side by side.
func apart(n int) int64 { return int64((n+15)/16*16 | 16) }
