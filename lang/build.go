package lang

import (
	"math"
	"strconv"
	"strings"

	"github.com/alecthomas/participle/v2/lexer"
)

// builder makes the syntax tree of what the parser read, and checks what a
// grammar cannot say: that a clause comes once, that a size is whole, that a
// colour is one. What it builds counts only if it has no diagnostics.
type builder struct{ diagnostics Diagnostics }

// errorf adds a diagnostic. Where one begins that there is already, a second
// is most likely its consequence and is dropped; and so is what nobody would
// read to the end.
func (b *builder) errorf(span Span, format string, args ...any) *Diagnostic {
	d := Errorf(span, format, args...)
	if len(b.diagnostics) >= maxDiagnostics {
		return d
	}
	for _, before := range b.diagnostics {
		if before.From == span.From {
			return d
		}
	}
	b.diagnostics = append(b.diagnostics, d)
	return d
}

func (b *builder) statement(s *statementSyntax) Statement {
	switch {
	case s.Create != nil && s.Create.Table != nil:
		return b.table("CREATE", s.Create.syntax, s.Create.Table)
	case s.Drop != nil && s.Drop.Table != nil:
		return b.table("DROP", s.Drop.syntax, s.Drop.Table)
	case s.Create != nil:
		c := s.Create
		return &CreateModel{Located{c.span()}, c.Replace, b.model(c.Model), b.file(&c.File.Token), b.with(c.With)}
	case s.Drop != nil:
		return &DropModel{Located{s.Drop.span()}, s.Drop.IfExists, b.model(s.Drop.Model)}
	case s.Describe != nil:
		return &DescribeModel{Located{s.Describe.span()}, b.model(s.Describe.Model)}
	case s.Analyze != nil:
		return b.analyze(s.Analyze)
	case s.Show != nil:
		return b.show(s.Show)
	case s.Predict != nil:
		return b.predict(s.Predict)
	case s.Occlude != nil:
		return b.occlude(s.Occlude)
	case s.Explain != nil:
		return b.explain(s.Explain)
	case s.Benchmark != nil:
		return b.benchmark(s.Benchmark)
	case s.Compare != nil:
		return b.compare(s.Compare)
	case s.Evaluate != nil:
		return b.evaluate(s.Evaluate)
	case s.Query != nil:
		return b.sql(s.Query.syntax, s.Query.Rest, s.Query.Verb.Value)
	case s.Change != nil:
		return b.sql(s.Change.syntax, s.Change.Rest, s.Change.Verb.Value)
	case s.Copy != nil:
		return b.copy(s.Copy)
	case s.Export != nil:
		return &ExportCalibration{Located{s.Export.span()}, b.file(&s.Export.File.Token)}
	case s.Import != nil:
		return &ImportCalibration{Located{s.Import.span()}, b.file(&s.Import.File.Token)}
	case s.Set != nil:
		return &Set{Located{s.Set.span()}, b.name(s.Set.Setting.Token), b.value(s.Set.Value)}
	case s.Clear != nil:
		return &ClearCache{Located{s.Clear.span()}}
	case s.Reset.All:
		return &ResetAll{Located{s.Reset.span()}}
	default:
		return &Reset{Located{s.Reset.span()}, b.name(s.Reset.Setting.Token)}
	}
}

func (b *builder) table(verb string, s syntax, t *tableSyntax) *SQL {
	return b.sql(s, t.Rest, verb, t.Kind.Value)
}

func (b *builder) show(s *showSyntax) Statement {
	here := Located{s.span()}
	switch {
	case s.Models:
		return &ShowModels{here}
	case s.Tables:
		return &ShowTables{here}
	case s.Calibration:
		return &ShowCalibration{here}
	case s.Devices:
		return &ShowDevices{here}
	case s.Cache:
		return &ShowCache{here}
	case s.All:
		return &ShowAll{here}
	}
	return &ShowSetting{here, b.name(s.Setting.Token)}
}

