package metamorphic

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "go4.org/unsafe/assume-no-moving-gc"

	"occlude/executor"
	"occlude/internal/engine"
	"occlude/internal/heatmap"
	"occlude/internal/onnx/onnxtest"
	"occlude/lang"
	"occlude/operators/gpu/devices"
	"occlude/operators/gpu/driver"
	"occlude/operators/gpu/soft"
)

// trial is a model, pictures for it, and a query.
type trial struct {
	testing.TB
	dir      string // of all files
	engine   *engine.Engine
	model    *onnxtest.Random
	create   string // CREATE MODEL m
	output   string // what it says of the output
	raw      bool   // which is scores, no probabilities
	squash   bool   // pictures are stretched to the input
	labels   bool
	scale    float32 // of preprocessing, with mean and std, which are for all channels
	mean     float32
	std      float32
	bgr      bool
	pictures []string // random ones of random sizes; the last one has the input's
	mask     string
	where    *condition // that of the query's WHERE, nil if it has none or a mask's
	query    query
	measured *tally // of the relation under test
}

// newTrial draws a trial; its files are in a folder of the working directory.
func newTrial(t testing.TB, seed uint64) (*trial, error) {
	rng := rand.New(rand.NewPCG(seed, 0))
	k := &trial{TB: t, dir: fmt.Sprintf("%d", seed), engine: engine.New(), measured: &tally{}}
	k.engine.Session.Devices = devices.New(func(n int) (driver.Driver, error) {
		if n > 0 {
			return nil, errors.New("there is one GPU, in software")
		}
		return &soft.Device{}, nil
	})
	if err := os.MkdirAll(k.dir, 0o755); err != nil {
		return nil, err
	}
	k.drawModel(rng)
	k.drawPictures(rng)
	k.drawQuery(rng)
	if _, err := k.run(k.create); err != nil {
		return nil, fmt.Errorf("%s\n%w", k.create, err)
	}
	return k, k.obeyable()
}

// refusedTrend is why the hint trend = on is not obeyed.
const refusedTrend = "no first layers of this network are cheap enough"

// obeyable takes out the one hint of which no more than planning tells whether it can be
// obeyed.
func (k *trial) obeyable() error {
	_, err := k.run("EXPLAIN " + k.query.timeless().text())
	if trend, _ := get(k.query.hints, "trend"); trend == "on" && err != nil {
		if !strings.Contains(err.Error(), refusedTrend) {
			return fmt.Errorf("%s\n%w", k.query.text(), err)
		}
		k.query = k.query.unhinted("trend")
	}
	return nil
}

// path names a file of the trial.
func (k *trial) path(name string) string { return filepath.ToSlash(filepath.Join(k.dir, name)) }

// drawModel draws a model and how it is created.
func (k *trial) drawModel(rng *rand.Rand) {
	k.model = onnxtest.NewRandom(rng, onnxtest.RandomOptions{Least: 6, Side: 26, Ends: true})
	k.model.File(k, k.dir, "m.onnx")
	var options []string
	add := func(format string, args ...any) { options = append(options, fmt.Sprintf(format, args...)) }
	if k.model.Last {
		add("layout = 'nhwc'")
	}
	k.scale, k.mean, k.std = 1./255, 0, 1
	if rng.IntN(2) == 0 {
		k.mean, k.std = .4, .25
		add("mean = %g, std = %g", k.mean, k.std)
	}
	if rng.IntN(4) == 0 {
		k.scale = 1. / 128
		add("scale = 0.0078125")
	}
	if k.bgr = k.model.C == 3 && rng.IntN(3) == 0; k.bgr {
		add("channels = 'bgr'")
	}
	resize := []string{"squash", "crop", "letterbox"}[rng.IntN(3)]
	if k.squash = resize == "squash"; !k.squash || rng.IntN(2) == 0 {
		add("resize = '%s'", resize)
	}
	outputs := []string{"auto", "softmax", "sigmoid", "raw"}
	if k.model.End != "" {
		outputs = []string{"auto", "probabilities", "raw"}
	}
	k.output = outputs[rng.IntN(len(outputs))]
	if k.raw = k.output == "raw"; k.output != "auto" {
		add("output = '%s'", k.output)
	}
	if k.labels = rng.IntN(2) == 0; k.labels {
		var names strings.Builder
		for i := range k.model.Classes {
			fmt.Fprintf(&names, "class %d\n", i)
		}
		k.write("labels.txt", []byte(names.String()))
		add("labels = '%s'", k.path("labels.txt"))
	}
	k.create = "CREATE OR REPLACE MODEL m FROM '" + k.path("m.onnx") + "'"
	if len(options) > 0 {
		k.create += " WITH (" + strings.Join(options, ", ") + ")"
	}
}

