package executor

import (
	"context"
	"time"

	"occlude/internal/faithfulness"
	"occlude/internal/imageio"
	"occlude/operators"
	"occlude/operators/region"
	"occlude/planner"
)

// evaluate computes heat maps and judges each as soon as it is there.
func (s *Session) evaluate(ctx context.Context, p *planner.Evaluate, emit func(Result) error) error {
	start := time.Now()
	e := &Evaluation{Plan: p}
	var program operators.Program // of the curves, nil until it is needed
	defer func() {
		if program != nil {
			program.Trim()
		}
	}()
	maps := *p.Query
	images := len(maps.Images)
	_, done := s.onePart(maps.Images[0], images*(maps.Chosen().Positions()+p.StepsEach()))
	defer done()
	err := s.occlude(ctx, &maps, func(h *HeatMap) error {
		start := time.Now()
		e.Positions, e.MapMACs = e.Positions+h.Actual.Positions, e.MapMACs+h.Actual.MACs()
		if p.Walk != nil && program == nil {
			var err error
			if program, err = s.programOf(ctx, p.Walk); err != nil {
				return err
			}
		}
		j := &judgement{session: s, evaluation: e, heat: h, values: allDrops(h)}
		if err := j.run(ctx, program); err != nil {
			return err
		}
		maps.Started = maps.Started.Add(time.Since(start)) // the time of WITHIN is that of the maps
		return nil
	})
	if err != nil {
		return err
	}
	e.Seconds = time.Since(start).Seconds()
	return emit(e)
}

// allDrops is p_drop by class and position, for what is computed further.
func allDrops(h *HeatMap) [][]float64 {
	all := make([][]float64, len(h.Classes))
	for k, c := range h.Classes {
		all[k] = make([]float64, len(c.P))
		for i, p := range c.P {
			all[k][i] = float64(c.P0) - float64(p)
		}
	}
	return all
}

// judgement is one image's scores in the making.
type judgement struct {
	session    *Session
	evaluation *Evaluation
	heat       *HeatMap
	values     [][]float64 // p_drop by class and position
}

// run scores the maps of all classes by all metrics.
func (j *judgement) run(ctx context.Context, program operators.Program) (err error) {
	p := j.evaluation.Plan
	scores := make([][]Score, len(p.Metrics)) // by class
	var w *walks
	if program != nil {
		w = newWalks(j, program)
		defer w.close()
	}
	for i := range p.Metrics {
		if m := &p.Metrics[i]; m.Curved() {
			scores[i], err = w.scores(ctx, m)
		} else {
			scores[i], err = j.places(ctx, m)
		}
		if err != nil {
			return err
		}
	}
	for k, c := range j.heat.Classes {
		for i := range p.Metrics {
			s := scores[i][k]
			s.Metric, s.Image, s.ClassID, s.Class, s.P0 = &p.Metrics[i], j.heat.Image, c.ID, c.Label, c.P0
			j.evaluation.Scores = append(j.evaluation.Scores, s)
		}
	}
	return nil
}

// pixels spreads values over the pixels.
func (j *judgement) pixels(values []float64) *faithfulness.Map {
	g := j.heat.Plan.Grid
	patches := make([]region.Rect, len(g.Positions))
	for i, at := range g.Positions {
		patches[i] = g.Rect(at)
	}
	return faithfulness.New(g.Width, g.Height, patches, values)
}

// places scores the maps by a box.
func (j *judgement) places(ctx context.Context, m *planner.Metric) ([]Score, error) {
	marks, err := j.marks(ctx, m.Box)
	if err != nil {
		return nil, err
	}
	if m.Kind == planner.Pointing {
		marks = marks.Within(j.evaluation.Plan.Margin, j.heat.Plan.Grid.Width)
	}
	scores := make([]Score, len(j.values))
	for k, values := range j.values {
		s, pixels := &scores[k], j.pixels(values)
		s.Chance = marks.Share()
		switch {
		case m.Kind == planner.Energy:
			s.Value = pixels.Energy(marks)
		case pixels.Hit(marks):
			s.Value = 1
		}
	}
	return scores, nil
}

// marks are the pixels of a box.
func (j *judgement) marks(ctx context.Context, b planner.Box) (faithfulness.Marks, error) {
	g := j.heat.Plan.Grid
	on := func(x, y int) bool { return b.Rect.Contains(region.Of(x, y, 1, 1)) }
	if b.Mask != "" {
		mask, err := imageio.FitMask(ctx, b.For(j.heat.Image), j.heat.Plan.Model.Spec)
		if err != nil {
			return nil, err
		}
		on = mask.On
	}
	marks := make(faithfulness.Marks, g.Width*g.Height)
	for at := range marks {
		marks[at] = on(at%g.Width, at/g.Width)
	}
	return marks, nil
}
