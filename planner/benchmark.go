package planner

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"occlude/lang"
)

// Defaults and limits of BENCHMARK.
const (
	defaultRuns   = 3
	defaultWarmup = 1
	mostPlans     = 64
)

// Benchmark times ways to compute the heat maps of one query, side by side.
type Benchmark struct {
	text
	Runs, Warmup int      // of each alternative: those that count, and those before them
	Query        *Occlude // as it would run by itself
	Alternatives []Alternative
	// Refused are plans that would have been alternatives if they fitted into the
	// memory; Reason says by how much they do not.
	Refused []*Candidate
	// Baseline is the alternative that the others are told against, by index: the
	// first full inference, else the first exact plan, else the first of all.
	Baseline int
}

// Alternative is one of the ways.
type Alternative struct {
	Name   string   // as it was written: approximate WITH (tau = 0.6)
	Query  *Occlude // whose chosen candidate it is
	Chosen bool     // whether the query would run so by itself
}

// Formats implements Formatted: the table is a chart, too.
func (p *Benchmark) Formats() []string { return []string{WritePNG, WriteCSV, WriteJSON} }

// Reference tells whether the maps of the baseline are exact, so that the others'
// can be judged by them.
func (p *Benchmark) Reference() bool { return p.Alternatives[p.Baseline].Query.Chosen().Exact() }

// Exact tells whether a plan leaves nothing out: it computes all that changes, at
// every position.
func (c *Candidate) Exact() bool {
	return (c.Rects.Rule == Whole || c.Rects.Rule == Traced) && c.DrillDown == nil && c.Adaptive == nil
}

func (b *binder) benchmark(ctx context.Context, s *lang.Benchmark) (Plan, error) {
	if err := benchmarked(s.Query); err != nil {
		return nil, err
	}
	query, err := b.inner(ctx, s.Query)
	if err != nil {
		return nil, err
	}
	p := &Benchmark{text: b.text, Runs: defaultRuns, Warmup: defaultWarmup, Query: query}
	if s.Runs != nil {
		if p.Runs, err = wholeNumber(*s.Runs, 1); err != nil {
			return nil, err
		}
	}
	if s.Warmup != nil {
		if p.Warmup, err = wholeNumber(*s.Warmup, 0); err != nil {
			return nil, err
		}
	}
	if s.Plans == nil {
		p.considered()
	}
	if n := len(s.Plans); n > mostPlans {
		return nil, lang.Errorf(s.Plans[mostPlans].Span(), "%d plans are beyond the limit of %d", n, mostPlans)
	}
	for i, a := range s.Plans {
		if slices.ContainsFunc(s.Plans[:i], func(earlier lang.Alternative) bool { return earlier.String() == a.String() }) {
			return nil, lang.Errorf(a.Span(), "%s is listed twice", a)
		}
		q, err := b.alternative(ctx, s.Query, a)
		if err != nil {
			return nil, err
		}
		p.Alternatives = append(p.Alternatives, Alternative{a.String(), q, q.Chosen().same(p.Query.Chosen())})
	}
	first := func(is func(*Candidate) bool) int {
		return slices.IndexFunc(p.Alternatives, func(a Alternative) bool { return is(a.Query.Chosen()) })
	}
	p.Baseline = max(0, first((*Candidate).Exact))
	if full := first(func(c *Candidate) bool { return c.Exact() && c.Rects.Rule == Whole }); full >= 0 {
		p.Baseline = full
	}
	return p, nil
}

// benchmarked refuses of a query what BENCHMARK has no place for.
func benchmarked(s *lang.Occlude) error {
	if err := unwritten(s, "BENCHMARK"); err != nil {
		return err
	}
	if e := s.OnError; e != nil && !e.Stop {
		return lang.Errorf(e.Span(), "BENCHMARK ends with the first image that cannot be used, lest plans be timed on different ones").
			WithHint("leave out ON ERROR")
	}
	if s.Verify != nil {
		return lang.Errorf(s.Verify.Span(), "BENCHMARK compares whole maps and has nothing to verify").
			WithHint("leave out VERIFY: the largest difference and SSIM are in the result")
	}
	for _, o := range s.Options {
		if o.Name.Key() == "plan" {
			return lang.Errorf(o.Span(), "a plan for all is no choice of plans").
				WithHint(fmt.Sprintf("BENCHMARK (PLANS (%s)) OCCLUDE ... names those to run", plainText(o.Value)))
		}
	}
	return nil
}

