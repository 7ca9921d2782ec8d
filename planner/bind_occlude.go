package planner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"time"

	"occlude/internal/imageio"
	"occlude/internal/model"
	"occlude/internal/network"
	"occlude/lang"
	"occlude/planner/cost"
)

// Defaults of OCCLUDE.
const (
	defaultPatch  = 16
	defaultStride = 4
	defaultTop    = 5 // of PREDICT
	defaultSeed   = 42
)

func (b *binder) predict(s *lang.Predict) (Plan, error) {
	m, o, err := b.model(s.Model)
	if err != nil {
		return nil, err
	}
	if len(s.Options) > 0 {
		return nil, lang.Errorf(s.Options[0].Span(), "PREDICT takes no options")
	}
	images, err := imagesOf(s.Image)
	if err != nil {
		return nil, err
	}
	top := min(defaultTop, m.Classes)
	if s.Top != nil {
		if top, err = wholeNumber(*s.Top, 1); err != nil {
			return nil, err
		}
		top = min(top, m.Classes)
	}
	r, err := b.resources(m, o.net, 1)
	if err != nil {
		return nil, err
	}
	return &Predict{text: b.text, Model: m, Net: o.net, Images: images, Top: top, Threads: b.env.Settings.Threads(),
		Kernels: b.env.Settings.Kernels(), Algorithms: wholeAlgorithms(o.net, r.choice, b.accuracy())}, nil
}

func (b *binder) occlude(ctx context.Context, s *lang.Occlude) (Plan, error) {
	start := time.Now()
	m, o, err := b.model(s.Model)
	if err != nil {
		return nil, err
	}
	p := &Occlude{text: b.text, Model: m, Net: o.net, Fired: o.fired, Threads: b.env.Settings.Threads(),
		Off: b.env.Settings.Off(), Device: CPU, Profile: b.env.Profile, ProfileAge: b.profileAge(), Started: start}
	q := queryOptions{seed: defaultSeed}
	q.accuracy = b.accuracy()
	read := optionReader[queryOptions]{table: queryTable, target: &q}
	if err := read.all(s.Options, "option of OCCLUDE"); err != nil {
		return nil, err
	}
	if p.Images, err = imagesOf(s.Image); err != nil {
		return nil, err
	}
	if p.Target, err = b.target(s.Target, m); err != nil {
		return nil, err
	}
	if p.Grid, err = b.grid(ctx, s, q, m); err != nil {
		return nil, err
	}
	p.Progressive = b.progressive(s, p.Grid)
	p.Goals = b.goals(s)
	if q.hints.adaptive, err = q.adaptation(s, p.Goals, p.Grid); err != nil {
		return nil, err
	}
	if err := q.checkSampling(p.Goals); err != nil {
		return nil, err
	}
	if !p.Goals.Approximates() {
		if q.hints.approximation, err = q.approximation(p.Grid); err != nil {
			return nil, err
		}
	}
	if s.Where != nil {
		p.Where = s.Where.String()
	}
	if p.Fill, err = b.fill(s.Fill); err != nil {
		return nil, err
	}
	if err := b.outputs(s, p); err != nil {
		return nil, err
	}
	if err := b.table(ctx, s, p); err != nil {
		return nil, err
	}
	p.Seed, p.Convolution, p.Tolerance = q.seed, q.accuracy.convolution, q.accuracy.tolerance
	if err := q.attainable(p.Net); err != nil {
		return nil, err
	}
	p.Kernels = b.env.Settings.Kernels()
	b.lookUpTau(ctx, p, q.hints.adaptive)
	r, err := b.resources(m, p.Net, p.Threads)
	if err != nil {
		return nil, err
	}
	p.Keeps = b.keeps(p)
	p.Candidates, err = b.candidates(ctx, p, &q, r)
	switch placed := (*lang.Diagnostic)(nil); {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case errors.As(err, &placed):
		return nil, err
	case err != nil:
		at := s.Span()
		at.To = lang.Pos{} // the statement's beginning
		return nil, lang.Errorf(at, "%w", err).WithHint(wouldFit(p, q.hints, r, p.Candidates, err))
	}
	if err := b.resume(ctx, p, q.hints, r); err != nil {
		return nil, err
	}
	p.Allowed, p.DeviceHinted = p.Threads, q.deviceAt != nil
	p.Device, p.Threads, p.MemoryLimit = nameOf(p.Chosen().Device), p.Chosen().Threads, r.memory
	if a := p.Chosen().Adaptive; a != nil {
		if err := a.attainable(p.Goals, len(p.Images), time.Since(start)); err != nil {
			return nil, lang.Errorf(s.Within.Span(), "%w", err).WithHint("without OR FAIL it is made as coarse as it has to be")
		}
	}
	return p, nil
}