func (b *builder) predict(s *predictSyntax) *Predict {
	p := &Predict{Located: Located{s.span()}, Image: b.file(&s.Image.Token), Model: b.model(s.Model)}
	once := onceOnly{b: b}
	for _, c := range s.Clauses {
		if !once.first(c.syntax) {
			continue
		}
		switch {
		case c.Top != nil:
			p.Top = b.top(c.Top)
		default:
			p.Options = b.with(c.With)
		}
	}
	return p
}

func (b *builder) occlude(s *occludeSyntax) *Occlude {
	o := &Occlude{Located: Located{s.span()}, Image: b.file(&s.Image.Token), Model: b.model(s.Model)}
	once := onceOnly{b: b}
	for _, c := range s.Clauses {
		if !once.first(c.syntax) {
			continue
		}
		switch {
		case c.Target != nil:
			o.Target = b.target(c.Target)
		case c.Patch != nil:
			o.Patch = b.extent(c.Patch)
		case c.Stride != nil:
			o.Stride = b.extent(c.Stride)
		case c.Fill != nil:
			o.Fill = b.fill(c.Fill)
		case c.Where != nil:
			o.Where = b.condition(b.or(c.Where), "WHERE needs a condition")
		case c.At != nil:
			for _, p := range c.At {
				o.At = append(o.At, Point{Located{p.span()}, b.pixel(p.X), b.pixel(p.Y)})
			}
		case c.Quality != nil:
			o.Quality = b.quality(c)
		case c.Within != nil:
			o.Within = b.within(c)
		case c.Verify != nil:
			o.Verify = b.verify(c)
		case c.Progressive:
			o.Progressive = true
		case c.Into != nil:
			b.into(o, c.Into)
		case c.OnError != nil:
			o.OnError = &OnError{Located{c.span()}, strings.EqualFold(c.OnError.Value, "STOP")}
		case c.Colormap != nil:
			name := b.word(c.Colormap.Token)
			o.Colormap = &name
		default:
			o.Options = b.with(c.With)
		}
	}
	if at, where := once.seen["AT"], once.seen["WHERE"]; len(at.Tokens) > 0 && len(where.Tokens) > 0 {
		later := at
		if where.Tokens[0].Pos.Offset > at.Tokens[0].Pos.Offset {
			later = where
		}
		b.errorf(tokenSpan(later.Tokens[0]), "AT and WHERE exclude each other").
			WithHint("AT names the positions one by one, WHERE chooses them from the grid")
	}
	return o
}

func (b *builder) into(o *Occlude, targets []*intoSyntax) {
	for _, t := range targets {
		switch {
		case t.File != nil:
			o.Into = append(o.Into, b.file(&t.File.Token))
		case o.Table != nil:
			b.errorf(t.span(), "results go into one table: %s was named before", clip(o.Table.String()))
		default:
			name := b.name(t.Table.Token)
			o.Table = &name
		}
	}
}

// onceOnly notices a clause that comes a second time, by its first word.
type onceOnly struct {
	b    *builder
	seen map[string]syntax
}

func (o *onceOnly) first(clause syntax) bool {
	keyword := strings.ToUpper(clause.Tokens[0].Value)
	if before, ok := o.seen[keyword]; ok {
		o.b.errorf(tokenSpan(clause.Tokens[0]), "%s is given twice: first on line %d", keyword, before.Tokens[0].Pos.Line)
		return false
	}
	if o.seen == nil {
		o.seen = map[string]syntax{}
	}
	o.seen[keyword] = clause
	return true
}

func (b *builder) target(s *targetSyntax) *Target {
	t := &Target{Located: Located{s.span()}}
	switch {
	case s.Top != nil:
		t.Top = b.top(s.Top)
	case s.Label != nil:
		label := text(&s.Label.Token)
		if label.Value == "" {
			b.errorf(label.Source, "the label is empty")
		}
		t.Class = label
	default:
		n := b.number(s.Class)
		if !n.IsInt() {
			b.errorf(n.Source, "%s is not the number of a class: those are whole, from 0", clip(n.Text))
		}
		t.Class = n
	}
	return t
}