// unwritten refuses the files and tables of a query that another statement runs.
func unwritten(s *lang.Occlude, statement string) error {
	const hint = "COPY (%s ...) TO 'file' writes its result"
	switch {
	case len(s.Into) > 0:
		return lang.Errorf(s.Into[0].Span(), "%s keeps no heat maps, so its OCCLUDE takes no INTO", statement).
			WithHint(fmt.Sprintf(hint, statement))
	case s.Table != nil:
		return lang.Errorf(s.Table.Span(), "%s keeps no heat maps, so its OCCLUDE takes no INTO TABLE", statement).
			WithHint(fmt.Sprintf(hint, statement))
	}
	return nil
}

// considered makes every plan that the planner has costed, and that may run, an
// alternative; the simpler ones first.
func (p *Benchmark) considered() {
	for _, name := range []string{PlanFull, PlanIncremental, PlanApproximate} {
		for _, c := range p.Query.Candidates {
			if c.Name != name {
				continue
			}
			if c.refused != nil {
				p.Refused = append(p.Refused, c)
				continue
			}
			q := *p.Query
			q.Candidates, q.Device, q.Threads = []*Candidate{c}, nameOf(c.Device), c.Threads
			p.Alternatives = append(p.Alternatives, Alternative{c.title(), &q, c == p.Query.Chosen()})
		}
	}
}

// approximating are the hints that say how to approximate.
var approximating = []string{"tau", "drill_down", "speedup"}

// alternative binds a query with an alternative's hints beside its own. What the
// query says of approximation, its goals too, is left out for exact plans.
func (b *binder) alternative(ctx context.Context, s *lang.Occlude, a lang.Alternative) (*Occlude, error) {
	plans := []string{PlanFull, PlanIncremental, PlanApproximate}
	name := a.Plan.Key()
	if !slices.Contains(plans, name) {
		hint := lang.DidYouMean(a.Plan.Text, plans)
		if hint == "" {
			hint = "the plans are " + strings.Join(plans, ", ")
		}
		return nil, lang.Errorf(a.Plan.Span(), "there is no plan %q", a.Plan.Text).WithHint(hint)
	}
	own := *s
	own.Located = a.Located // where to tell what is wrong with all of it
	if name != PlanApproximate {
		own.Quality, own.Within = nil, nil
	}
	own.Options = []lang.Option{{
		Located: a.Plan.Located, Name: lang.Name{Located: a.Plan.Located, Text: "plan"}, Value: lang.Word{Located: a.Plan.Located, Text: name},
	}}
	for _, o := range s.Options {
		if name == PlanApproximate || !slices.Contains(approximating, o.Name.Key()) {
			own.Options = append(own.Options, o)
		}
	}
	for _, o := range a.Options {
		for _, other := range own.Options {
			if other.Name.Key() != o.Name.Key() {
				continue
			}
			if o.Name.Key() == "plan" {
				return nil, lang.Errorf(o.Span(), "the plan is named already: %s", name)
			}
			return nil, lang.Errorf(o.Span(), "%s is a hint of the query, too", o.Name).
				WithHint("a hint stands either in the query's WITH, for all plans, or in those of PLANS")
		}
		own.Options = append(own.Options, o)
	}
	return b.inner(ctx, &own)
}

// same tells whether two candidates of one query do the same.
func (c *Candidate) same(d *Candidate) bool {
	return c.title() == d.title() && c.Rects == d.Rects && c.Batch == d.Batch && slices.Equal(c.Algorithms, d.Algorithms) &&
		equal(c.DrillDown, d.DrillDown) && equal(c.Adaptive, d.Adaptive)
}

// equal compares what two pointers point at, if anything.
func equal[T comparable](a, b *T) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}