// queryOptions are what WITH says in OCCLUDE.
type queryOptions struct {
	hints
	approximate approximateHints
	dropRim     bool
	seed        int
	// ofSampling are the hints about sampling, as they were written.
	ofSampling []*numberHint
	// tolerance is where it was asked for, nil where it was not, and so are those of the
	// device and of the convolutions' algorithm.
	tolerance, deviceAt, convolutionAt lang.Value
}

// attainable tells whether there is a plan that keeps a tolerance which was asked
// for.
func (q *queryOptions) attainable(net *network.Network) error {
	if q.tolerance == nil {
		return nil
	}
	least := leastError(net, q.accuracy.convolution)
	if least <= q.accuracy.tolerance {
		return nil
	}
	d := lang.Errorf(q.tolerance.Span(), "tolerance: an error of at least %s is expected", FormatError(least))
	if q.accuracy.convolution != ConvolutionAuto {
		return d.WithHint("convolution = '" + q.accuracy.convolution + "' forces it")
	}
	return d.WithHint("numbers of 32 bits do not allow less in a network as deep as this one")
}

// resources are what the settings allow a plan for a model, and what that takes.
func (b *binder) resources(m *model.Model, net *network.Network, threads int) (r resources, err error) {
	r = resources{threads: threads, cores: b.env.Cores, held: b.held(m, net)}
	r.memory, r.auto = b.memoryLimit()
	r.allowed = b.env.Settings.Enabled
	use := cost.Use{Kernels: b.env.Settings.Kernels(), Threads: threads, Cores: b.env.Cores, Net: net, Hash: m.Hash}
	if r.rates, err = b.env.Profile.Rates(use); err != nil {
		return r, err
	}
	use.Threads = 1
	r.choice, err = b.env.Profile.Rates(use)
	return r, err
}

// imagesOf finds the images that a name or pattern stands for; the number of a
// frame goes for all that fit.
func imagesOf(file lang.String) ([]string, error) {
	path, _ := imageio.SplitFrame(file.Value)
	frame := strings.TrimPrefix(file.Value, path)
	switch info, err := os.Stat(path); {
	case err == nil && info.IsDir():
		return nil, lang.Errorf(file.Span(), "image %q is a folder", file.Value).WithHint(inFolder(path, imageio.Extensions()))
	case err == nil && info.Mode().IsRegular():
		return []string{file.Value}, nil
	}
	if !strings.ContainsAny(path, "*?[") {
		return nil, checkImage(file, "image")
	}
	found, err := filepath.Glob(path)
	if err != nil {
		return nil, lang.Errorf(file.Span(), "the pattern %q is malformed", file.Value)
	}
	if err := listable(filepath.Dir(path)); err != nil {
		return nil, lang.Errorf(file.Span(), "%w", err)
	}
	images := found[:0]
	for _, f := range found {
		// What cannot be looked at is told when it is its turn, like other images that
		// cannot be used.
		if info, err := os.Stat(f); err != nil || info.Mode().IsRegular() {
			images = append(images, f+frame)
		}
	}
	if len(images) == 0 {
		hint := inFolder(filepath.Dir(path), imageio.Extensions())
		if _, err := os.Stat(filepath.Dir(path)); err != nil {
			hint = similarFile(path)
		}
		return nil, lang.Errorf(file.Span(), "no file matches %q", file.Value).WithHint(hint)
	}
	sort.Strings(images)
	return images, nil
}

