package lang

import (
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// checkRoundTrip demands that a statement prints to text that parses to an
// equal statement, which prints the same.
func checkRoundTrip(t interface{ Fatalf(string, ...any) }, s Statement) {
	text := s.String()
	script, diagnostics := Parse("t", text+";")
	if len(diagnostics) > 0 || len(script.Statements) != 1 {
		t.Fatalf("%q does not parse:\n%s", text, diagnostics.Format(text+";"))
	}
	again := script.Statements[0]
	if !Equal(s, again) {
		t.Fatalf("%q parses to another tree, %q", text, again)
	}
	if again.String() != text {
		t.Fatalf("%q prints as %q", text, again)
	}
}

// A setting may be called like anything else that SHOW and RESET know.
func TestNamesOfSettings(t *testing.T) {
	for _, word := range Keywords() {
		name := Name{Text: strings.ToLower(word), Quoted: isReserved(word)}
		checkRoundTrip(t, &ShowSetting{Setting: name})
		checkRoundTrip(t, &Reset{Setting: name})
	}
}

func TestPrintedTreesParse(t *testing.T) {
	statement := statements()
	rapid.Check(t, func(t *rapid.T) { checkRoundTrip(t, statement.Draw(t, "statement")) })
}

// TestCase: keywords may be written in any case.
func TestCase(t *testing.T) {
	statement := statements()
	rapid.Check(t, func(t *rapid.T) {
		s := statement.Draw(t, "statement")
		if strings.ContainsAny(s.String(), `'"`) {
			s = &DropModel{Model: bare("oct")}
		}
		text := strings.ToLower(s.String()) + ";"
		script, diagnostics := Parse("t", text)
		if len(diagnostics) > 0 || len(script.Statements) != 1 {
			t.Fatalf("%q does not parse:\n%s", text, diagnostics.Format(text))
		}
	})
}

// The generators draw every shape of tree that the parser can build.

func statements() *rapid.Generator[Statement] {
	file, name, option := texts(), names(), options()
	return rapid.Custom(func(t *rapid.T) Statement {
		predict := func() *Predict {
			p := &Predict{Image: file.Draw(t, "image"), Model: name.Draw(t, "model"), Options: option.Draw(t, "options")}
			if rapid.Bool().Draw(t, "has top") {
				p.Top = whole(t, 1)
			}
			return p
		}
		switch rapid.IntRange(0, 20).Draw(t, "kind") {
		case 0:
			return &CreateModel{Replace: rapid.Bool().Draw(t, "replace"), Model: name.Draw(t, "model"),
				File: file.Draw(t, "file"), Options: option.Draw(t, "options")}
		case 1:
			return &DropModel{IfExists: rapid.Bool().Draw(t, "if exists"), Model: name.Draw(t, "model")}
		case 2:
			return &ShowModels{}
		case 3:
			return &DescribeModel{Model: name.Draw(t, "model")}
		case 4:
			return predict()
		case 5, 6:
			return occludes().Draw(t, "occlude")
		case 7:
			e := &Explain{Analyze: rapid.Bool().Draw(t, "analyze"), Query: occludes().Draw(t, "query")}
			if rapid.Bool().Draw(t, "of predict") {
				e.Query = predict()
			}
			for _, flag := range []string{"alternatives", "layers", "rules"} {
				switch rapid.IntRange(0, 3).Draw(t, flag) {
				case 0:
					e.Options = append(e.Options, Option{Name: bare(flag)})
				case 1:
					e.Options = append(e.Options, Option{Name: bare(flag), Value: Bool{Value: rapid.Bool().Draw(t, "on")}})
				}
			}
			e.Options = append(e.Options, format(t, "text", "json", "dot")...)
			return e
		case 8:
			c := &Copy{File: file.Draw(t, "file"), Options: format(t, "csv", "json", "npy", "png")}
			c.Query = rapid.OneOf(
				rapid.Map(occludes(), func(o *Occlude) Statement { return o }),
				rapid.SampledFrom([]Statement{&ShowModels{}, &ShowCache{}}),
				rapid.Custom(func(*rapid.T) Statement { return predict() }),
				rapid.Map(benchmarks(), func(b *Benchmark) Statement { return b }),
				rapid.Map(evaluations(), func(e *Evaluate) Statement { return e }),
				rapid.Map(queries(), func(q *SQL) Statement { return q }),
			).Draw(t, "query")
			return c
		case 9:
			return &Set{Setting: name.Draw(t, "setting"), Value: values(2).Draw(t, "value")}
		case 10:
			return rapid.SampledFrom([]Statement{&ShowAll{}, &ResetAll{}}).Draw(t, "all")
		case 11:
			return &ShowSetting{Setting: name.Draw(t, "setting")}
		case 12:
			return analyses().Draw(t, "analyze")
		case 13:
			return rapid.SampledFrom([]Statement{&ShowTables{}, &ShowCalibration{}, &ShowDevices{}, &ShowCache{}, &ClearCache{}}).Draw(t, "show")
		case 14:
			return &ExportCalibration{File: file.Draw(t, "file")}
		case 15:
			return &ImportCalibration{File: file.Draw(t, "file")}
		case 16:
			return benchmarks().Draw(t, "benchmark")
		case 17:
			return &Compare{First: occludes().Draw(t, "first"), Second: occludes().Draw(t, "second")}
		case 18:
			return evaluations().Draw(t, "evaluate")
		case 19:
			return queries().Draw(t, "query")
		default:
			return &Reset{Setting: name.Draw(t, "setting")}
		}
	})
}

func benchmarks() *rapid.Generator[*Benchmark] {
	return rapid.Custom(func(t *rapid.T) *Benchmark {
		b := &Benchmark{Query: occludes().Draw(t, "query")}
		times := rapid.IntRange(1, mostRuns)
		if rapid.Bool().Draw(t, "has runs") {
			b.Runs = &Number{Value: float64(times.Draw(t, "runs"))}
		}
		if rapid.Bool().Draw(t, "has warmup") {
			b.Warmup = &Number{Value: float64(times.Draw(t, "warmup") - 1)}
		}
		b.Plans = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Alternative {
			return Alternative{Plan: names().Draw(t, "plan"), Options: options().Draw(t, "hints")}
		}), 0, 3).Draw(t, "plans")
		return b
	})
}

