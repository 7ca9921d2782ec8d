package executor

import (
	"context"
	"fmt"
	"math"

	"gorgonia.org/tensor"

	"occlude/internal/faithfulness"
	"occlude/operators"
	"occlude/operators/region"
	"occlude/planner"
)

// walks follow a class's probability while one image turns into another, a few
// pixels at a time. Between its two ends a step's image differs from either in some
// pixels, so it is an update of either, and the one with the smaller rectangles is
// computed.
//
//	from ──▶ step 1 ──▶ step 2 ──▶ ... ──▶ step n-1 ──▶ to
//	 │          ▲          ▲                  ▲          │
//	views ──────┴──────────┘ what changed     └──────── views
//	                                        what did not yet
type walks struct {
	*judgement
	program operators.Program
	clean   *tensor.Dense // the image, normalised
	workers []operators.Worker
	whole   *end  // the image as an end, once it was computed
	base    int64 // multiply-adds of the ends
	count   int   // images looked at
}

func newWalks(j *judgement, program operators.Program) *walks {
	p := j.evaluation.Plan
	w := &walks{judgement: j, program: program, clean: normalised(p.Walk.Model.Spec, j.heat.Pixels)}
	for range max(1, p.Walk.Threads) {
		w.workers = append(w.workers, program.NewWorker())
	}
	return w
}

// order is that of the pixels in the map of a class, or in the n-th random one of the
// same values, from 1.
func (w *walks) order(class, n int) []int32 {
	values := w.values[class]
	if n > 0 {
		values = faithfulness.Shuffle(values, uint64(w.evaluation.Plan.Seed), uint64(n-1))
	}
	return w.pixels(values).Order()
}

// close adds up what was done, and leaves the workers' memory to those of the next
// image.
func (w *walks) close() {
	e := w.evaluation
	e.Inferences += w.count
	e.MACs += w.base
	for _, worker := range w.workers {
		stats := worker.Stats()
		e.MACs += stats.MACs()
		worker.Release()
	}
	if w.whole != nil {
		w.whole.views.Drop(noLayer)
	}
}

// scores are the areas under the curves of all classes.
func (w *walks) scores(ctx context.Context, m *planner.Metric) ([]Score, error) {
	p := w.evaluation.Plan
	cover, err := newOccluder(ctx, m.Fill, p.Walk.Model.Spec, w.heat.Pixels)
	if err != nil {
		return nil, err
	}
	if w.whole == nil {
		if w.whole, err = w.end(ctx, w.clean); err != nil {
			return nil, err
		}
	}
	shape := p.Walk.Net.Input().Shape
	filled, err := w.end(ctx, tensor.New(tensor.WithShape(shape.H, shape.W, shape.C), tensor.WithBacking(cover.cover)))
	if err != nil {
		return nil, err
	}
	defer filled.views.Drop(noLayer)
	ends := [2]*end{w.whole, filled}
	if m.Kind == planner.Insertion {
		ends = [2]*end{filled, w.whole}
	}
	counts := faithfulness.Early(shape.H*shape.W, p.Steps)
	if p.Even {
		counts = faithfulness.Even(shape.H*shape.W, p.Steps)
	}
	w.evaluation.Shares = make([]float64, len(counts))
	for i, n := range counts {
		w.evaluation.Shares[i] = float64(n) / float64(counts[p.Steps])
	}
	curves, err := w.curves(ctx, ends, counts)
	if err != nil {
		return nil, err
	}
	scores := make([]Score, len(w.values))
	for k := range scores {
		s := &scores[k]
		s.Curve = curves[k][0]
		s.Value, s.Chance = faithfulness.Area(counts, s.Curve), math.NaN()
		if random := curves[k][1:]; len(random) > 0 {
			s.ChanceCurve = mean(random)
			s.Chance = faithfulness.Area(counts, s.ChanceCurve)
		}
	}
	return scores, nil
}

// mean is the mean of some curves.
func mean(curves [][]float64) []float64 {
	sum := make([]float64, len(curves[0]))
	for _, c := range curves {
		for i, v := range c {
			sum[i] += v / float64(len(curves))
		}
	}
	return sum
}

// end is an image at which walks begin or end.
type end struct {
	image  operators.Tile // normalised
	views  *operators.Views
	scores []float32
}

// end computes an end.
func (w *walks) end(ctx context.Context, image *tensor.Dense) (*end, error) {
	p := w.evaluation.Plan.Walk
	views, err := w.program.Base(ctx, image, p.Threads)
	if err != nil {
		return nil, w.interrupted(ctx, w.session.onDevice(ctx, p, err), 0, 0)
	}
	s, err := scores(p.Model, views, p.Net.Output.Index, w.heat.Image)
	if err != nil {
		return nil, err
	}
	if !w.evaluation.Plan.Incremental {
		dropMaps(views, p.Net)
	}
	w.base += views.Stats.MACs()
	w.count++
	return &end{operators.WholeTile(p.Net.Input().Shape, image.Data().([]float32)), views, s}, nil
}

