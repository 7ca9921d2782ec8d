package executor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"occlude/internal/imageio"
	"occlude/operators"
	"occlude/planner"
)

// stream is a heat map query on its way through its images. What it holds does not
// grow with their number.
type stream struct {
	session  *Session
	plan     *planner.Occlude
	emit     func(*HeatMap) error
	partial  bool              // maps are wanted, too: what is known when the context ends
	faithful bool              // to the plan: no other takes its place
	into     *sink             // nil without a table
	program  operators.Program // nil until an image is to be computed
	planning float64           // seconds that no image has accounted for yet
	left     int               // images, the present one included

	computed, skipped, failed, rows int
	first                           error // of the failures
}

// occlude runs a heat map query, image by image, and emits complete maps.
func (s *Session) occlude(ctx context.Context, p *planner.Occlude, emit func(*HeatMap) error) error {
	return s.newStream(p, emit).run(ctx)
}

// answer runs a heat map query that a person asks, who wants to see what is known of a map
// when the context ends: it is emitted before the error that says so.
func (s *Session) answer(ctx context.Context, p *planner.Occlude, emit func(Result) error) error {
	q := s.newStream(p, func(h *HeatMap) error { return emit(h) })
	q.partial = true
	return q.run(ctx)
}

// intoTable runs a heat map query into its table.
func (s *Session) intoTable(ctx context.Context, p *planner.Occlude) (*IntoTable, error) {
	start := time.Now()
	if !p.Started.IsZero() {
		start = p.Started
	}
	q := s.newStream(p, func(*HeatMap) error { return nil })
	if err := q.run(ctx); err != nil {
		return nil, err
	}
	return &IntoTable{q.into.Name, len(p.Images), q.computed, q.skipped, q.failed, q.rows, time.Since(start).Seconds()}, nil
}

func (s *Session) newStream(p *planner.Occlude, emit func(*HeatMap) error) *stream {
	return &stream{session: s, plan: p, emit: emit, planning: p.Planning.Seconds()}
}

// run goes through the images.
func (q *stream) run(ctx context.Context) error {
	s, p := q.session, q.plan
	if p.Table != "" {
		var err error
		if q.into, err = s.openTable(ctx, p); err != nil {
			return err
		}
		if p.Departs != "" {
			s.warn(ctx, errors.New(p.Departs))
		}
	}
	if p.NoDevice != "" {
		s.warn(ctx, errors.New(p.NoDevice))
	}
	next, done := s.overImages(p)
	defer done()
	defer q.end()
	for i, image := range p.Images {
		q.left = len(p.Images) - i
		next(i)
		if err := q.one(ctx, image); err != nil {
			if err = q.bear(ctx, image, err); err != nil {
				return err
			}
		}
	}
	if q.failed == len(p.Images) {
		return nothingUsed(q.failed, q.first)
	}
	if q.failed > 0 && q.into == nil {
		s.tell(fmt.Errorf("%d of %s could not be used", q.failed, planner.Counted(len(p.Images), "image")))
	}
	return nil
}

// end lets go of the memory that workers leave to those of the next image.
func (q *stream) end() {
	if q.program != nil {
		q.program.Trim()
	}
}

// one computes the heat map of an image and puts it where it is to be.
func (q *stream) one(ctx context.Context, name string) error {
	if ctx.Err() != nil {
		return &Interrupted{Image: name, Cause: context.Cause(ctx)}
	}
	start := time.Now()
	file, err := imageio.Load(name)
	if err != nil {
		return unusable{err}
	}
	if q.into != nil {
		there, err := q.into.has(ctx, file)
		if err != nil {
			return err
		}
		if there {
			q.skipped++
			return nil
		}
	}
	image := &query{session: q.session, plan: q.plan, images: q.left, start: start, partial: q.partial}
	if q.plan.Keeps {
		image.content = contentOf(file)
		image.known = q.session.recall(q.plan, file, image.content)
	}
	if err := q.prepare(ctx, image); err != nil {
		return q.instead(ctx, name, err)
	}
	h, stopped := image.run(ctx, file)
	if h == nil {
		return q.instead(ctx, name, stopped)
	}
	// Loading and planning happened once: the first image accounts for them.
	h.Actual.Load, h.Actual.Plan = q.session.takeLoading(q.plan.Model).Seconds(), q.planning
	q.planning = 0
	if q.into != nil {
		rows, err := q.into.put(ctx, h, file)
		if err != nil {
			return err
		}
		q.rows += rows
	}
	q.computed++
	if err := q.emit(h); err != nil {
		return err
	}
	return stopped
}

// instead computes an image on the processor, and those after it, where the GPU has too
// little memory, whatever was planned: others use it, too. Any other error remains one.
func (q *stream) instead(ctx context.Context, name string, err error) error {
	if !scarce(err) || ctx.Err() != nil || q.faithful || q.plan.DeviceHinted {
		return err
	}
	on := q.plan.Chosen().Device
	plan, ok := processors(q.plan, fmt.Sprintf("%s (%s) has too little memory left, which others use, too: computed on the processor instead", on.Name, on.Properties.Name))
	if !ok {
		return fmt.Errorf("%w; SET device = 'cpu' computes on the processor", err)
	}
	q.session.warn(ctx, errors.New(plan.NoDevice))
	q.end()
	q.plan, q.program = plan, nil
	return q.one(ctx, name)
}

// prepare gives an image the plan's program, and room.
func (q *stream) prepare(ctx context.Context, image *query) (err error) {
	s, p := q.session, q.plan
	if q.program == nil || p.Keeps { // views that images before have left are in the way, too
		s.makeRoom(p, image.known)
	}
	if q.program == nil {
		if s.Bound != nil && p.MemoryLimit > 0 {
			s.Bound(p.MemoryLimit)
		}
		q.program, err = s.programOf(ctx, p)
		if scarce(err) && s.dropOthers(p) {
			q.program, err = s.programOf(ctx, p)
		}
		if err != nil {
			return err
		}
		q.program.Reserve(p.Threads, p.Chosen().ArenaBytes)
	}
	image.program = q.program
	return nil
}

// bear decides what becomes of the other images when one has failed: nil lets them be
// computed.
func (q *stream) bear(ctx context.Context, image string, err error) error {
	if ctx.Err() != nil {
		stopped := (*Interrupted)(nil)
		if !errors.As(err, &stopped) {
			stopped = &Interrupted{Image: image, Cause: context.Cause(ctx)}
		}
		if q.into != nil {
			stopped.Table, stopped.Kept, stopped.Images = q.into.Name, q.computed+q.skipped, len(q.plan.Images)
		}
		return stopped
	}
	if !isUnusable(err) {
		return q.stays(err)
	}
	if q.into != nil {
		if err := q.into.failed(ctx, image, err); err != nil {
			return err
		}
	}
	if !q.plan.Continue {
		return q.stays(err)
	}
	if q.failed++; q.failed == 1 {
		q.first = err
	}
	if len(q.plan.Images) > 1 {
		q.session.tell(err)
	}
	return nil
}

// stays adds to an error that ends a query into a table what remains of it.
func (q *stream) stays(err error) error {
	if kept := q.computed + q.skipped; q.into != nil && kept > 0 {
		return fmt.Errorf("%w; %s", err, goesOn(q.into.Name, kept, len(q.plan.Images)))
	}
	return err
}

// goesOn tells what a table has of a query that was not done.
func goesOn(table string, kept, of int) string {
	return fmt.Sprintf("the table %q has %d of %s, and the same statement goes on with the others", table, kept, planner.Counted(of, "image"))
}