func evaluations() *rapid.Generator[*Evaluate] {
	return rapid.Custom(func(t *rapid.T) *Evaluate {
		metric := rapid.Custom(func(t *rapid.T) Metric {
			return Metric{Name: names().Draw(t, "metric"), Arguments: rapid.SliceOfN(values(1), 0, 2).Draw(t, "arguments")}
		})
		return &Evaluate{Query: occludes().Draw(t, "query"), Metrics: rapid.SliceOfN(metric, 1, 3).Draw(t, "metrics"), Options: options().Draw(t, "options")}
	})
}

// queries draws SQL whose strings, names, comments and parentheses hold what would
// end it elsewhere.
func queries() *rapid.Generator[*SQL] {
	piece := rapid.SampledFrom([]string{"x", "'a;b)'", "'it''s ('", `"n;)"`, "[;)]", "`)`", "/* ;) */", "-- ;)\n", "(y)", "||", "->>", "@é", "?1"})
	return rapid.Custom(func(t *rapid.T) *SQL {
		verb := rapid.SampledFrom(sqlQueries).Draw(t, "verb")
		return &SQL{Verb: verb, Text: verb + " 1 " + strings.Join(rapid.SliceOf(piece).Draw(t, "pieces"), " ") + " z"}
	})
}

func occludes() *rapid.Generator[*Occlude] {
	return rapid.Custom(func(t *rapid.T) *Occlude {
		o := &Occlude{Image: texts().Draw(t, "image"), Model: names().Draw(t, "model"), Options: options().Draw(t, "options")}
		if rapid.Bool().Draw(t, "has target") {
			o.Target = rapid.SampledFrom([]*Target{
				{Top: whole(t, 1)}, {Class: *whole(t, 0)}, {Class: texts().Draw(t, "label")},
			}).Draw(t, "target")
		}
		side := rapid.IntRange(1, maxExtent)
		if rapid.Bool().Draw(t, "has patch") {
			o.Patch = &Extent{W: side.Draw(t, "w"), H: side.Draw(t, "h")}
		}
		if rapid.Bool().Draw(t, "has stride") {
			w := side.Draw(t, "stride")
			o.Stride = &Extent{W: w, H: w}
		}
		if rapid.Bool().Draw(t, "has fill") {
			o.Fill = fills().Draw(t, "fill")
		}
		switch rapid.IntRange(0, 2).Draw(t, "on error") {
		case 0:
			o.OnError = &OnError{Stop: rapid.Bool().Draw(t, "stop")}
			name := names().Draw(t, "table")
			o.Table = &name
		}
		switch rapid.IntRange(0, 2).Draw(t, "positions") {
		case 0:
			o.Where = conditions(4).Draw(t, "where")
		case 1:
			o.At = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Point {
				at := rapid.IntRange(-maxExtent, maxExtent)
				return Point{X: at.Draw(t, "x"), Y: at.Draw(t, "y")}
			}), 1, 3).Draw(t, "at")
		}
		if rapid.Bool().Draw(t, "has quality") {
			o.Quality = &QualityGoal{Metric: "ssim", AtLeast: 1 - rapid.Float64Range(0, 0.999).Draw(t, "loss")}
		}
		if rapid.Bool().Draw(t, "has time") {
			o.Within = &TimeGoal{
				Duration: time.Duration(rapid.Int64Range(1, int64(maxTime)).Draw(t, "nanoseconds")),
				OrFail:   rapid.Bool().Draw(t, "or fail"),
			}
		}
		switch rapid.IntRange(0, 2).Draw(t, "verify") {
		case 0:
			o.Verify = &Verify{All: true}
		case 1:
			o.Verify = &Verify{Positions: rapid.IntRange(1, 1<<40).Draw(t, "positions")}
		}
		o.Progressive = rapid.Bool().Draw(t, "progressive")
		o.Into = rapid.SliceOfN(texts(), 0, 3).Draw(t, "into")
		if rapid.Bool().Draw(t, "has colormap") {
			name := texts().Draw(t, "colormap")
			o.Colormap = &name
		}
		return o
	})
}

