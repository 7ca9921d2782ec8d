package planner

import (
	"fmt"
	"math"
	"slices"
	"sort"

	"occlude/internal/network"
	"occlude/operators"
	"occlude/operators/gpu"
	"occlude/operators/gpu/kernels"
	"occlude/operators/region"
	"occlude/planner/cost"
)

// What a plan takes on a GPU is told by the very launches of its batches, see gpu.Traffic: a
// GPU is kept busy by what is computed together, and a sum over positions does not say that.

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

// OnGPU is what a plan on a GPU is expected to take of it, for each image.
type OnGPU struct {
	DeviceMemory
	// Free is how many bytes of its memory a plan could have.
	Free int64
	// Profile is what costs on it are told by.
	Profile *cost.Device
	// Moved are the bytes that an image's launches read and write of its memory.
	Moved int64
	// Up and Down are the bytes that are copied to the GPU and back for an image, weights not
	// included, BatchUp and BatchDown those of a batch.
	Up, Down, BatchUp, BatchDown int64
	Batches, Launches            int
	// Fill is the share of the GPU that launches occupy in the mean over their time.
	Fill float64
	// BringSeconds are those of bringing the weights, divided among the images of a query;
	// they are part of those of the base pass.
	BringSeconds float64
	// StageSeconds are what a batch takes however few its positions are.
	StageSeconds float64
}

// slower says why less work takes longer than that of another plan on the same GPU.
func (on *OnGPU) slower(than *OnGPU) string {
	const tells = 1.05 // a factor
	moved, filled := float64(on.Moved)/float64(max(1, than.Moved)), than.Fill/on.Fill
	switch {
	case moved > max(tells, filled):
		return fmt.Sprintf("%.1fx the bytes to read and write", moved)
	case filled > tells:
		return fmt.Sprintf("they fill %s of the GPU, not %s", percent(on.Fill), percent(than.Fill))
	}
	return "in more launches"
}

// onGPU is a candidate while it is costed on a GPU.
type onGPU struct {
	*Candidate
	card    *card
	query   *Occlude
	shape   *gpu.Shape
	batch   []operators.Update // all positions, in their order
	largest []region.Rect      // of the layers, over all positions
	views   bool               // are read while positions are computed
}

// costOnGPU sizes the batches for the memory that is free on the GPU, and expects what they
// take.
func (c *Candidate) costOnGPU(q *Occlude, h hints, r resources) error {
	g := onGPU{Candidate: c, card: r.card, query: q, views: c.ReadsViews()}
	c.refused = nil
	g.updates()
	if c.Algorithms == nil {
		if err := g.choose(h.accuracy); err != nil {
			return err
		}
	}
	if err := g.by(c.Algorithms); err != nil {
		return err
	}
	if err := g.size(h); err != nil {
		return err
	}
	if err := g.price(r.held); err != nil {
		return err
	}
	if c.refused == nil && r.memory > 0 && c.Estimate.PeakBytes > r.memory {
		c.refused = &tooLarge{c, r.memory, r.auto}
	}
	return nil
}

// updates lists what a worker is handed, position by position.
func (g *onGPU) updates() {
	q := g.query
	var data []float32
	if q.Fill.Kind == FillMeanPatch { // a colour at each position; all others are cut from a cover
		data = []float32{}
	}
	patch := region.Whole(min(q.Grid.PatchH, q.Grid.Height), min(q.Grid.PatchW, q.Grid.Width))
	kinds := make([]operators.Update, len(g.shapes.kinds))
	for i := range kinds {
		rects := slices.Clone(g.shapes.kinds[i].rects)
		kinds[i] = operators.Update{Patch: operators.Tile{Rect: patch, Data: data}, Rects: rects, Reads: g.Rects.Reads(q.Net, rects, nil)}
		rects[0] = patch
	}
	g.batch = make([]operators.Update, len(g.Order))
	for i, at := range g.Order {
		g.batch[i] = kinds[g.shapes.kindOf(at)]
	}
	g.largest = g.Candidate.largest()
	g.largest[0] = patch
}

// by computes the layers by some algorithms.
func (g *onGPU) by(algorithms []operators.Algorithm) (err error) {
	g.shape, err = gpu.NewShape(g.query.Net, gpu.Options{Algorithms: algorithms})
	return err
}

// choiceOnGPU is the batch for which algorithms are compared: what is computed must depend
// neither on the memory that happens to be free nor on a hint.
const choiceOnGPU = 256