// target binds FOR CLASS and FOR TOP; without either the most probable class is
// explained.
func (b *binder) target(t *lang.Target, m *model.Model) (Target, error) {
	if t == nil {
		return Target{Top: 1}, nil
	}
	if t.Top != nil {
		n, err := wholeNumber(*t.Top, 1)
		if err != nil {
			return Target{}, err
		}
		if n > m.Classes {
			return Target{}, lang.Errorf(t.Top.Span(), "TOP %d of a model of %d classes", n, m.Classes)
		}
		return Target{Top: n}, nil
	}
	switch v := t.Class.(type) {
	case lang.String:
		switch found := classesCalled(m, v.Value); len(found) {
		case 0:
		case 1:
			return Target{Classes: found}, nil
		default:
			return Target{}, lang.Errorf(v.Span(), "model %q has %d classes %q", m.Name, len(found), v.Value).
				WithHint(fmt.Sprintf("FOR CLASS takes their numbers, too: %s", strings.Trim(fmt.Sprint(found), "[]")))
		}
		d := lang.Errorf(v.Span(), "model %q has no class %q", m.Name, v.Value)
		if m.Labels == nil {
			return Target{}, d.WithHint("it was created without labels; its classes are the numbers from 0")
		}
		if hint := lang.DidYouMean(v.Value, m.Labels); hint != "" || len(m.Labels) > 12 {
			return Target{}, d.WithHint(hint)
		}
		return Target{}, d.WithHint("its classes are " + strings.Join(m.Labels, ", "))
	case lang.Number:
		c, err := wholeNumber(v, 0)
		if err != nil {
			return Target{}, err
		}
		if c >= m.Classes {
			return Target{}, lang.Errorf(v.Span(), "class %d of a model of %d classes, numbered from 0", c, m.Classes).
				WithHint(fmt.Sprintf("the last is class %s", lastClass(m)))
		}
		return Target{Classes: []int{c}}, nil
	}
	return Target{}, lang.Errorf(t.Span(), "a class is a label in single quotes or a number")
}

// lastClass is a model's last class, its number and label.
func lastClass(m *model.Model) string {
	last := m.Classes - 1
	if m.Labels == nil {
		return strconv.Itoa(last)
	}
	return fmt.Sprintf("%d, %s", last, m.Labels[last])
}

// classesCalled lists the classes with a label; some labels are given twice, as
// ImageNet's crane, a bird and a machine.
func classesCalled(m *model.Model, label string) (classes []int) {
	for i, l := range m.Labels {
		if l == label {
			classes = append(classes, i)
		}
	}
	return classes
}

// grid lays out the positions and prunes them by WHERE.
func (b *binder) grid(ctx context.Context, s *lang.Occlude, q queryOptions, m *model.Model) (Grid, error) {
	in := m.Net.Input().Shape
	patch, stride := lang.Extent{W: defaultPatch, H: defaultPatch}, lang.Extent{W: defaultStride, H: defaultStride}
	at := s.Span()
	at.To = lang.Pos{}
	patchAt, strideAt := at, at
	if s.Patch != nil {
		patch, patchAt = *s.Patch, s.Patch.Span()
	}
	if s.Stride != nil {
		stride, strideAt = *s.Stride, s.Stride.Span()
	}
	if patch.W > in.W || patch.H > in.H {
		return Grid{}, lang.Errorf(patchAt, "a patch of %dx%d is larger than the model's input of %dx%d", patch.W, patch.H, in.W, in.H).
			WithHint(fmt.Sprintf("PATCH goes up to %dx%d here", in.W, in.H))
	}
	g := Grid{PatchW: patch.W, PatchH: patch.H, StrideW: stride.W, StrideH: stride.H, Width: in.W, Height: in.H, DropRim: q.dropRim}
	if len(s.At) > 0 {
		g.Listed = true
		for _, p := range s.At {
			if p.X < 0 || p.Y < 0 || p.X > in.W-patch.W || p.Y > in.H-patch.H {
				return Grid{}, lang.Errorf(p.Span(), "a patch of %dx%d at (%d, %d) reaches past the input of %dx%d",
					patch.W, patch.H, p.X, p.Y, in.W, in.H)
			}
			g.Positions = append(g.Positions, Position{X: p.X, Y: p.Y})
		}
		return g, nil
	}
	if err := g.lay(); err != nil {
		return Grid{}, lang.Errorf(strideAt, "%w", err).WithHint("a larger STRIDE asks for fewer")
	}
	keep := func(Position) bool { return true }
	if s.Where != nil {
		c, err := b.compileWhere(ctx, s.Where, patch.W, patch.H)
		if err != nil {
			return Grid{}, err
		}
		if n := len(g.X) * len(g.Y); b.numbers > maxNumbers/n {
			return Grid{}, lang.Errorf(s.Where.Span(), "a condition with %d numbers is too long for %d positions", b.numbers, n).
				WithHint("a mask takes the place of a long condition: WHERE inside('mask.png')")
		}
		keep = func(p Position) bool { return ctx.Err() == nil && c(p) }
	}
	g.all(keep)
	if ctx.Err() != nil {
		return Grid{}, context.Cause(ctx)
	}
	if b.undefined != nil {
		return Grid{}, b.undefined
	}
	if len(g.Positions) == 0 {
		return Grid{}, lang.Errorf(s.Where.Span(), "none of the %d positions satisfies the condition", len(g.X)*len(g.Y)).
			WithHint("x and y are the patch's left and top edge in pixels of the model's input")
	}
	return g, nil
}