func analyses() *rapid.Generator[*AnalyzeModel] {
	return rapid.Custom(func(t *rapid.T) *AnalyzeModel {
		a := &AnalyzeModel{Model: names().Draw(t, "model")}
		if rapid.Bool().Draw(t, "has sample") {
			a.Sample = &Sample{Size: rapid.IntRange(1, 1<<40).Draw(t, "size"), Files: texts().Draw(t, "files")}
			if rapid.Bool().Draw(t, "has seed") {
				a.Sample.Seed = whole(t, 0)
			}
		}
		if rapid.Bool().Draw(t, "has patch") {
			a.Patch = &Extent{W: rapid.IntRange(1, maxExtent).Draw(t, "w"), H: rapid.IntRange(1, maxExtent).Draw(t, "h")}
		}
		if rapid.Bool().Draw(t, "has stride") {
			a.Stride = &Extent{W: 4, H: rapid.IntRange(1, maxExtent).Draw(t, "stride")}
		}
		if rapid.Bool().Draw(t, "has fill") {
			a.Fill = fills().Draw(t, "fill")
		}
		return a
	})
}

func fills() *rapid.Generator[*Fill] {
	return rapid.Custom(func(t *rapid.T) *Fill {
		f := &Fill{Kind: FillKind(rapid.IntRange(int(FillColor), int(FillImage)).Draw(t, "kind"))}
		switch f.Kind {
		case FillColor:
			byteValue := rapid.Map(rapid.IntRange(0, 255), func(i int) float64 { return float64(i) })
			channel := rapid.OneOf(byteValue, rapid.Float64Range(0, 255))
			switch rapid.IntRange(0, 2).Draw(t, "color") {
			case 0:
				f.Color = rapid.SampledFrom(colors).Draw(t, "named").rgb
			case 1:
				channel = byteValue
				fallthrough
			default:
				for i := range f.Color {
					f.Color[i] = channel.Draw(t, "channel")
				}
			}
		case FillBlur:
			f.Sigma = num(rapid.Float64Range(1e-3, 1e6).Draw(t, "sigma"))
		case FillNoise:
			f.Seed = *whole(t, 0)
		case FillImage:
			f.Image = texts().Draw(t, "image")
		}
		return f
	})
}

func whole(t *rapid.T, least int) *Number {
	n := num(float64(rapid.IntRange(least, 1<<40).Draw(t, "whole")))
	return &n
}

func format(t *rapid.T, formats ...string) []Option {
	if rapid.Bool().Draw(t, "default format") {
		return nil
	}
	return []Option{{Name: bare("format"), Value: Word{Text: rapid.SampledFrom(formats).Draw(t, "format")}}}
}

// letters are those that need care somewhere.
var letters = rapid.SampledFrom([]rune("ax16.E-_'\"\\;/*#, ()\n\tß写\u0301é"))

func texts() *rapid.Generator[String] {
	return rapid.Map(rapid.StringOfN(letters, 1, 8, -1), str)
}