// top reads the n of TOP n.
func (b *builder) top(t *lexer.Token) *Number {
	n := b.number(t)
	if i, ok := n.Int(); !ok || i < 1 {
		b.errorf(n.Source, "TOP needs a whole number of classes above 0, not %s", clip(n.Text))
	}
	return &n
}

// maxExtent is in pixels; no image that fits in memory is larger.
const maxExtent = 1 << 20

func (b *builder) extent(s *extentSyntax) *Extent {
	e := &Extent{Located: Located{s.span()}}
	side := func(t *lexer.Token) int {
		n := b.number(t)
		i, ok := n.Int()
		switch {
		case n.Value > maxExtent:
			b.errorf(n.Source, "%s pixels are too many", clip(n.Text))
		case !ok || i < 1:
			b.errorf(n.Source, "a size is a whole number of pixels above 0, not %s", clip(n.Text))
		}
		return i
	}
	e.W = side(&s.W)
	e.H = e.W
	if s.H != nil {
		e.H = side(s.H)
	}
	return e
}

func (b *builder) pixel(s *signedSyntax) int {
	n := b.signed(s)
	i, ok := n.Int()
	if !ok || i < -maxExtent || i > maxExtent {
		b.errorf(n.Source, "a position is in whole pixels, not %s", clip(n.Text))
	}
	return i
}

func (b *builder) fill(s *fillSyntax) *Fill {
	f := &Fill{Located: Located{s.span()}}
	switch {
	case s.Text != nil:
		f.Color = b.color(tokenSpan(*s.Text), text(s.Text).Value)
	case s.Color != nil:
		f.Color = b.color(tokenSpan(*s.Color), s.Color.Value)
	case s.Red != nil:
		for i, t := range []*lexer.Token{s.Red, s.Green, s.Blue} {
			n := b.number(t)
			if n.Value > 255 {
				b.errorf(n.Source, "a colour goes from 0 to 255, not to %s", clip(n.Text))
			}
			f.Color[i] = n.Value
		}
	case s.Mean != nil:
		f.Kind = FillMeanImage
		if strings.EqualFold(s.Mean.Value, "patch") {
			f.Kind = FillMeanPatch
		}
	case s.Blur != nil:
		f.Kind, f.Sigma = FillBlur, b.number(s.Blur)
		if f.Sigma.Value <= 0 {
			b.errorf(f.Sigma.Source, "blur needs a sigma above 0")
		}
	case s.Noise != nil:
		f.Kind, f.Seed = FillNoise, b.number(s.Noise)
		if !f.Seed.IsInt() {
			b.errorf(f.Seed.Source, "noise needs a whole number as its seed, not %s", clip(f.Seed.Text))
		}
	default:
		f.Kind, f.Image = FillImage, b.file(&s.Image.Token)
	}
	return f
}

// color reads the name of a colour or #rrggbb.
func (b *builder) color(span Span, s string) [3]float64 {
	for _, c := range colors {
		if strings.EqualFold(s, c.name) {
			return c.rgb
		}
	}
	if hex, ok := strings.CutPrefix(s, "#"); ok && len(hex) == 6 {
		if v, err := strconv.ParseUint(hex, 16, 32); err == nil {
			return [3]float64{float64(v >> 16), float64(v >> 8 & 0xff), float64(v & 0xff)}
		}
	}
	d := b.errorf(span, "%s is not a colour", clip(s))
	switch call, _, isCall := strings.Cut(s, "("); {
	case isCall && nearest(call, fillFunctions) != "":
		d.WithHint("write " + clip(s) + " without quotes")
	case strings.HasPrefix(s, "#"):
		d.WithHint("a colour is # and six hexadecimal digits, such as #7f7f7f")
	default:
		d.WithHint("colours are black, gray, white, '#7f7f7f' and rgb(127, 127, 127)").
			WithHint(DidYouMean(s, colorNames()))
	}
	return [3]float64{}
}