// choose fixes the algorithms. The base pass counts as one more position.
func (g *onGPU) choose(want accuracy) error {
	net := g.query.Net
	all := len(g.batch)
	options := make([][]option, len(net.Layers))
	for _, a := range gpu.AllAlgorithms() {
		if slices.Contains(want.off, a) {
			continue
		}
		if err := g.by(gpu.Wherever(net, a)); err != nil {
			return err
		}
		b, err := g.count(min(choiceOnGPU, all), all)
		if err != nil {
			return err
		}
		t, err := g.shape.Traffic(wholeRects(net, nil), 1)
		if err != nil {
			return err
		}
		for i := range b.layers {
			b.layers[i] *= float64(b.number)
		}
		for i, l := range t.Launches {
			b.layers[l.Layer] += g.card.rates.Launches(t.Launches[i : i+1])
		}
		for i, l := range net.Layers {
			if slices.Contains(want.onGPU(l), a) {
				options[i] = append(options[i], option{a, b.layers[i], gpu.Error(a) * gpu.Error(a)})
			}
		}
	}
	g.Algorithms = settle(options, want.tolerance, func(chosen []operators.Algorithm) float64 { return errorOnGPU(net, chosen) })
	return nil
}

// onGPU are the algorithms of a GPU that a layer may be computed by: all, or the one that a
// hint forces where it can.
func (want accuracy) onGPU(l *network.Layer) []operators.Algorithm {
	all, forced := gpu.Algorithms(l), operators.Algorithm(want.convolution)
	if slices.Contains(all, forced) {
		return []operators.Algorithm{forced}
	}
	return all
}

// errorOnGPU is the expected error of the probabilities, see cost.Error.
func errorOnGPU(net *network.Network, algorithms []operators.Algorithm) float64 {
	sum := 0.0
	for i, l := range net.Layers {
		if len(gpu.Algorithms(l)) > 0 {
			sum += gpu.Error(algorithms[i]) * gpu.Error(algorithms[i])
		}
	}
	return math.Sqrt(sum)
}

// pace is how a GPU's workers may take the positions.
type pace struct {
	workers, batch int
	seconds        float64 // elapsed, of all positions
}

