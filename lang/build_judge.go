package lang

import (
	"strings"

	"github.com/alecthomas/participle/v2/lexer"
)

func (b *builder) benchmark(s *benchmarkSyntax) *Benchmark {
	q := &Benchmark{Located: Located{s.span()}, Query: b.occlude(s.Query)}
	seen := map[string]*lexer.Token{}
	for _, o := range s.Options {
		if b.twice(seen, strings.ToUpper(o.Tokens[0].Value), &o.Tokens[0]) {
			continue
		}
		switch {
		case o.Runs != nil:
			q.Runs = b.times("RUNS", o.Runs, 1)
		case o.Warmup != nil:
			q.Warmup = b.times("WARMUP", o.Warmup, 0)
		default:
			for _, a := range o.Plans {
				q.Plans = append(q.Plans, Alternative{Located{a.span()}, b.name(a.Plan.Token), b.with(a.With)})
			}
		}
	}
	return q
}

// mostRuns is more than anybody waits for.
const mostRuns = 1000

// times reads how often something is done.
func (b *builder) times(what string, t *lexer.Token, least int) *Number {
	n := b.number(t)
	if i, ok := n.Int(); !ok || i < least || i > mostRuns {
		b.errorf(n.Source, "%s needs a whole number from %d to %d, not %s", what, least, mostRuns, clip(n.Text))
	}
	return &n
}

func (b *builder) compare(s *compareSyntax) *Compare {
	return &Compare{Located{s.span()}, b.occlude(s.First), b.occlude(s.Second)}
}

func (b *builder) evaluate(s *evaluateSyntax) *Evaluate {
	e := &Evaluate{Located: Located{s.span()}, Query: b.occlude(s.Query), Options: b.with(s.With)}
	for _, m := range s.Metrics {
		metric := Metric{Located: Located{m.span()}, Name: b.name(m.Name.Token)}
		for _, a := range m.Arguments {
			metric.Arguments = append(metric.Arguments, b.value(a))
		}
		e.Metrics = append(e.Metrics, metric)
	}
	return e
}
