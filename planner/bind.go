package planner

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"occlude/internal/imageio"
	"occlude/internal/model"
	"occlude/internal/network"
	"occlude/internal/settings"
	"occlude/lang"
	"occlude/planner/cost"
	"occlude/planner/rewrite"
)

// Catalog is what the planner asks about the session's models.
type Catalog interface {
	// Lookup finds a model by its name's key.
	Lookup(name string) (*model.Model, bool)
	// Models lists all, by name.
	Models() []*model.Model
}

// Env is the world that statements are bound in.
type Env struct {
	Catalog  Catalog
	Settings *settings.Settings
	// Profile is what costs are predicted by where the statistics know nothing.
	Profile *cost.Profile
	// Measure finds out how fast this machine is with a set of kernels where nobody
	// has, in less than a second, before the first plan that is chosen by cost; nil to
	// go on without, and a nil profile where it cannot be kept.
	Measure func(ctx context.Context, kernels string) *cost.Profile
	// MeasureDevice does the same of a GPU, before the first plan that might be one of
	// it; nil and a nil profile likewise.
	MeasureDevice func(ctx context.Context, d *Device) *cost.Device
	// Now tells the time, by which a plan says how old its profile is; nil for not at
	// all.
	Now func() time.Time
	// Statistics are what was measured on this machine; nil for nothing.
	Statistics Statistics
	// Cache is what queries before have left; nil for nothing.
	Cache Cache
	// Devices are what can compute beside the processor; nil for nothing.
	Devices Devices
	// Tables are those that heat maps may go into; nil where there is no place for
	// any.
	Tables Tables
	// Cores is how many threads the machine runs at the same time, 0 for as many
	// as are asked for.
	Cores int
	// Memory is how many bytes this process could have in all, 0 where that is not
	// known; nil for never.
	Memory func() int64
	// Mask reads a picture as a region of an input; planning itself never
	// looks at pixels.
	Mask func(ctx context.Context, path string, spec imageio.Spec) (Mask, error)
	// Colormaps are the names that COLORMAP takes.
	Colormaps []string
}

// Planner turns statements into plans. It keeps the rewritten networks of the
// models that it has seen. One goroutine uses it at a time.
type Planner struct {
	env       Env
	optimized map[*model.Model]optimized
	rewriting time.Duration
}

type optimized struct {
	net   *network.Network
	fired []rewrite.Fired
	off   string // the rules that were ruled out
}

// New makes a planner.
func New(env Env) *Planner {
	if env.Statistics == nil {
		env.Statistics = nothing{}
	}
	return &Planner{env: env, optimized: map[*model.Model]optimized{}}
}

// Rewriting is the time spent on rewriting networks so far. It counts as part of
// loading a model, not of planning a query.
func (p *Planner) Rewriting() time.Duration { return p.rewriting }

// optimize rewrites a model's network, once.
func (p *Planner) optimize(m *model.Model) (optimized, error) {
	off := ""
	for _, r := range rewrite.Rules() {
		if !p.env.Settings.Enabled(r.Name) {
			off += r.Name + " "
		}
	}
	if o, ok := p.optimized[m]; ok && o.off == off {
		return o, nil
	}
	start := time.Now()
	defer func() { p.rewriting += time.Since(start) }()
	net, fired, err := rewrite.Optimize(m.Net, p.env.Settings.Enabled)
	if err != nil {
		return optimized{}, fmt.Errorf("model %q: %w", m.Name, err)
	}
	if m.Folded > 0 {
		fired = append([]rewrite.Fired{{Rule: "fold-shapes", Count: m.Folded}}, fired...)
	}
	o := optimized{net, fired, off}
	p.forgetDropped()
	p.optimized[m] = o
	return o, nil
}

// forgetDropped lets go of the networks of models that are no longer there.
func (p *Planner) forgetDropped() {
	live := map[*model.Model]bool{}
	for _, m := range p.env.Catalog.Models() {
		live[m] = true
	}
	for m := range p.optimized {
		if !live[m] {
			delete(p.optimized, m)
		}
	}
}

// Plan binds a statement. Errors about the statement are *lang.Diagnostic.
func (p *Planner) Plan(ctx context.Context, s lang.Statement) (Plan, error) {
	return p.plan(ctx, s, &p.env)
}

