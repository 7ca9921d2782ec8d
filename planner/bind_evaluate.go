package planner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"occlude/internal/imageio"
	"occlude/lang"
	"occlude/operators/region"
)

// Defaults of EVALUATE. RISE walks in 224 even steps, Xplique in 10. 32 early ones tell
// the areas of the examples in examples/images, .03 to .97, within .007 of those of 1568
// even steps, .002 in the mean; 64 even ones are .004 off, 32 .011.
const (
	defaultSteps  = 32
	defaultRandom = 1
	// defaultMargin is that of the pointing game, in pixels.
	defaultMargin = 15
	// plannedSteps are as many as make a difference to how they are computed.
	plannedSteps = 1024
	// maxSteps and maxRandom are more than anybody waits for.
	maxSteps, maxRandom = 10_000, 1_000
)

// defaultFills are what stands in for missing pixels where nothing is said. RISE takes a
// constant for deletion, and for insertion, which should not begin with the edges of
// shapes on a plain background, the image blurred by a sigma of 5.
var defaultFills = map[MetricKind]Fill{
	Deletion:  {Kind: FillColor, Color: [3]float32{128, 128, 128}, Text: "gray"},
	Insertion: {Kind: FillBlur, Sigma: 5, Text: "blur(5)"},
}

func (b *binder) evaluate(ctx context.Context, s *lang.Evaluate) (Plan, error) {
	if err := b.override(s.Query.Options); err != nil { // of the curves, too
		return nil, err
	}
	if !b.calibrate(ctx, s.Query.Model) {
		b.measure(ctx)
	}
	if err := notTable(s.Query, "EVALUATE"); err != nil {
		return nil, err
	}
	inner, err := (&binder{planner: b.planner, env: b.env.alone(), text: text(s.Query.String())}).occlude(ctx, s.Query)
	if err != nil {
		return nil, err
	}
	p := &Evaluate{text: b.text, Query: inner.(*Occlude), Steps: defaultSteps, Random: defaultRandom, Seed: defaultSeed, Margin: defaultMargin}
	b.spec = p.Query.Model.Spec
	for _, o := range s.Options {
		if o.Name.Key() == "fill" {
			return nil, lang.Errorf(o.Name.Span(), "there is no option of EVALUATE called %q", o.Name.Text).
				WithHint("a fill is the argument of its metric, as in deletion('black')")
		}
	}
	o := evaluateOptions{Evaluate: p}
	read := optionReader[evaluateOptions]{table: evaluateTable, target: &o}
	if err := read.all(s.Options, "option of EVALUATE"); err != nil {
		return nil, err
	}
	for _, m := range s.Metrics {
		metric, err := b.metric(ctx, m, p.Query)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(p.Metrics, func(o Metric) bool { return o.Text == metric.Text }) {
			return nil, lang.Errorf(m.Span(), "%s is asked for twice", metric.Text)
		}
		p.Metrics = append(p.Metrics, metric)
	}
	if !p.curved() {
		return p, nil
	}
	if pixels := p.Query.Grid.Width * p.Query.Grid.Height; p.Steps > pixels {
		if o.stepsAt != nil {
			return nil, lang.Errorf(o.stepsAt.Span(), "%d steps through an image of %d pixels", p.Steps, pixels)
		}
		p.Steps = pixels
	}
	return p, b.walk(ctx, s, p, o)
}

// evaluateOptions are what WITH says in EVALUATE.
type evaluateOptions struct {
	*Evaluate
	stepsAt lang.Value
	plan    string // "" to let memory decide
}

