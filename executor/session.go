package executor

import (
	"context"
	"fmt"
	"sort"
	"time"

	"occlude/internal/model"
	"occlude/internal/settings"
	"occlude/internal/store"
	"occlude/internal/tables/queries"
	"occlude/operators/gpu/devices"
	"occlude/planner"
)

// Session is what statements share. One goroutine uses it at a time.
type Session struct {
	Settings settings.Settings
	// Progress, when set, hears how far a heat map has come.
	Progress Progress
	// Store is where measurements are found and kept; by default there is none.
	Store *store.Store
	// Memory is how many bytes the process could have in all, 0 where that is not known;
	// nil for never.
	Memory func() int64
	// Bound, when set, hears of the most bytes that the process is to hold from now on.
	Bound func(bytes int64)
	// Devices are the GPUs that it may compute on; nil for none.
	Devices *devices.Registry
	// Warn, when set, hears of what makes plans worse than they could be, and of images
	// that cannot be used.
	Warn func(error)

	sql  *queries.Session // nil until the first SQL
	last *lastResult      // nil while there is none

	warned map[string]bool // of what Warn has heard
	models map[string]*model.Model
	// programs and seen are what is kept for other queries (cache.go), the one that was
	// used last is the last of its list.
	programs map[*model.Model][]*program
	seen     []*seen
	uses     int // of either, so far
	keep     int // programs of a model, where that is more than keptPrograms
	// loading is the time spent on a model that no query has accounted for yet.
	loading map[*model.Model]time.Duration
}

// NewSession makes an empty session.
func NewSession() *Session {
	return &Session{
		Store:    store.Open(""),
		warned:   map[string]bool{},
		models:   map[string]*model.Model{},
		programs: map[*model.Model][]*program{},
		loading:  map[*model.Model]time.Duration{},
	}
}

// Lookup implements planner.Catalog.
func (s *Session) Lookup(name string) (*model.Model, bool) {
	m, ok := s.models[name]
	return m, ok
}

// Models implements planner.Catalog.
func (s *Session) Models() []*model.Model {
	all := make([]*model.Model, 0, len(s.models))
	for _, m := range s.models {
		all = append(all, m)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Name < all[j].Name })
	return all
}

// Loaded adds to the time that loading a model took, for the next query that
// uses it to account for.
func (s *Session) Loaded(m *model.Model, d time.Duration) { s.loading[m] += d }

// takeLoading accounts for a model's loading time, once.
func (s *Session) takeLoading(m *model.Model) time.Duration {
	d := s.loading[m]
	s.loading[m] = 0
	return d
}

// expect tells how many positions a heat map is now expected to take.
func (s *Session) expect(positions int) {
	if s.Progress != nil {
		s.Progress.Expect(positions)
	}
}

// Run executes a plan and hands its results to emit in order. An error of emit
// ends it. What has rows becomes the last result, unless it goes to a file.
func (s *Session) Run(ctx context.Context, p planner.Plan, emit func(Result) error) error {
	if c, ok := p.(*planner.Copy); ok {
		return s.copy(ctx, c, emit)
	}
	var last lastResult
	return s.run(ctx, p, func(r Result) error {
		if t, ok := r.(Tabular); ok {
			last.add(t)
			s.last = &last
		}
		return emit(r)
	})
}

func (s *Session) run(ctx context.Context, p planner.Plan, emit func(Result) error) error {
	switch p := p.(type) {
	case *planner.CreateModel:
		return s.createModel(ctx, p, emit)
	case *planner.DropModel:
		return s.dropModel(p, emit)
	case *planner.ShowModels:
		return emit(showModels(p))
	case *planner.Describe:
		return emit(Description{p})
	case *planner.Analyze:
		return s.analyze(ctx, p, emit)
	case *planner.Set:
		return s.changed(s.Settings.Set(p.Name, p.Value), Message{"SET"}, emit)
	case *planner.Show:
		r, err := s.show(p.Name)
		if err != nil {
			return err
		}
		return emit(r)
	case *planner.Reset:
		return s.changed(s.Settings.Reset(p.Name), Message{"RESET"}, emit)
	case *planner.ShowCalibration:
		return s.showCalibration(ctx, p, emit)
	case *planner.ExportCalibration:
		return s.exportCalibration(ctx, p, emit)
	case *planner.ImportCalibration:
		return s.importCalibration(ctx, p, emit)
	case *planner.Predict:
		return s.predict(ctx, p, emit)
	case *planner.Occlude:
		if p.Table != "" {
			added, err := s.intoTable(ctx, p)
			if err != nil {
				return err
			}
			return emit(added)
		}
		return s.answer(ctx, p, emit)
	case *planner.Explain:
		if !p.Analyze {
			return emit(&Explanation{Plan: p})
		}
		return s.occlude(ctx, p.Query, func(h *HeatMap) error {
			return emit(&Explanation{Plan: p, Actual: &h.Actual})
		})
	case *planner.Benchmark:
		return s.benchmark(ctx, p, emit)
	case *planner.Compare:
		return s.compare(ctx, p, emit)
	case *planner.Evaluate:
		return s.evaluate(ctx, p, emit)
	case *planner.Query:
		return s.query(ctx, p, emit)
	case *planner.ShowDevices:
		return emit(s.showDevices())
	case *planner.ShowCache:
		return emit(s.showCache())
	case *planner.ClearCache:
		return emit(s.clearCache())
	case *planner.ShowTables:
		return s.showTables(ctx, emit)
	}
	return fmt.Errorf("%s: no executor for this plan", p.Statement())
}