// progressive says what asks for positions coarse to fine. A list keeps its order.
func (b *binder) progressive(s *lang.Occlude, g Grid) string {
	switch {
	case g.Listed:
	case s.Progressive:
		return ByClause
	case b.env.Settings.Progressive():
		return BySetting
	}
	return ""
}

func (b *binder) fill(f *lang.Fill) (Fill, error) {
	if f == nil {
		return Fill{Kind: FillColor, Color: [3]float32{128, 128, 128}, Text: "gray"}, nil
	}
	out := Fill{Text: f.String()}
	switch f.Kind {
	case lang.FillColor:
		for i, v := range f.Color {
			out.Color[i] = float32(v)
		}
	case lang.FillMeanImage:
		out.Kind = FillMeanImage
	case lang.FillMeanPatch:
		out.Kind = FillMeanPatch
	case lang.FillBlur:
		out.Kind, out.Sigma = FillBlur, f.Sigma.Value
		if limit := float64(max(b.spec.Width, b.spec.Height)); out.Sigma > limit {
			return Fill{}, lang.Errorf(f.Span(), "a blur of %g pixels is beyond the input's side of %g", out.Sigma, limit)
		}
	case lang.FillNoise:
		n, err := wholeNumber(f.Seed, 0)
		if err != nil {
			return Fill{}, err
		}
		out.Kind, out.Seed = FillNoise, uint64(n)
	case lang.FillImage:
		out.Kind, out.Image = FillImage, f.Image.Value
		return out, checkImage(f.Image, "image")
	}
	return out, nil
}

func (b *binder) outputs(s *lang.Occlude, p *Occlude) error {
	for _, f := range s.Into {
		o, err := b.output(f, "")
		if err != nil {
			return err
		}
		if err := checkPicture(f, o, p.Grid); err != nil {
			return err
		}
		p.Outputs = append(p.Outputs, o)
	}
	if s.Colormap != nil {
		known := false
		for _, c := range b.env.Colormaps {
			known = known || c == s.Colormap.Value
		}
		if !known {
			hint := lang.DidYouMean(s.Colormap.Value, b.env.Colormaps)
			if hint == "" {
				hint = "the colormaps are " + strings.Join(b.env.Colormaps, ", ")
			}
			return lang.Errorf(s.Colormap.Span(), "there is no colormap %q", s.Colormap.Value).WithHint(hint)
		}
		p.Colormap = s.Colormap.Value
	}
	return checkOutputs(s.Into, p.Outputs, p.Images, true)
}

// checkPicture refuses to draw positions that form no grid.
func checkPicture(at lang.String, o Output, g Grid) error {
	if o.Format != WritePNG || !g.Listed {
		return nil
	}
	return lang.Errorf(at.Span(), "a list of positions (AT) has no picture").
		WithHint("write .csv, .json or .npy, or ask for a grid with WHERE")
}