func colorNames() (names []string) {
	for _, c := range colors {
		names = append(names, c.name)
	}
	return names
}

var fillFunctions = []string{"rgb", "mean", "blur", "noise", "image"}

func (b *builder) explain(s *explainSyntax) *Explain {
	e := &Explain{Located: Located{s.span()}, Analyze: s.Analyze != nil}
	seen := map[string]*lexer.Token{}
	for _, o := range s.Options {
		token := o.Flag
		if token == nil {
			token = o.Name
		}
		name := Name{Located{tokenSpan(*token)}, strings.ToLower(token.Value), false}
		if b.twice(seen, name.Text, token) {
			continue
		}
		option := Option{Located: Located{o.span()}, Name: name}
		switch {
		case o.Name != nil:
			option.Value = word(o.Format)
		case o.Switch != nil:
			option.Value = boolean(o.Switch)
		}
		if name.Text == "analyze" {
			v, written := option.Value.(Bool)
			e.Analyze = !written || v.Value
			continue
		}
		e.Options = append(e.Options, option)
	}
	if s.Occlude != nil {
		e.Query = b.occlude(s.Occlude)
	} else {
		e.Query = b.predict(s.Predict)
	}
	return e
}

func (b *builder) copy(s *copySyntax) *Copy {
	c := &Copy{Located: Located{s.span()}, File: b.file(&s.File.Token)}
	seen := map[string]*lexer.Token{}
	for _, o := range s.Options {
		name := Name{Located{tokenSpan(o.Name)}, strings.ToLower(o.Name.Value), false}
		if !b.twice(seen, name.Text, &o.Name) {
			c.Options = append(c.Options, Option{Located{o.span()}, name, word(&o.Format)})
		}
	}
	switch q := s.Query; {
	case q.Occlude != nil:
		c.Query = b.occlude(q.Occlude)
	case q.Predict != nil:
		c.Query = b.predict(q.Predict)
	case q.Benchmark != nil:
		c.Query = b.benchmark(q.Benchmark)
	case q.Compare != nil:
		c.Query = b.compare(q.Compare)
	case q.Evaluate != nil:
		c.Query = b.evaluate(q.Evaluate)
	case q.Query != nil:
		c.Query = b.sql(q.Query.syntax, q.Query.Rest, q.Query.Verb.Value)
	default:
		c.Query = b.show(q.Show)
	}
	return c
}

func (b *builder) model(s *modelSyntax) Name { return b.name(s.Token) }

func (b *builder) name(t lexer.Token) Name {
	n := Name{Located: Located{tokenSpan(t)}, Text: t.Value}
	if t.Type == tokenQuoted {
		n.Quoted = true
		n.Text = strings.ReplaceAll(t.Value[1:len(t.Value)-1], `""`, `"`)
	}
	switch {
	case n.Text == "":
		b.errorf(n.Source, "the name between the quotes is empty")
	case len(n.Text) > maxWord:
		b.errorf(n.Source, "this name is too long: %d bytes, more than %d", len(n.Text), maxWord)
	}
	return n
}

func (b *builder) number(t *lexer.Token) Number {
	v, err := strconv.ParseFloat(t.Value, 64)
	if err != nil || math.IsInf(v, 0) {
		b.errorf(tokenSpan(*t), "%s is too large a number", clip(t.Value))
		v = 0
	}
	return Number{Located{tokenSpan(*t)}, v, t.Value}
}

func (b *builder) signed(s *signedSyntax) Number {
	n := b.number(&s.Number)
	n.Source = s.span()
	if s.Minus {
		n.Value, n.Text = -n.Value, "-"+n.Text
	}
	return n
}