func (k *trial) drawPictures(rng *rand.Rand) {
	for i := range 3 {
		w, h := 3+rng.IntN(40), 3+rng.IntN(40)
		if i == 2 {
			w, h = k.model.W, k.model.H
		}
		name := fmt.Sprintf("picture%d.png", i)
		gray := rng.IntN(3) == 0
		if i == 2 {
			gray = k.model.C == 1
		}
		k.draw(name, noise(rng, w, h, gray))
		k.pictures = append(k.pictures, k.path(name))
	}
	m := image.NewGray(image.Rect(0, 0, k.model.W, k.model.H))
	for i := range m.Pix {
		m.Pix[i] = uint8(255 * rng.IntN(2))
	}
	k.draw("mask.png", m)
	k.mask = k.path("mask.png")
}

// noise is a picture of smooth ground and random pixels, gray or coloured.
func noise(rng *rand.Rand, w, h int, gray bool) image.Image {
	c := image.NewNRGBA(image.Rect(0, 0, w, h))
	g := image.NewGray(c.Rect)
	fx, fy := 10*rng.Float64(), 10*rng.Float64()
	for y := range h {
		for x := range w {
			v := uint8(100 + fx*float64(x)/2 + fy*float64(y)/3)
			c.SetNRGBA(x, y, color.NRGBA{v, v/2 + uint8(rng.IntN(100)), uint8(rng.IntN(256)), 255})
			g.SetGray(x, y, color.Gray{v/2 + uint8(rng.IntN(120))})
		}
	}
	if gray {
		return g
	}
	return c
}

func (k *trial) draw(name string, m image.Image) {
	f, err := os.Create(k.path(name))
	if err == nil {
		err = errors.Join(png.Encode(f, m), f.Close())
	}
	if err != nil {
		k.Fatal(err)
	}
}

func (k *trial) write(name string, data []byte) {
	if err := os.WriteFile(k.path(name), data, 0o644); err != nil {
		k.Fatal(err)
	}
}

// drawQuery draws a valid query of any kind.
func (k *trial) drawQuery(rng *rand.Rand) {
	w, h := k.model.W, k.model.H
	pick := func(from ...string) string { return from[rng.IntN(len(from))] }
	chance := func(of int) bool { return rng.IntN(of) == 0 }
	q := query{image: k.pictures[rng.IntN(len(k.pictures))]}
	pw, ph := 1+rng.IntN((w+1)/2), 1+rng.IntN((h+1)/2)
	if chance(2) {
		ph = min(pw, h)
	}
	q = q.with("PATCH", fmt.Sprintf("%dx%d", pw, ph))
	most := []int{40, 150, 700}[rng.IntN(3)] // positions
	sw, sh := 1+rng.IntN(3), 1+rng.IntN(3)
	for ((w-pw)/sw+2)*((h-ph)/sh+2) > most {
		sw, sh = sw+1, sh+1
	}
	q = q.with("STRIDE", fmt.Sprintf("%dx%d", sw, sh))

	switch rng.IntN(4) {
	case 0:
		q = q.with("FOR", fmt.Sprintf("TOP %d", 1+rng.IntN(k.model.Classes)))
	case 1:
		q = q.with("FOR", fmt.Sprintf("CLASS %d", rng.IntN(k.model.Classes)))
	case 2:
		if k.labels {
			q = q.with("FOR", fmt.Sprintf("CLASS 'class %d'", rng.IntN(k.model.Classes)))
		}
	}
	if !chance(4) {
		q = q.with("FILL", pick("black", "white", "'gray'", "'#7f3010'", "#00ff7f", "rgb(10, 200.5, 90)", "mean(image)", "mean(patch)",
			"blur(1.5)", "noise(7)", "image('"+k.pictures[1]+"')"))
	}
	listed := false
	switch rng.IntN(6) {
	case 0:
		c := conditions(rng, w, h)
		k.where, q = &c, q.with("WHERE", c.text)
	case 1:
		q = q.with("WHERE", pick("", "NOT ")+"inside('"+k.mask+"') OR x = 0 AND y = 0")
	case 2:
		listed = true
		var points []string
		for range 1 + rng.IntN(9) {
			points = append(points, fmt.Sprintf("(%d, %d)", rng.IntN(w-pw+1), rng.IntN(h-ph+1)))
		}
		q = q.with("AT", strings.Join(points, ", "))
	}
	q = k.drawPlan(rng, q, listed, max(sw, sh))
	if chance(4) {
		q = q.with("PROGRESSIVE", "")
	}
	if chance(4) {
		q = q.with("ON ERROR", pick("STOP", "CONTINUE"))
	}
	if chance(6) {
		all := heatmap.Colormaps()
		q = q.with("COLORMAP", "'"+all[rng.IntN(len(all))]+"'")
	}
	for _, h := range []clause{
		{"batch", fmt.Sprint(1 + rng.IntN(20))}, {"threads", fmt.Sprint(1 + rng.IntN(4))}, {"kernels", pick("'auto'", "'generic'")},
		{"edge", pick("'drop'", "'cover'")}, {"device", pick("'auto'", "cpu")}, {"seed", fmt.Sprint(rng.IntN(100))},
		{"convolution", pick("'auto'", "'direct'", "'F(2x2)'", "'F(4)'")},
	} {
		if chance(5) {
			q = q.hinted(h.key, h.text)
		}
	}
	k.query = q
}

