package engine

import (
	"context"
	"errors"
	"runtime"
	"syscall"
	"time"

	"occlude/executor"
	"occlude/internal/defect"
	"occlude/internal/heatmap"
	"occlude/internal/imageio"
	"occlude/internal/memory"
	"occlude/internal/model"
	"occlude/lang"
	"occlude/operators/gpu/cuda"
	"occlude/operators/gpu/devices"
	"occlude/operators/gpu/driver"
	"occlude/planner"
	"occlude/planner/cost"
)

// Engine runs texts in one session. One goroutine uses it at a time.
type Engine struct {
	Session *executor.Session
	// Variables are what :name stands for in a text.
	Variables map[string]string

	planner    *planner.Planner
	measuring  time.Duration   // the machine and its GPUs, so far
	unmeasured map[string]bool // names of GPUs of which that failed
}

// New makes an engine with an empty session.
func New() *Engine {
	s := executor.NewSession()
	s.Memory = memory.Here().Reach
	s.Devices = devices.New(cuda.Open)
	e := &Engine{Session: s, Variables: map[string]string{}, unmeasured: map[string]bool{}}
	e.planner = planner.New(planner.Env{
		Catalog: s, Settings: &s.Settings, Profile: cost.Default(), Statistics: s, Cache: s, Tables: s, Devices: s,
		Measure: e.measure, MeasureDevice: e.measureDevice, Now: time.Now, Cores: runtime.GOMAXPROCS(0), Memory: s.Memory,
		Mask: func(ctx context.Context, path string, spec imageio.Spec) (planner.Mask, error) {
			return imageio.FitMask(ctx, path, spec)
		},
		Colormaps: heatmap.Colormaps(),
	})
	return e
}

// measure finds out how fast this machine is with a set of kernels, once for all
// sessions. Without a place where that could be kept the default profile has to do:
// nobody wants to wait for it in every process.
func (e *Engine) measure(ctx context.Context, kernels string) *cost.Profile {
	if e.Session.Store.Path() == "" {
		return nil
	}
	start := time.Now()
	defer func() { e.measuring += time.Since(start) }()
	trials, err := e.planner.Quick(ctx, kernels)
	if err != nil {
		return nil
	}
	p, err := e.Session.Measure(ctx, trials)
	if err != nil {
		return nil
	}
	return p
}

// measureDevice does the same of a GPU, which a session tries once.
func (e *Engine) measureDevice(ctx context.Context, d *planner.Device) *cost.Device {
	if e.Session.Store.Path() == "" || e.unmeasured[d.Name] {
		return nil
	}
	start := time.Now()
	defer func() { e.measuring += time.Since(start) }()
	var p *cost.Device
	trials, err := e.planner.QuickDevice(ctx, d)
	if err == nil {
		p, err = e.Session.MeasureDevice(ctx, trials)
	}
	if err != nil {
		e.unmeasured[d.Name] = ctx.Err() == nil
		return nil
	}
	return p
}

// Text is a piece of query text to run.
type Text struct {
	Name   string // for messages: a file's name, "-c", "stdin"
	Source string
	// OpenEnd lets the last statement do without its semicolon.
	OpenEnd bool
}

// Emit receives each result, in order, with its statement.
type Emit func(s lang.Statement, r executor.Result) error

// Run runs a text. Errors in it are *Error.
func (e *Engine) Run(ctx context.Context, t Text, emit Emit) error {
	start := time.Now()
	source, err := e.substitute(t)
	if err != nil {
		return err
	}
	script, diagnostics := lang.ParseOptions{OptionalFinalSemicolon: t.OpenEnd}.Parse(t.Name, source)
	if err := diagnostics.Err(); err != nil {
		return &Error{Diagnostics: diagnostics, Source: source}
	}
	parsing := time.Since(start) // of the first statement's planning time
	for _, s := range script.Statements {
		if err := e.statement(ctx, s, parsing, emit); err != nil {
			return located(s, interrupted(ctx, err), source)
		}
		parsing = 0
	}
	return nil
}

