package planner

import (
	"fmt"
	"math"
	"slices"

	"occlude/internal/network"
	"occlude/operators"
	"occlude/operators/gpu"
	"occlude/operators/region"
	"occlude/planner/cost"
)

// What a plan takes on a GPU is told by the very launches of its batches, see gpu.Traffic: a
// GPU is kept busy by what is computed together, and a sum over positions does not say that.

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
	limits  resources
	shape   *gpu.Shape
	batch   []operators.Update // all positions, in their order
	largest []region.Rect      // of the layers, over all positions
	views   bool               // are read while positions are computed
}

// newOnGPU is a candidate that was surveyed, on a GPU.
func newOnGPU(c *Candidate, q *Occlude, r resources) *onGPU {
	return &onGPU{Candidate: c, card: r.card, query: q, limits: r, views: c.ReadsViews()}
}

func (g *onGPU) spread() cost.Spread { return g.card.rates.Spread }

// kinds are the updates that a worker is handed, by kind of position.
func (g *onGPU) kinds() []operators.Update {
	q := g.query
	var data []float32
	if q.Fill.Kind == FillMeanPatch { // a colour at each position; all others are cut from a cover
		data = []float32{}
	}
	kinds := make([]operators.Update, len(g.shapes.kinds))
	for i := range kinds {
		rects := slices.Clone(g.shapes.kinds[i].rects)
		if g.Rects.Rule == Whole { // which says nothing of the patch
			rects[0] = g.patch()
		}
		kinds[i] = operators.Update{Patch: operators.Tile{Rect: rects[0], Data: data}, Rects: rects, Reads: g.Rects.Reads(q.Net, rects, nil)}
	}
	return kinds
}

// patch is the rectangle that is covered, wherever that is.
func (g *onGPU) patch() region.Rect {
	grid := g.query.Grid
	return region.Whole(min(grid.PatchH, grid.Height), min(grid.PatchW, grid.Width))
}

// arrange brings what workers are handed into the candidate's order of positions.
func (g *onGPU) arrange() {
	g.batch = make([]operators.Update, len(g.Order))
	kinds := g.kinds()
	for i, at := range g.Order {
		g.batch[i] = kinds[g.shapes.kindOf(at)]
	}
	g.largest = g.Candidate.largest()
	g.largest[0] = g.patch()
}

// by computes the layers by some algorithms.
func (g *onGPU) by(algorithms []operators.Algorithm) (err error) {
	g.shape, err = gpu.NewShape(g.query.Net, gpu.Options{Algorithms: algorithms})
	return err
}

// choiceOnGPU is the batch for which algorithms are compared: what is computed must depend
// neither on the memory that happens to be free nor on a hint.
const choiceOnGPU = 256

// choose implements pricing. The base pass counts as one more position.
func (g *onGPU) choose(want accuracy) error {
	g.arrange()
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