// step is an image between the ends.
type step struct {
	order   []int32
	count   int         // of the pixels in their order, those that are as in the last image
	changed region.Rect // in which it differs from the end that it is an update of
	class   int
	p       *float64 // where its probability goes
}

// mostSteps is about how many steps are held together.
const mostSteps = 4096

// curves computes p at every step of every walk, by class and order.
func (w *walks) curves(ctx context.Context, ends [2]*end, counts []int) ([][][]float64, error) {
	p, last := w.evaluation.Plan, len(counts)-1
	total, done := len(w.values)*(1+p.Random)*(last-1), 0
	var steps [2][]step // by the end that they are updates of
	compute := func() error {
		for at := range steps {
			n, err := w.compute(ctx, ends, at, steps[at])
			w.count, done = w.count+n, done+n
			if err != nil {
				return err
			}
			steps[at] = steps[at][:0]
		}
		return ctx.Err()
	}
	all := make([][][]float64, len(w.values))
	for k := range all {
		class := w.heat.Classes[k].ID
		for n := range 1 + p.Random {
			curve := make([]float64, len(counts))
			curve[0], curve[last] = float64(ends[0].scores[class]), float64(ends[1].scores[class])
			order := w.order(k, n)
			first, others := faithfulness.Bounds(order, counts, p.Walk.Grid.Width)
			for i := 1; i < last; i++ {
				at, changed := w.nearer(first[i], others[i])
				steps[at] = append(steps[at], step{order, counts[i], changed, class, &curve[i]})
			}
			all[k] = append(all[k], curve)
			if len(steps[0])+len(steps[1]) < mostSteps && ctx.Err() == nil {
				continue
			}
			if err := compute(); err != nil {
				return nil, w.interrupted(ctx, err, done, total)
			}
		}
	}
	if err := compute(); err != nil {
		return nil, w.interrupted(ctx, err, done, total)
	}
	return all, nil
}

// nearer is the end that a step is an update of: the one for which less is computed,
// given in which rectangles they differ.
func (w *walks) nearer(fromFirst, fromLast region.Rect) (at int, changed region.Rect) {
	if w.work(fromLast) < w.work(fromFirst) {
		return 1, fromLast
	}
	return 0, fromFirst
}

// work is the multiply-adds of an update.
func (w *walks) work(changed region.Rect) (macs int64) {
	p := w.evaluation.Plan.Walk
	rects, _ := p.Chosen().Rects.At(p.Net, changed, nil)
	for i, l := range p.Net.Layers {
		macs += l.Work(rects[i]).MACs
	}
	return macs
}

// compute computes steps that are updates of one of the ends, and tells how many it
// did.
func (w *walks) compute(ctx context.Context, ends [2]*end, at int, steps []step) (int, error) {
	if len(steps) == 0 {
		return 0, nil
	}
	workers := min(len(w.workers), len(steps))
	share := &share{total: len(steps), batch: w.evaluation.Plan.Walk.Chosen().Batch, workers: workers}
	return share.deal(ctx, func(ctx context.Context, worker, from, to int) error {
		if err := w.batch(ctx, w.workers[worker], ends, at, steps[from:to]); err != nil {
			return err
		}
		if w.session.Progress != nil {
			w.session.Progress.Add(to - from)
		}
		return nil
	})
}

// batch computes steps together.
func (w *walks) batch(ctx context.Context, worker operators.Worker, ends [2]*end, at int, steps []step) error {
	p := w.evaluation.Plan.Walk
	updates := make([]operators.Update, len(steps))
	for i, s := range steps {
		rects, _ := p.Chosen().Rects.At(p.Net, s.changed, nil)
		updates[i] = operators.Update{Patch: s.patch(ends, p.Grid.Width), Rects: rects, Out: make([]float32, p.Net.Output.Shape.Len())}
	}
	if err := worker.Run(ctx, ends[at].views, updates); err != nil {
		return w.session.onDevice(ctx, p, err)
	}
	for i, s := range steps {
		v := float64(updates[i].Out[s.class])
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("model %q gives %v for class %s with %d pixels changed", p.Model.Name, v, p.Model.Label(s.class), s.count)
		}
		*s.p = v
	}
	return nil
}

// patch is the rectangle of a step's image in which it may differ from an end.
func (s step) patch(ends [2]*end, width int) operators.Tile {
	r, from, to := s.changed, ends[0].image, ends[1].image
	channels := from.C
	t := operators.NewTile(r, channels, make([]float32, r.Area()*channels))
	for y := r.Y.Lo; y < r.Y.Hi; y++ {
		copy(t.Row(y, r.X.Lo, r.X.Hi), from.Row(y, r.X.Lo, r.X.Hi))
	}
	for _, at := range s.order[:s.count] {
		x, y := int(at)%width, int(at)/width
		if r.Contains(region.Of(x, y, 1, 1)) {
			copy(t.Row(y, x, x+1), to.Row(y, x, x+1))
		}
	}
	return t
}

// interrupted makes an *Interrupted of an error that a context's end caused.
func (w *walks) interrupted(ctx context.Context, err error, done, total int) error {
	return interrupted(ctx, err, Interrupted{Image: w.heat.Image, Of: "steps", Done: done, Total: total})
}