// statement plans and runs one statement.
func (e *Engine) statement(ctx context.Context, s lang.Statement, planning time.Duration, emit Emit) (err error) {
	defer defect.Recover(&err)
	err = e.planAndRun(ctx, s, planning, emit)
	if errors.Is(err, executor.ErrBegun) || errors.Is(err, driver.ErrKernels) { // which the planner now knows of
		err = e.planAndRun(ctx, s, planning, emit)
	}
	return err
}

func (e *Engine) planAndRun(ctx context.Context, s lang.Statement, planning time.Duration, emit Emit) error {
	start, rewriting, measuring := time.Now(), e.planner.Rewriting(), e.measuring
	plan, err := e.planner.Plan(ctx, s)
	if err != nil {
		return err
	}
	rewriting = e.planner.Rewriting() - rewriting
	if m := modelOf(plan); m != nil {
		e.Session.Loaded(m, rewriting)
	}
	if q := heatMapOf(plan); q != nil {
		q.Started = q.Started.Add(-planning)
		q.Planning = planning + time.Since(start) - rewriting - (e.measuring - measuring)
	}
	return e.Session.Run(ctx, plan, func(r executor.Result) error { return emit(s, r) })
}

// modelOf is the model whose network a plan had rewritten, if any.
func modelOf(p planner.Plan) *model.Model {
	switch p := p.(type) {
	case *planner.Describe:
		return p.Model
	case *planner.Analyze:
		return p.Model
	case *planner.Predict:
		return p.Model
	case *planner.Copy:
		return modelOf(p.Query)
	}
	if q := heatMapOf(p); q != nil {
		return q.Model
	}
	return nil
}

// heatMapOf is the heat map query inside of a plan, the first if there are several.
func heatMapOf(p planner.Plan) *planner.Occlude {
	switch p := p.(type) {
	case *planner.Occlude:
		return p
	case *planner.Explain:
		return p.Query
	case *planner.Benchmark:
		return p.Query
	case *planner.Compare:
		return p.First
	case *planner.Evaluate:
		return p.Query
	case *planner.Copy:
		return heatMapOf(p.Query)
	}
	return nil
}

// Error is what went wrong in a text, and the text.
type Error struct {
	Diagnostics lang.Diagnostics
	Source      string
}

// Error is the first lines of the diagnostics.
func (e *Error) Error() string { return e.Diagnostics.Error() }

// Format shows the diagnostics with source lines and carets.
func (e *Error) Format() string { return e.Diagnostics.Format(e.Source) }

// Unwrap gives the diagnostics, for errors.Is and errors.As.
func (e *Error) Unwrap() error { return e.Diagnostics }

// interrupted tells errors that the context's end caused in the words of the
// executor, wherever they come from.
func interrupted(ctx context.Context, err error) error {
	if told := (*executor.Interrupted)(nil); ctx.Err() == nil || errors.As(err, &told) {
		return err
	}
	if !errors.Is(err, ctx.Err()) && !errors.Is(err, context.Cause(ctx)) {
		return err
	}
	return &executor.Interrupted{Cause: ctx.Err()}
}

// located gives an error the place of its statement, unless it has a finer one.
func located(s lang.Statement, err error, source string) error {
	var d *lang.Diagnostic
	if !errors.As(err, &d) {
		at := s.Span()
		at.To = lang.Pos{} // the statement's beginning, not all of it
		d = lang.Errorf(at, "%w", err)
		if c, ok := s.(*lang.CreateModel); ok {
			d = unusable(c, err)
		}
	}
	return &Error{Diagnostics: lang.Diagnostics{d}, Source: source}
}

// unusable gives what is wrong with a model the place of its file, or of the option that
// does not fit it.
func unusable(c *lang.CreateModel, err error) *lang.Diagnostic {
	var option *model.OptionError
	if errors.As(err, &option) {
		for _, o := range c.Options {
			if o.Name.Key() == option.Option {
				return lang.Errorf(o.Value.Span(), "%w", err)
			}
		}
	}
	d := lang.Errorf(c.File.Span(), "%w", err)
	var system syscall.Errno
	var stopped *executor.Interrupted
	if errors.As(err, &system) || errors.As(err, &stopped) {
		return d
	}
	return d.WithHint("occlude help models tells which networks are read, and how to export one")
}