// size chooses the workers and the batch: the smallest that is nearly the fastest of those
// that fit, and takes no longer than batchSeconds.
func (g *onGPU) size(h hints) error {
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

// samples are batches of a size from all over the positions.
func (g *onGPU) samples(size int) (batches [][]operators.Update) {
	all := len(g.batch)
	size = min(size, all)
	n := min(sampledBatches, (all+size-1)/size)
	for i := range n {
		lo := 0
		if n > 1 {
			lo = i * (all - size) / (n - 1)
		}
		batches = append(batches, g.batch[lo:lo+size])
	}
	return batches
}

// batches is what all batches of a size come to, by those of samples.
type batches struct {
	number            int
	computing, beside float64     // seconds of one
	moved             float64     // bytes that it reads and writes of the device's memory
	layers            []float64   // seconds of the device, by layer Index, of one
	traffic           gpu.Traffic // of one of them
	fill              float64     // in the mean over the device's time
}

// count goes through the launches of batches of a size.
func (g *onGPU) count(size, positions int) (b batches, err error) {
	b.layers = make([]float64, len(g.query.Net.Layers))
	b.number = (positions + size - 1) / size
	samples := g.samples(size)
	// The last batch may have fewer positions, and a sample may.
	part := float64(positions) / float64(b.number) / float64(len(samples[0])) / float64(len(samples))
	full := 0.0
	for _, sample := range samples {
		if b.traffic, err = g.shape.TrafficOf(sample, g.views); err != nil {
			return b, err
		}
		for i := range b.traffic.Launches {
			l := b.traffic.Launches[i]
			seconds := part * g.card.rates.Launches(b.traffic.Launches[i:i+1])
			b.layers[l.Layer] += seconds
			b.computing += seconds
			full += seconds * g.card.rates.Fill(l)
			b.moved += part * float64(l.Read+l.Written)
		}
		b.beside += part * g.card.rates.Beside(b.traffic)
	}
	b.fill = full / max(b.computing, math.SmallestNonzeroFloat64)
	return b, nil
}

// pace expects what workers take for all positions, and the device for a batch.
func (g *onGPU) pace(workers, batch, positions int) (p pace, computing float64, err error) {
	b, err := g.count(batch, positions)
	if err != nil {
		return p, 0, err
	}
	workers = min(workers, b.number)
	return pace{workers, batch, g.card.rates.Elapsed(b.number, workers, b.computing, b.beside)}, b.computing, nil
}

// price turns the launches of all batches and of the base pass into seconds, and says what is
// held and copied.
func (g *onGPU) price(held Memory) error {
	c, q, e := g.Candidate, g.query, &g.Estimate
	positions := max(1, c.Positions())
	b, err := g.count(c.Batch, positions)
	if err != nil {
		return err
	}
	on := g.memory(c.Threads, c.Batch)
	if c.ArenaBytes, err = g.arena(c.Batch); err != nil {
		return err
	}
	e.OnGPU, e.Seconds, e.BaseSeconds, e.MACs, e.BaseMACs = &on, g.card.rates.Elapsed(b.number, c.Threads, b.computing, b.beside), 0, 0, 0
	c.updates = nil
	for i := range c.Layers {
		c.Layers[i].Seconds = b.layers[i] * float64(b.number)
		e.MACs += c.Layers[i].Work.MACs
	}
	on.Batches, on.Launches, on.Fill = b.number, b.number*len(b.traffic.Launches), b.fill
	on.Moved = int64(math.Round(float64(b.number) * b.moved))
	on.BatchUp, on.BatchDown = b.traffic.Tables+b.traffic.Patches, b.traffic.Scores
	one, err := g.count(1, 1)
	if err != nil {
		return err
	}
	on.StageSeconds = one.computing + one.beside
	on.Up, on.Down = int64(b.number)*on.BatchUp, int64(positions)*4*int64(q.Net.Output.Shape.Len())
	if covers := int64(c.Threads) * g.cover(); covers > 0 {
		on.Up += covers
		e.Seconds += g.card.rates.Bring(covers, c.Threads)
	}
	onItsWay := int64(0) // in the base pass
	if c.Views == nil {
		if onItsWay, err = g.basePass(); err != nil {
			return err
		}
	}
	e.ViewBytes = keptByFull(q.Net) // the host's
	if g.views || q.Keeps {
		e.ViewBytes += on.Views
	}
	e.Error = errorOnGPU(q.Net, c.Algorithms)
	e.Memory = g.hostMemory(held, b.traffic, onItsWay)
	e.PeakBytes = e.Memory.Total()
	return nil
}

// basePass adds what comes before the first position: the base pass, and before it the
// weights, which are there where views are. What is on its way then takes as many bytes of the
// host's memory.
func (g *onGPU) basePass() (onItsWay int64, err error) {
	net, e, rates := g.query.Net, &g.Estimate, g.card.rates
	t, err := g.pass()
	if err != nil {
		return 0, err
	}
	e.OnGPU.BringSeconds = rates.BringWeights(e.OnGPU.Weights, weightPieces(net)) / float64(max(1, len(g.query.Images)))
	e.BaseMACs = net.Work().MACs
	e.BaseSeconds = e.OnGPU.BringSeconds + rates.BasePass(t)
	e.OnGPU.Up += t.Tables + t.Patches + t.Image
	e.OnGPU.Down += t.Scores
	e.OnGPU.Launches += len(t.Launches)
	all := t.Total()
	e.OnGPU.Moved += all.Read + all.Written
	e.MACs += e.BaseMACs
	e.Seconds += e.BaseSeconds
	return t.Tables + t.Patches + t.Scores, nil
}

// pass is what a base pass does.
func (g *onGPU) pass() (cost.BasePass, error) {
	net := g.query.Net
	t, err := g.shape.BaseTraffic()
	return cost.BasePass{Traffic: t, Image: 4 * int64(net.Input().Shape.Len()), Views: len(net.Layers) - 1}, err
}

// weightPieces is in how many pieces of memory weights come to a GPU.
func weightPieces(net *network.Network) (n int) {
	for _, l := range net.Layers {
		switch l.Op.(type) {
		case network.Conv, network.Dense:
			n += 2 // weights and bias
		}
	}
	return n
}

// hostMemory is what the host holds beside: what goes up and comes back, a layer's weights
// while they are brought into their order, and of the views what is read there. The worker of
// the base pass keeps the room for what went up then.
func (g *onGPU) hostMemory(held Memory, t gpu.Traffic, base int64) Memory {
	c, q := g.Candidate, g.query
	for _, l := range q.Net.Layers {
		held.Packed = max(held.Packed, cost.WeightBytes(l, operators.Direct))
	}
	held.Results = c.resultBytes(q) + c.estimatorBytes(q)
	held.Views = keptByFull(q.Net)
	batch := t.Tables + t.Patches + t.Scores
	held.Workers = int64(c.Threads-1)*batch + max(batch, base) + int64(c.Threads)*notesBytes(q, c.Batch)
	return held
}