// drawPlan asks for an exact plan, for one of those that approximate by hints, or for a
// goal.
func (k *trial) drawPlan(rng *rand.Rand, q query, listed bool, stride int) query {
	pick := func(from ...string) string { return from[rng.IntN(len(from))] }
	switch kind := rng.IntN(8); {
	case kind < 2:
	case kind < 4:
		return q.hinted("plan", pick("'full'", "'incremental'", "incremental"))
	case kind == 4:
		return q.hinted("tau", pick("0.3", "0.6", "0.9", "1"))
	case listed:
		if kind == 5 {
			return q.with("SSIM >=", "0.9")
		}
	case kind == 5:
		// speedup < min(W² / (S² + r W²), 1/r), see docs/language.md.
		r, side := .1+.4*rng.Float64(), float64(min(k.model.W, k.model.H))
		most := min(side*side/(float64(stride*stride)+r*side*side), 1/r)
		q = q.hinted("drill_down", fmt.Sprintf("%.3f", r)).hinted("speedup", fmt.Sprintf("%.3f", most*(.2+.7*rng.Float64())))
		if rng.IntN(3) == 0 {
			q = q.hinted("tau", "0.5")
		}
		if rng.IntN(2) == 0 {
			q = q.with("VERIFY", pick("ALL", "3 POSITIONS", "1000 POSITIONS"))
		}
		return q
	default:
		switch {
		case kind == 6, rng.IntN(2) == 0:
			if rng.IntN(6) == 0 { // of which nothing is sampled
				return q.with("SSIM >=", "0.99")
			}
			q = q.with("SSIM >=", pick("0.5", "0.8", "0.9", "0.95"))
			if rng.IntN(2) == 0 {
				q = q.with("VERIFY", pick("ALL", "ALL POSITIONS", "5 POSITIONS"))
			}
		default:
			q = q.with("WITHIN", pick("2 SECONDS", "500 MILLISECONDS", "0.1 MINUTES OR FAIL"))
			if rng.IntN(2) == 0 {
				q = q.with("SSIM >=", "0.9").with("VERIFY", "5 POSITIONS")
			}
		}
		if rng.IntN(2) == 0 {
			q = q.hinted("plan", "'approximate'")
		}
		switch rng.IntN(5) {
		case 0:
			q = q.hinted("sketches", "off").hinted("trend", pick("off", "'auto'"))
		case 1:
			q = q.hinted("sketches", "'auto'").hinted("tau", pick("0.3", "0.5"))
		case 2:
			q = q.hinted("sketches", "on").hinted("trend", pick("on", "off"))
		}
	}
	return q
}

// run runs statements.
func (k *trial) run(text string) (results []executor.Result, err error) {
	return k.during(context.Background(), text)
}

// during runs statements until a context ends.
func (k *trial) during(ctx context.Context, text string) (results []executor.Result, err error) {
	err = k.engine.Run(ctx, engine.Text{Name: "trial", Source: text, OpenEnd: true}, func(_ lang.Statement, r executor.Result) error {
		results = append(results, r)
		return nil
	})
	return results, err
}

// answer is the heat map of a query that is asked for the first time, after statements
// that change settings.
func (k *trial) answer(text string, settings ...string) (*executor.HeatMap, error) {
	if _, err := k.run("RESET ALL; CLEAR CACHE; " + strings.Join(append(settings, ""), "; ")); err != nil {
		return nil, err
	}
	return k.again(text)
}

// again is the heat map of a query in the session as it is.
func (k *trial) again(text string) (*executor.HeatMap, error) {
	results, err := k.run(text)
	if err != nil {
		return nil, fmt.Errorf("%s\n%w", text, err)
	}
	for _, r := range results {
		if h, ok := r.(*executor.HeatMap); ok {
			return h, nil
		}
	}
	return nil, fmt.Errorf("%s\nhas no heat map", text)
}
