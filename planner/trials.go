package planner

import (
	"context"
	"math"
	"slices"

	"occlude/internal/network"
	"occlude/operators"
	"occlude/planner/cost"
)

// How long trials of a model and of the made-up network may take, if the predictions
// that they are to correct are right: seconds of a round. Within that they have whole
// batches, as queries have, for the values of a large one come from further away.
const (
	trialSeconds, quickSeconds = 0.5, 0.01
)

// Sides of trials' patches, as parts of the input's: 4, 16 and 64 pixels of 224.
// Between them factors are interpolated. checkParts are those of the checks.
var (
	trialParts = []float64{1. / 56, 1. / 14, 2. / 7}
	checkParts = []float64{1. / 28, 1. / 8}
)

// trialRows is how many rows and columns the grid of a trial has, about: enough that
// every thread has a batch.
const trialRows = 28

// cores is how many threads the machine runs at the same time.
func (b *binder) cores() int {
	if b.env.Cores > 0 {
		return b.env.Cores
	}
	return b.env.Settings.Threads()
}

// trials plans what is timed, as far as the memory allows.
func (b *binder) trials(ctx context.Context, p *Analyze, q Occlude) (err error) {
	if p.Machine, err = b.machine(ctx); err != nil {
		return err
	}
	t := trier{b, q, trialSeconds}
	if p.Trials, err = t.all(ctx, tileSides(), trialParts, true); err != nil {
		return err
	}
	if p.Checks, err = t.all(ctx, nil, checkParts, false); err != nil {
		return err
	}
	r, err := b.resources(q.Model, q.Net, q.Threads)
	if err != nil {
		return err
	}
	p.Picture, err = q.planned(ctx, Candidate{Name: PlanIncremental, Rects: Rectangles{Rule: Traced}}, hints{accuracy: accuracy{convolution: ConvolutionAuto, tolerance: defaultTolerance}}, r)
	return err
}

// rareSide is the side of the tiles that are the choice where rounding matters most,
// and rarely the fastest: fewer trials have them.
const rareSide = 2

// tileSides are the sides of algorithms' tiles.
func tileSides() (sides []int) {
	for _, a := range operators.AllAlgorithms() {
		if !slices.Contains(sides, a.Tile()) {
			sides = append(sides, a.Tile())
		}
	}
	return sides
}

// tiled are the algorithms with tiles of a side wherever there is one, and direct
// elsewhere.
func tiled(net *network.Network, side int) []operators.Algorithm {
	return pick(net, func(now, next cost.Form) bool { return next.Algorithm.Tile() == side })
}

// trier plans trials of a query.
type trier struct {
	*binder
	query   Occlude
	seconds float64
}

// all plans trials of patches of some sizes, and if wanted of full inference, by one
// thread and by all cores: by algorithms with tiles of each of the sides, without any
// by those that a query would have. Those that do not fit into the memory are left
// out; the error is there if none fits. Trials of the same algorithms follow each
// other, so that their weights are packed once.
func (t trier) all(ctx context.Context, sides []int, parts []float64, full bool) (trials []*Occlude, err error) {
	var refused error
	var known [][]operators.Algorithm
	if len(sides) == 0 {
		sides = []int{0}
	}
	for _, side := range sides {
		var algorithms []operators.Algorithm
		if side > 0 {
			algorithms = tiled(t.query.Net, side)
			if slices.ContainsFunc(known, func(a []operators.Algorithm) bool { return slices.Equal(a, algorithms) }) {
				continue
			}
			known = append(known, algorithms)
		}
		for i, part := range parts {
			if side == rareSide && i != len(parts)/2 {
				continue
			}
			for _, threads := range t.threads() {
				c := Candidate{Name: PlanIncremental, Rects: Rectangles{Rule: Traced}, Algorithms: algorithms}
				if err := t.add(ctx, &trials, c, part, threads, &refused); err != nil {
					return nil, err
				}
			}
		}
		for _, threads := range t.threads() {
			c := Candidate{Name: PlanFull, Rects: Rectangles{Rule: Whole}, Algorithms: algorithms}
			if !full || side == rareSide {
				break
			}
			if err := t.add(ctx, &trials, c, parts[0], threads, &refused); err != nil {
				return nil, err
			}
		}
	}
	if trials == nil {
		return nil, refused
	}
	return trials, nil
}

// threads are the numbers of threads to try.
func (t trier) threads() []int {
	if n := t.cores(); n > 1 {
		return []int{1, n}
	}
	return []int{1}
}

// add plans a trial of a candidate, unless it does not fit into the memory.
func (t trier) add(ctx context.Context, to *[]*Occlude, c Candidate, part float64, threads int, refused *error) error {
	q := t.query
	q.Threads, q.Progressive = threads, ""
	r, err := t.resources(q.Model, q.Net, threads)
	if err != nil {
		return err
	}
	if q.Grid, err = trialGrid(q.Net.Input().Shape, part); err != nil {
		return err
	}
	h := hints{accuracy: accuracy{convolution: ConvolutionAuto, tolerance: defaultTolerance}}
	all, err := q.planned(ctx, c, h, r)
	if err != nil {
		return err
	}
	if chosen := all.Chosen(); chosen.refused != nil {
		if *refused == nil {
			*refused = chosen.refused
		}
		return nil
	}
	q.Grid = all.part(threads, t.seconds)
	c.Algorithms = all.Chosen().Algorithms // by the work of all positions
	trial, err := q.planned(ctx, c, h, r)
	if err == nil {
		*to = append(*to, trial)
	}
	return err
}

// trialGrid is the grid of a trial whose patch is a part of the input.
func trialGrid(in network.Shape, part float64) (Grid, error) {
	side := func(n int) int { return max(1, int(math.Round(part*float64(n)))) }
	stride := func(n, patch int) int { return max(1, (n-patch)/trialRows) }
	g := Grid{PatchW: side(in.W), PatchH: side(in.H), Width: in.W, Height: in.H}
	g.StrideW, g.StrideH = stride(in.W, g.PatchW), stride(in.H, g.PatchH)
	if err := g.lay(); err != nil {
		return g, err
	}
	g.all(func(Position) bool { return true })
	return g, nil
}

// planned is the query with a candidate as its only one.
func (p Occlude) planned(ctx context.Context, c Candidate, h hints, r resources) (*Occlude, error) {
	if err := c.cost(ctx, &p, h, r); err != nil {
		return nil, err
	}
	p.Candidates, p.MemoryLimit = []*Candidate{&c}, r.memory
	return &p, nil
}

// part is the grid with so many of its positions, spread over all of it, that each
// thread has the batch that it would have for all of them, as long as that takes no
// longer than some seconds.
func (p *Occlude) part(threads int, seconds float64) Grid {
	c, all := p.Chosen(), p.Grid.Positions
	each := (c.Estimate.Seconds - c.Estimate.BaseSeconds - c.Estimate.WriteSeconds) / float64(len(all))
	n := min(len(all), max(threads, min(threads*c.Batch, int(seconds/math.Max(each, 1e-9)))))
	g := p.Grid
	g.Positions = make([]Position, n)
	for i := range g.Positions {
		g.Positions[i] = all[i*len(all)/n]
	}
	return g
}