// bareNames are words, some of the language.
var bareNames = rapid.OneOf(
	rapid.StringMatching(`[a-zA-Zé_][a-z0-9_]{0,5}(\.[a-z0-9]{1,3})?`),
	rapid.SampledFrom([]string{"top", "all", "models", "if", "exists", "x", "x16", "with", "occlude", "Analyze", "true"}),
)

func names() *rapid.Generator[Name] {
	return rapid.OneOf(
		rapid.Map(bareNames, bare),
		rapid.Map(rapid.StringOfN(letters, 1, 8, -1), func(s string) Name { return Name{Text: s, Quoted: true} }),
	)
}

func options() *rapid.Generator[[]Option] {
	option := rapid.Custom(func(t *rapid.T) Option {
		return Option{Name: names().Draw(t, "name"), Value: values(2).Draw(t, "value")}
	})
	return rapid.SliceOfNDistinct(option, 0, 3, func(o Option) string { return o.Name.Key() })
}

func values(depth int) *rapid.Generator[Value] {
	word := rapid.Map(bareNames.Filter(func(s string) bool {
		_, isSwitch := switches[strings.ToLower(s)]
		return isBareName(s) && !isSwitch
	}), func(s string) Value { return Word{Text: s} })
	kinds := []*rapid.Generator[Value]{
		word,
		rapid.Map(texts(), func(s String) Value { return s }),
		rapid.Map(rapid.Bool(), func(b bool) Value { return Bool{Value: b} }),
		rapid.Map(rapid.Float64(), func(v float64) Value {
			if math.IsInf(v, 0) || math.IsNaN(v) {
				v = 0
			}
			return num(v)
		}),
		rapid.Map(rapid.IntRange(-100, 1<<30), func(i int) Value { return num(float64(i)) }),
	}
	if depth > 0 {
		kinds = append(kinds, rapid.Map(rapid.SliceOfN(rapid.Deferred(func() *rapid.Generator[Value] { return values(depth - 1) }), 0, 3),
			func(items []Value) Value { return List{Items: items} }))
	}
	return rapid.OneOf(kinds...)
}

func conditions(depth int) *rapid.Generator[Expr] {
	return rapid.Custom(func(t *rapid.T) Expr {
		number := numbers(depth - 1)
		last := 3
		if depth > 0 {
			last = 6
		}
		condition := rapid.Deferred(func() *rapid.Generator[Expr] { return conditions(depth - 1) })
		negated := rapid.Bool()
		switch rapid.IntRange(0, last).Draw(t, "condition") {
		case 0:
			op := rapid.SampledFrom([]CompareOp{Equals, Differs, Less, LessEqual, Greater, GreaterEqual})
			return &Comparison{Op: op.Draw(t, "op"), Left: number.Draw(t, "left"), Right: number.Draw(t, "right")}
		case 1:
			return &Between{Not: negated.Draw(t, "not"), X: number.Draw(t, "x"), Low: number.Draw(t, "low"), High: number.Draw(t, "high")}
		case 2:
			return &In{Not: negated.Draw(t, "not"), X: number.Draw(t, "x"), List: rapid.SliceOfN(number, 1, 3).Draw(t, "list")}
		case 3:
			return &Inside{Mask: texts().Draw(t, "mask")}
		case 4:
			return &Not{X: condition.Draw(t, "x")}
		case 5:
			return &And{Terms: rapid.SliceOfN(condition, 2, 3).Draw(t, "terms")}
		default:
			return &Or{Terms: rapid.SliceOfN(condition, 2, 3).Draw(t, "terms")}
		}
	})
}

func numbers(depth int) *rapid.Generator[Expr] {
	return rapid.Custom(func(t *rapid.T) Expr {
		last := 1
		if depth > 0 {
			last = 4
		}
		number := rapid.Deferred(func() *rapid.Generator[Expr] { return numbers(depth - 1) })
		switch rapid.IntRange(0, last).Draw(t, "number") {
		case 0:
			return &Column{Name: rapid.SampledFrom([]string{"x", "y", "w", "h"}).Draw(t, "column")}
		case 1:
			return num(rapid.Float64Range(0, 1e6).Draw(t, "value"))
		case 2:
			return &Neg{X: number.Draw(t, "x")}
		default:
			op := rapid.SampledFrom([]ArithOp{Plus, Minus, Times, Divide, Modulo})
			return &Arith{Op: op.Draw(t, "op"), Left: number.Draw(t, "left"), Right: number.Draw(t, "right")}
		}
	})
}
