package planner

import (
	"math"

	"occlude/internal/network"
	"occlude/operators"
	"occlude/operators/gpu"
	"occlude/planner/cost"
)

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
func (g *onGPU) price() error {
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
	e.Memory = g.hostMemory(g.limits.held, b.traffic, onItsWay)
	e.PeakBytes = e.Memory.Total()
	if limit := g.limits.memory; c.refused == nil && limit > 0 && e.PeakBytes > limit {
		c.refused = &tooLarge{c, limit, g.limits.auto}
	}
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
