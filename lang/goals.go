package lang

import (
	"math"
	"strings"
	"time"

	"github.com/alecthomas/participle/v2/lexer"
)

// This file builds what is said about a map's quality and about time: SSIM,
// WITHIN and VERIFY, and ANALYZE MODEL, which measures both beforehand.

// maxTime is what WITHIN goes up to: a week. Its nanoseconds are so far below
// the 2^53 that a float64 tells apart that seconds and nanoseconds turn into
// each other and back without loss.
const maxTime = 7 * 24 * time.Hour

// timeUnits are the units of WITHIN.
var timeUnits = map[string]time.Duration{
	"SECONDS": time.Second, "SECOND": time.Second,
	"MINUTES": time.Minute, "MINUTE": time.Minute,
	"MILLISECONDS": time.Millisecond, "MILLISECOND": time.Millisecond,
}

// unitSymbols are short forms that people write by habit, as in 5s or 500 ms,
// and the unit that is written here instead.
var unitSymbols = map[string]string{
	"s": "SECONDS", "sec": "SECONDS", "secs": "SECONDS",
	"m": "MINUTES", "min": "MINUTES", "mins": "MINUTES",
	"ms": "MILLISECONDS", "msec": "MILLISECONDS",
}

func (b *builder) quality(c *clauseSyntax) *QualityGoal {
	n := b.number(c.Quality)
	if n.Value <= 0 || n.Value > 1 {
		d := b.errorf(n.Source, "an SSIM is above 0 and at most 1, not %s", clip(n.Text))
		if n.Value >= 10 && n.Value <= 100 { // meant as percent
			d.WithHint("write " + float(n.Value/100))
		}
	}
	return &QualityGoal{Located{c.span()}, "ssim", n.Value}
}

func (b *builder) within(c *clauseSyntax) *TimeGoal {
	n := b.number(&c.Within.Number)
	unit := timeUnits[strings.ToUpper(c.Within.Unit.Token.Value)]
	nanoseconds := math.Round(n.Value * float64(unit))
	switch {
	case nanoseconds < 1:
		b.errorf(n.Source, "WITHIN needs a time above 0")
	case nanoseconds > float64(maxTime):
		b.errorf(n.Source, "WITHIN goes up to a week")
		nanoseconds = 0
	}
	return &TimeGoal{Located{c.span()}, time.Duration(nanoseconds), c.Within.OrFail}
}

func (b *builder) verify(c *clauseSyntax) *Verify {
	v := &Verify{Located: Located{c.span()}, All: c.Verify.All}
	if !v.All {
		v.Positions = b.count(c.Verify.Positions, "VERIFY", "positions")
	}
	return v
}

func (b *builder) analyze(s *analyzeSyntax) *AnalyzeModel {
	a := &AnalyzeModel{Located: Located{s.span()}, Model: b.model(s.Model)}
	once := onceOnly{b: b}
	for _, c := range s.Clauses {
		if !once.first(c.syntax) {
			continue
		}
		switch {
		case c.Sample != nil:
			a.Sample = b.sample(c.Sample)
		case c.Patch != nil:
			a.Patch = b.extent(c.Patch)
		case c.Stride != nil:
			a.Stride = b.extent(c.Stride)
		default:
			a.Fill = b.fill(c.Fill)
		}
	}
	return a
}

func (b *builder) sample(s *sampleSyntax) *Sample {
	out := &Sample{Located: Located{s.span()}, Size: b.count(&s.Size, "SAMPLE", "images"), Files: b.file(&s.Files.Token)}
	if s.Seed != nil {
		seed := b.number(s.Seed)
		if !seed.IsInt() {
			b.errorf(seed.Source, "REPEATABLE needs a whole number as its seed, not %s", clip(seed.Text))
		}
		out.Seed = &seed
	}
	return out
}

// count reads how many things a clause asks for.
func (b *builder) count(t *lexer.Token, clause, things string) int {
	n := b.number(t)
	i, ok := n.Int()
	if !ok || i < 1 {
		b.errorf(n.Source, "%s needs a whole number of %s above 0, not %s", clause, things, clip(n.Text))
	}
	return i
}
