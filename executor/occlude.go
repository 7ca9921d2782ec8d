package executor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"occlude/internal/imageio"
	"occlude/internal/network"
	"occlude/operators"
	"occlude/planner"
)

// query is one image's heat map in the making.
type query struct {
	session *Session
	plan    *planner.Occlude
	program operators.Program
	images  int // that are left, this one included
}

func (q *query) run(ctx context.Context, file *imageio.File) (*HeatMap, error) {
	start := time.Now()
	p, image := q.plan, file.Path
	pixels, normal, err := decoded(p.Model, file)
	if err != nil {
		return nil, unusable{err}
	}
	cover, err := newOccluder(p.Fill, p.Model.Spec, pixels)
	if err != nil {
		return nil, err
	}
	base := time.Now()
	views, err := q.program.Base(ctx, normal, p.Threads)
	if err != nil {
		return nil, q.interrupted(ctx, err, image, 0)
	}
	h := &HeatMap{Plan: p, Image: image, Pixels: pixels, States: make([]State, len(p.Grid.Positions))}
	h.Actual = planner.Actuals{Image: image, BaseSeconds: time.Since(base).Seconds(), Base: views.Stats}
	output := p.Net.Output.Index
	p0, err := scores(p.Model, views, output, image)
	if err != nil {
		return nil, unusable{err}
	}
	for _, c := range targets(p.Target, p0) {
		h.Classes = append(h.Classes, ClassMap{
			ID: c, Label: p.Model.Label(c), P0: p0[c], P: make([]float32, len(p.Grid.Positions)),
		})
	}
	all := views.Bytes()
	if a := p.Chosen().Adaptive; p.Chosen().Rects.Rule == planner.Whole && (a == nil || !a.Sketches()) { // which reads no other views
		views.Drop(func(i int) bool {
			_, constant := p.Net.Layers[i].Op.(network.Const)
			return constant || i == 0 || i == output
		})
	}
	h.Actual.ViewBytes = views.Bytes()
	updates := time.Now()
	c := newComputation(q, h, views, cover)
	defer c.release()
	c.all = all
	if err := c.run(ctx); err != nil {
		return nil, err
	}
	c.account()
	h.Actual.UpdateSeconds = time.Since(updates).Seconds()
	h.Actual.Class, h.Actual.P0 = h.Classes[0].Label, float64(h.Classes[0].P0)
	for _, o := range p.Outputs {
		path := o.For(image)
		if err := write(o.Format, path, h); err != nil {
			return nil, err
		}
		h.Written = append(h.Written, path)
	}
	h.Actual.Run = time.Since(start).Seconds()
	return h, nil
}

// interrupted makes an *Interrupted of an error that a context's end caused, after
// done of the plan's positions.
func (q *query) interrupted(ctx context.Context, err error, image string, done int) error {
	if ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
		return &Interrupted{Image: image, Done: done, Total: max(done, q.plan.Chosen().Positions()), Cause: err}
	}
	return fmt.Errorf("image %q: %w", image, err)
}
