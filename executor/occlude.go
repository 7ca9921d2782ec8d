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
	images  int     // that are left, this one included
	content content // of the image's file, of plans that keep views
	known   *seen   // the image, nil where it is to be seen yet
	partial bool    // maps are wanted, too: what is known when the context ends

	start       time.Time // when its file began to be read
	baseSeconds float64
}

// run computes the heat map of an image and writes its files. A map that is not complete
// comes with the *Interrupted that says why.
func (q *query) run(ctx context.Context, file *imageio.File) (*HeatMap, error) {
	p, image := q.plan, file.Path
	h := &HeatMap{Plan: p, Image: image, States: make([]State, len(p.Grid.Positions))}
	h.Actual = planner.Actuals{Image: image, Kept: q.known != nil}
	known := q.known
	if known == nil {
		var err error
		if known, err = q.see(ctx, file); err != nil {
			return nil, err
		}
		h.Actual.BaseSeconds, h.Actual.Base = q.baseSeconds, known.views.Stats
	}
	h.Pixels = known.pixels
	cover, err := newOccluder(ctx, p.Fill, p.Model.Spec, h.Pixels)
	if err != nil {
		return nil, err
	}
	views := known.views
	if p.Keeps {
		views = views.Shared()
		q.session.boundViews()
	}
	defer views.Drop(noLayer)
	p0 := views.Output(p.Net.Output.Index)
	for _, c := range targets(p.Target, p0) {
		h.Classes = append(h.Classes, ClassMap{
			ID: c, Label: p.Model.Label(c), P0: p0[c], P: make([]float32, len(p.Grid.Positions)),
		})
	}
	all, resident := views.Bytes(), residentBytes(views)
	if !p.Chosen().ReadsViews() { // nor may a kernel, or bits would tell whether they are kept
		dropMaps(views, p.Net)
	}
	h.Actual.ViewBytes = known.views.Bytes() + residentBytes(known.views)
	updates := time.Now()
	c := newComputation(q, h, views, cover)
	defer c.release()
	c.seen, c.all, c.resident = known.views, all, resident
	stopped := c.run(ctx)
	if stopped != nil && !(q.partial && c.partial(stopped)) {
		return nil, stopped
	}
	c.account()
	h.Actual.UpdateSeconds = time.Since(updates).Seconds()
	h.Actual.Class, h.Actual.P0 = h.Classes[0].Label, float64(h.Classes[0].P0)
	if err := q.write(h, stopped); err != nil {
		return nil, err
	}
	h.Actual.Run = time.Since(q.start).Seconds()
	return h, stopped
}

// dropMaps lets go of the views that full inference does not read.
func dropMaps(views *operators.Views, net *network.Network) {
	views.Drop(func(i int) bool {
		_, constant := net.Layers[i].Op.(network.Const)
		return constant || i == 0 || i == net.Output.Index
	})
}

// write writes a map's files. Where the query was stopped, which is an error already,
// another one is only told.
func (q *query) write(h *HeatMap, stopped error) error {
	for _, o := range q.plan.Outputs {
		path := o.For(h.Image)
		switch err := write(o.Format, path, h); {
		case err == nil:
			h.Written = append(h.Written, path)
		case stopped == nil:
			return err
		default:
			q.session.tell(err)
		}
	}
	return nil
}

// interrupted makes an *Interrupted of an error that a context's end caused, after
// done of the plan's positions.
func (q *query) interrupted(ctx context.Context, err error, image string, done int) error {
	return interrupted(ctx, err, Interrupted{Image: image, Done: done, Total: max(done, q.plan.Chosen().Positions())})
}

// interrupted tells of an error at an image: how far it had come, if it was the
// context's end that caused it.
func interrupted(ctx context.Context, err error, far Interrupted) error {
	if ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
		far.Cause = err
		return &far
	}
	return fmt.Errorf("image %q: %w", far.Image, err)
}