// evaluateTable is the one place where an option of EVALUATE is made.
var evaluateTable = map[string]func(*evaluateOptions, lang.Value) error{
	"steps": func(o *evaluateOptions, v lang.Value) (err error) {
		o.stepsAt = v
		o.Steps, err = numberWithin(v, 1, maxSteps)
		return err
	},
	"random": func(o *evaluateOptions, v lang.Value) (err error) {
		o.Random, err = numberWithin(v, 0, maxRandom)
		return err
	},
	"seed": func(o *evaluateOptions, v lang.Value) (err error) {
		o.Seed, err = wholeNumber(v, 0)
		return err
	},
	"margin": func(o *evaluateOptions, v lang.Value) error {
		n, err := numbers(v, 1)
		if err != nil {
			return err
		}
		if n[0] < 0 {
			return lang.Errorf(v.Span(), "a margin of %s pixels", v)
		}
		o.Margin = n[0]
		return nil
	},
	"spacing": word(func(o *evaluateOptions, s string) { o.Even = s == "even" }, "early", "even"),
	"plan":    word(func(o *evaluateOptions, s string) { o.plan = s }, PlanFull, PlanIncremental),
}

// numberWithin reads a whole number from least to most.
func numberWithin(v lang.Value, least, most int) (int, error) {
	n, err := wholeNumber(v, least)
	if err == nil && n > most {
		return 0, lang.Errorf(v.Span(), "%s is more than %d", v, most)
	}
	return n, err
}

// metric binds one metric.
func (b *binder) metric(ctx context.Context, s lang.Metric, q *Occlude) (Metric, error) {
	kind := slices.Index(metricNames, s.Name.Key())
	if kind < 0 {
		hint := lang.DidYouMean(s.Name.Text, metricNames)
		if hint == "" {
			hint = "the metrics are " + strings.Join(metricNames, ", ")
		}
		return Metric{}, lang.Errorf(s.Name.Span(), "there is no metric %q", s.Name.Text).WithHint(hint)
	}
	m := Metric{Kind: MetricKind(kind)}
	s.Name.Text, s.Name.Quoted = m.Name(), false
	m.Text = s.String()
	if m.Curved() {
		return m, b.metricFill(s, &m)
	}
	return m, b.metricBox(ctx, s, &m, q)
}

// metricFill reads the argument of deletion and insertion.
func (b *binder) metricFill(s lang.Metric, m *Metric) error {
	m.Fill = defaultFills[m.Kind]
	switch len(s.Arguments) {
	case 0:
		return nil
	case 1:
	default:
		return lang.Errorf(s.Arguments[1].Span(), "%s takes one argument, a fill", m.Name())
	}
	v := s.Arguments[0]
	f, err := lang.ParseFill(v)
	if err != nil {
		return err
	}
	if f.Kind == lang.FillMeanPatch {
		return lang.Errorf(v.Span(), "%s has no patch to take the mean of", m.Name()).WithHint("'mean(image)' is that of the whole image")
	}
	if f.Kind == lang.FillImage {
		f.Image.Source = v.Span()
	}
	m.Fill, err = b.fill(f)
	return err
}

// metricBox reads the arguments of pointing and energy.
func (b *binder) metricBox(ctx context.Context, s lang.Metric, m *Metric, q *Occlude) error {
	if len(s.Arguments) == 0 {
		return lang.Errorf(s.Span(), "%s needs a box: what should the map point at?", m.Name()).
			WithHint(fmt.Sprintf("%s(x, y, w, h) is a rectangle in pixels of the model's input, %s('mask.png') the pixels of a picture that are not black",
				m.Name(), m.Name()))
	}
	numbers, at := s.Arguments, s.Arguments[0].Span().Join(s.Arguments[len(s.Arguments)-1].Span())
	if file, ok := s.Arguments[0].(lang.String); ok && len(s.Arguments) == 1 {
		if numbers = numbersIn(file); numbers == nil {
			m.Box.Mask = file.Value
			return b.masks(ctx, file, m.Box, q)
		}
	}
	if len(numbers) != 4 {
		return lang.Errorf(at, "a box is four numbers, x, y, w and h, or the file of a mask")
	}
	var box [4]int
	for i, v := range numbers {
		n, err := wholeNumber(v, min(i/2, 1)) // an empty box holds nothing
		if err != nil {
			return err
		}
		box[i] = min(n, 1<<20)
	}
	m.Box.Rect = region.Of(box[0], box[1], box[2], box[3])
	if g := q.Grid; !region.Whole(g.Height, g.Width).Contains(m.Box.Rect) {
		return lang.Errorf(at, "the box reaches past the model's input of %dx%d", g.Width, g.Height)
	}
	return nil
}