func (s *Session) createModel(ctx context.Context, p *planner.CreateModel, emit func(Result) error) error {
	m, err := model.Load(ctx, p.Name, p.Path, p.Options)
	if err != nil {
		return err
	}
	s.forget(p.Name)
	s.models[p.Name] = m
	s.Loaded(m, m.Loading)
	if doubt := m.Spec.Doubt(); doubt != "" {
		s.warn(ctx, fmt.Errorf("model %q: %s", p.Name, doubt))
	}
	text := fmt.Sprintf("CREATE MODEL %s: %d layers, %s parameters, input %dx%d, %d classes",
		m.Name, len(m.Net.Layers), planner.FormatCount(int64(m.Net.Params())), m.Spec.Width, m.Spec.Height, m.Classes)
	if m.Assumed {
		text += fmt.Sprintf(" (the file leaves the input's size open: %dx%d was assumed)", m.Spec.Width, m.Spec.Height)
	}
	return emit(Message{text})
}

func (s *Session) dropModel(p *planner.DropModel, emit func(Result) error) error {
	if _, ok := s.models[p.Name]; !ok {
		return emit(Message{fmt.Sprintf("DROP MODEL: there was no model %s", p.Name)})
	}
	s.forget(p.Name)
	return emit(Message{"DROP MODEL " + p.Name})
}

// forget drops a model and what was made for it.
func (s *Session) forget(name string) {
	delete(s.loading, s.models[name])
	delete(s.programs, s.models[name])
	delete(s.models, name)
	s.dropViews(s.unmade)
}

// changed lets a change of the settings have its effect, unless it has failed.
func (s *Session) changed(err error, done Message, emit func(Result) error) error {
	if err != nil {
		return err
	}
	s.boundViews()
	return emit(done)
}

func showModels(p *planner.ShowModels) *Relation {
	r := &Relation{Columns: []string{"name", "file", "input", "classes", "layers", "parameters", "multiply_adds", "output"}}
	for _, m := range p.Models {
		in := m.Net.Input().Shape
		r.Rows = append(r.Rows, []any{
			m.Name, m.Path, fmt.Sprintf("%dx%dx%d", in.W, in.H, in.C), m.Classes,
			len(m.Net.Layers), m.Net.Params(), m.Net.Work().MACs, m.Output,
		})
	}
	return r
}

func (s *Session) show(name string) (*Relation, error) {
	if name != "" {
		v, err := s.Settings.Get(name)
		return &Relation{Columns: []string{name}, Rows: [][]any{{v}}}, err
	}
	r := &Relation{Columns: []string{"setting", "value", "meaning", "kind", "default"}}
	for _, t := range settings.All() {
		v, err := s.Settings.Get(t.Name)
		if err != nil {
			return nil, err
		}
		if t.Name == "memory_limit" && s.Settings.MemoryLimit() == 0 && s.Memory != nil {
			v += " (" + planner.FormatBytes(settings.MemoryShare(s.Memory())) + ")"
		}
		r.Rows = append(r.Rows, []any{t.Name, v, t.Meaning, t.Kind, t.Default})
	}
	for _, h := range planner.Hints() {
		r.Rows = append(r.Rows, []any{h.Name, "", h.Meaning + ": " + h.Values, "hint", h.Default})
	}
	return r, nil
}
