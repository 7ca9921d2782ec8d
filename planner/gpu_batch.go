package planner

import (
	"math"
	"slices"
	"sort"

	"occlude/operators/gpu/kernels"
)

// Limits of what a GPU's worker computes together.
const (
	// gpuWorkers take turns: while the batch of one is prepared or copied, the other's is
	// computed.
	gpuWorkers = 2
	// mostOnGPU is where larger batches fill a launch no better.
	mostOnGPU = 1024
	// leastOnGPU is what a batch is made smaller to before a worker is given up.
	leastOnGPU = 16
	// nearly is by how much a batch may be slower for being smaller: smaller ones tell more
	// often how far a query has come, and take less memory.
	nearly = 1.05
	// sampledBatches are how many batches' launches are counted for those of all.
	sampledBatches = 2
	// usualOnGPU is a batch from which on larger ones are tried only as long as each is faster
	// by a share of worthLarger.
	usualOnGPU, worthLarger = 128, 0.02
	// freeShare is the share of the free memory that a plan may have: allocations leave gaps,
	// and the driver takes memory for kernels and streams.
	freeShare = 15. / 16
)

// pace is how a GPU's workers may take the positions.
type pace struct {
	workers, batch int
	seconds        float64 // elapsed, of all positions
}

// size chooses the workers and the batch: the smallest that is nearly the fastest of those
// that fit, and takes no longer than batchSeconds.
func (g *onGPU) size(h hints) error {
	g.refused = nil
	g.arrange()
	if err := g.by(g.Algorithms); err != nil {
		return err
	}
	positions := max(1, g.Positions())
	most, workers := min(positions, mostOnGPU), gpuWorkers
	if g.Adaptive != nil { // a stage has no more
		most = min(most, max(coarse, 2*positions/usualStages))
	}
	if h.batch > 0 {
		most = min(h.batch, len(g.query.Grid.Positions))
	}
	if h.threads > 0 {
		workers = min(workers, h.threads)
	}
	var paces []pace
	fastest := math.Inf(1)
	for ; workers > 0 && paces == nil; workers-- {
		largest := g.fitting(workers, most, h.batch > 0)
		if largest == 0 || workers > 1 && largest < min(most, leastOnGPU) {
			continue // one worker alone can have more
		}
		for _, batch := range sizes(largest, positions, h.batch > 0) {
			p, computing, err := g.pace(workers, batch, positions)
			if err != nil {
				return err
			}
			if paces != nil && computing > batchSeconds {
				break
			}
			paces = append(paces, p)
			before := fastest
			fastest = min(fastest, p.seconds)
			if batch > usualOnGPU && p.seconds > (1-worthLarger)*before {
				break
			}
		}
	}
	if paces == nil {
		g.Threads, g.Batch = 1, 1 // which tells at least what it would take
		batch := max(1, min(most, h.batch))
		g.refused = &noRoom{g.Candidate, batch, g.memory(1, batch)}
		return nil
	}
	for _, p := range paces {
		if p.seconds <= nearly*fastest {
			g.Threads, g.Batch = p.workers, p.batch
			break
		}
	}
	return nil
}

// fitting is the largest batch up to most that is free for a number of workers, 0 for none;
// where that is a hint, none but most itself.
func (g *onGPU) fitting(workers, most int, hint bool) int {
	if g.fits(workers, most) {
		return most
	}
	if hint {
		return 0
	}
	return sort.Search(most, func(n int) bool { return !g.fits(workers, n+1) })
}

// sizes are batches to try, the smallest first: such that all have about as many positions.
func sizes(largest, positions int, hint bool) (all []int) {
	if hint {
		return []int{largest}
	}
	for n := min(leastOnGPU, largest); ; n = min(2*n, largest) {
		batches := (positions + n - 1) / n
		all = append(all, (positions+batches-1)/batches)
		if n == largest {
			slices.Sort(all)
			return slices.Compact(all)
		}
	}
}

// memory is what a number of workers with batches of a size take on the GPU, of which one
// makes the base pass, too, if there is one. Workers take nothing where a GPU cannot have such
// a batch at all.
func (g *onGPU) memory(workers, batch int) OnGPU {
	m := OnGPU{DeviceMemory: DeviceMemory{Weights: g.shape.Weights(), Views: g.shape.ViewBytes()}, Free: g.card.Free, Profile: g.card.rates}
	arena, err := g.arena(batch)
	if err != nil {
		return m
	}
	base := int64(0)
	if g.Views == nil {
		if base, err = g.shape.BaseBytes(); err != nil {
			return m
		}
	}
	m.Workers = int64(workers-1)*arena + max(arena, base) + int64(workers)*g.cover()
	return m
}

// fits tells whether so much is free.
func (g *onGPU) fits(workers, batch int) bool {
	m := g.memory(workers, batch)
	return m.Workers > 0 && float64(m.Total()) <= freeShare*float64(m.Free)
}

// cover is what the image that patches are cut from takes, of which each worker has one.
func (g *onGPU) cover() int64 {
	if g.query.Fill.Kind == FillMeanPatch {
		return 0
	}
	return 4 * int64(g.query.Net.Input().Shape.Len())
}

// arena is what a worker takes for all that it computes of batches of a size. Layers that
// change alike at all positions of a batch share a table there; in another batch of the same
// size each may need its own.
func (g *onGPU) arena(batch int) (int64, error) {
	bytes, err := g.shape.Bytes(g.largest, batch)
	if err != nil {
		return 0, err
	}
	if g.Rects.Rule == Thresholded { // whose updates have tables of what is read of them, too
		for _, b := range g.samples(batch) {
			exact, err := g.shape.BytesOf(b)
			if err != nil {
				return 0, err
			}
			bytes = max(bytes, exact)
		}
	}
	return bytes + int64(len(g.query.Net.Layers)*((batch+tableRows-1)/tableRows)*tableBytes), nil
}

// A table of positions on a GPU takes whole pieces of memory, each for some rows.
const tableBytes, tableRows = 256, 256 / int(kernels.EntryBytes)