// numbersIn reads a box that is written as a string, nil if it is something else.
func numbersIn(s lang.String) (numbers []lang.Value) {
	parts := strings.Split(s.Value, ",")
	if len(parts) < 2 {
		return nil
	}
	for _, p := range parts {
		text := strings.TrimSpace(p)
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil
		}
		numbers = append(numbers, lang.Number{Located: s.Located, Value: v, Text: text})
	}
	return numbers
}

// masks makes sure that the mask of every image is there and marks something, before
// any map is computed.
func (b *binder) masks(ctx context.Context, file lang.String, box Box, q *Occlude) error {
	if len(q.Images) > 1 && !box.perImage() {
		return lang.Errorf(file.Span(), "%d images would all be judged by %q", len(q.Images), file.Value).
			WithHint("put " + ImagePlaceholder + " into the name: it stands for the image's base name without extension")
	}
	for _, image := range q.Images {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		path := lang.String{Located: file.Located, Value: box.For(image)}
		if err := checkImage(path, "mask"); err != nil {
			if d := (*lang.Diagnostic)(nil); errors.As(err, &d) && d.Hint == "" {
				d.WithHint("a box is 'x, y, w, h' in pixels of the model's input, or the file of a mask")
			}
			return err
		}
		mask, err := b.mask(ctx, path.Value, file.Span())
		if err != nil {
			return err
		}
		if !marksAny(mask, b.spec) {
			return lang.Errorf(file.Span(), "the mask %q is black all over", path.Value).WithHint("it marks what the map should point at")
		}
	}
	return nil
}

func marksAny(m Mask, s imageio.Spec) bool {
	for y := range s.Height {
		for x := range s.Width {
			if m.On(x, y) {
				return true
			}
		}
	}
	return false
}

// walk plans the steps of the curves.
func (b *binder) walk(ctx context.Context, s *lang.Evaluate, p *Evaluate, o evaluateOptions) error {
	q := *p.Query
	g := q.Grid
	q.Grid = Grid{PatchW: g.Width, PatchH: g.Height, StrideW: g.Width, StrideH: g.Height, Width: g.Width, Height: g.Height, Listed: true}
	q.Grid.Positions = make([]Position, min(max(1, p.StepsEach()), plannedSteps))
	q.Goals, q.Outputs, q.Progressive = Goals{}, nil, ""
	r, err := b.resources(q.Model, q.Net, b.env.Settings.Threads())
	if err != nil {
		return err
	}
	// What the maps were computed with stays for the next image.
	maps := p.Query.Chosen()
	r.held.Others += packedBytes(q.Net, maps.Algorithms) + int64(maps.Threads)*maps.ArenaBytes
	h := hints{accuracy: accuracy{q.Convolution, q.Tolerance, ruledOut(b.env.Settings)}}
	for _, c := range []Candidate{{Name: PlanIncremental, Rects: Rectangles{Rule: Traced}}, {Name: PlanFull, Rects: Rectangles{Rule: Whole}}} {
		if o.plan != "" && o.plan != c.Name {
			continue
		}
		some := r
		if p.Incremental = c.Name == PlanIncremental; p.Incremental {
			some.held.Others += allViews(q.Net) // of the second end
		}
		if p.Walk, err = q.planned(ctx, c, h, some); err != nil {
			return err
		}
		p.Walk.Threads = p.Walk.Chosen().Threads
		if p.Walk.Chosen().refused == nil {
			break
		}
	}
	if refused := p.Walk.Chosen().refused; refused != nil {
		at := s.Span()
		at.To = lang.Pos{} // the statement's beginning
		return lang.Errorf(at, "evaluating: %w", refused).
			WithHint(fmt.Sprintf("SET memory_limit = '%dMB' would do", p.Walk.Chosen().Estimate.PeakBytes/1_000_000+1))
	}
	return nil
}