// plan is Plan in another world.
func (p *Planner) plan(ctx context.Context, s lang.Statement, env *Env) (Plan, error) {
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	b := &binder{planner: p, env: env, text: text(s.String())}
	switch s := s.(type) {
	case *lang.CreateModel:
		return b.createModel(s)
	case *lang.DropModel:
		if _, ok := p.env.Catalog.Lookup(s.Model.Key()); !ok && !s.IfExists {
			return nil, b.noModel(s.Model)
		}
		return &DropModel{b.text, s.Model.Key(), s.IfExists}, nil
	case *lang.ShowModels:
		return &ShowModels{b.text, p.env.Catalog.Models()}, nil
	case *lang.DescribeModel:
		b.calibrate(ctx, s.Model)
		m, o, err := b.model(s.Model)
		if err != nil {
			return nil, err
		}
		return &Describe{text: b.text, Model: m, Net: o.net, Fired: o.fired, Profile: b.env.Profile, Curves: b.curves(ctx, m)}, nil
	case *lang.AnalyzeModel:
		b.calibrate(ctx, s.Model)
		return b.analyze(ctx, s)
	case *lang.ShowCalibration:
		return &ShowCalibration{b.text, p.env.Profile}, nil
	case *lang.ExportCalibration:
		return b.exportCalibration(s)
	case *lang.ImportCalibration:
		return b.importCalibration(s)
	case *lang.Predict:
		b.calibrate(ctx, s.Model)
		return b.predict(s)
	case *lang.Occlude:
		if err := b.override(s.Options); err != nil {
			return nil, err
		}
		if !b.calibrate(ctx, s.Model) {
			b.measure(ctx)
		}
		return b.occlude(ctx, s)
	case *lang.Explain:
		return b.explain(ctx, s)
	case *lang.Benchmark:
		return b.benchmark(ctx, s)
	case *lang.Compare:
		return b.compare(ctx, s)
	case *lang.Evaluate:
		return b.evaluate(ctx, s)
	case *lang.Copy:
		return b.copy(ctx, s)
	case *lang.SQL:
		return &Query{b.text, s}, nil
	case *lang.ShowTables:
		return &ShowTables{b.text}, nil
	case *lang.ShowDevices:
		return &ShowDevices{b.text}, nil
	case *lang.ShowCache:
		return &ShowCache{b.text}, nil
	case *lang.ClearCache:
		return &ClearCache{b.text}, nil
	case *lang.Set:
		return b.set(s)
	case *lang.ShowSetting:
		return &Show{b.text, s.Setting.Key()}, b.setting(s.Setting, shown()...)
	case *lang.ShowAll:
		return &Show{b.text, ""}, nil
	case *lang.Reset:
		return &Reset{b.text, s.Setting.Key()}, b.setting(s.Setting)
	case *lang.ResetAll:
		return &Reset{b.text, ""}, nil
	}
	return nil, lang.Errorf(s.Span(), "this statement cannot be run yet")
}

// binder carries one statement.
type binder struct {
	planner *Planner
	env     *Env
	text    text
	spec    imageio.Spec // of the statement's model
	// undefined is where a condition has no value, found while it is tested.
	undefined error
	numbers   int // in the condition
}

// model finds a model and its rewritten network.
func (b *binder) model(name lang.Name) (*model.Model, optimized, error) {
	m, ok := b.env.Catalog.Lookup(name.Key())
	if !ok {
		return nil, optimized{}, b.noModel(name)
	}
	b.spec = m.Spec
	o, err := b.planner.optimize(m)
	return m, o, err
}

func (b *binder) noModel(name lang.Name) error {
	d := lang.Errorf(name.Span(), "there is no model %q", name.Text)
	models := b.env.Catalog.Models()
	if len(models) == 0 {
		return d.WithHint("CREATE MODEL name FROM 'file.onnx'; makes one")
	}
	names := make([]string, len(models))
	for i, m := range models {
		names[i] = m.Name
	}
	if hint := lang.DidYouMean(name.Text, names); hint != "" {
		return d.WithHint(hint)
	}
	return d.WithHint("the models are " + strings.Join(names, ", "))
}

func (b *binder) set(s *lang.Set) (Plan, error) {
	if err := b.setting(s.Setting); err != nil {
		return nil, err
	}
	v, err := settings.Check(s.Setting.Key(), plainText(s.Value))
	if err != nil {
		return nil, lang.Errorf(s.Value.Span(), "%w", err).WithHint(settingsValue(s.Setting.Key(), s.Value))
	}
	return &Set{b.text, s.Setting.Key(), v}, nil
}

// setting checks a setting's name; other words may have stood in its place.
func (b *binder) setting(name lang.Name, others ...string) error {
	for _, n := range settings.Names() {
		if n == name.Key() {
			return nil
		}
	}
	hint := lang.DidYouMean(name.Text, append(others, settings.Names()...))
	if isHint := func(h Hint) bool { return h.Name == name.Key() }; slices.ContainsFunc(Hints(), isHint) {
		hint = "a query takes it as a hint: WITH (" + name.Key() + " = ...)"
	}
	switch {
	case strings.EqualFold(name.Text, "gpu") || strings.HasPrefix(name.Key(), "cuda"):
		hint = "SHOW DEVICES; lists the GPUs, SET device chooses"
	case hint == "":
		hint = "SHOW ALL; lists the settings"
	}
	return lang.Errorf(name.Span(), "there is no setting %q", name.Text).WithHint(hint)
}

// shown are the words that SHOW takes beside the names of settings.
func shown() []string {
	const show = "SHOW "
	return lang.NextAt(show, len(show)).Words
}

// plainText is a value without quotes.
func plainText(v lang.Value) string {
	switch v := v.(type) {
	case lang.String:
		return v.Value
	case lang.Word:
		return v.Text
	}
	return v.String()
}

func (b *binder) explain(ctx context.Context, s *lang.Explain) (Plan, error) {
	q, ok := s.Query.(*lang.Occlude)
	if !ok {
		return nil, lang.Errorf(s.Query.Span(), "only an OCCLUDE query can be explained").
			WithHint("DESCRIBE MODEL shows a model's layers")
	}
	inner, err := b.planner.Plan(ctx, q)
	if err != nil {
		return nil, err
	}
	e := &Explain{text: b.text, Query: inner.(*Occlude), Format: s.Format(),
		Analyze:      s.Analyze || s.Flag("analyze", false),
		Alternatives: s.Flag("alternatives", false), Layers: s.Flag("layers", false), Rules: s.Flag("rules", false)}
	if q.Table != nil && e.Analyze {
		return nil, notTable(q, "EXPLAIN ANALYZE")
	}
	if e.Format == "" {
		e.Format = FormatText
	}
	return e, nil
}
