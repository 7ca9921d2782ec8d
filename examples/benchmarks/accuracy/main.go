// Accuracy tells how far the answers of exact plans lie from inference in
// float64, on networks of your own choice:
//
//	go run ./examples/benchmarks/accuracy -image scan.png model.onnx...
//
// For some positions of the patch it computes the occluded image's probabilities
// in float64 by the plainest loops there are, on the network as it is in the
// file: seconds to a minute for each, on large networks. The table holds the
// largest differences: of the incremental and the full plan as the planner makes
// them, and of incremental inference with every convolution that allows it
// computed directly, and by Winograd's algorithm in tiles of 2, 4 and 6 cells a
// side. It fails where one of the two plans is further away than 1e-4.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"

	_ "go4.org/unsafe/assume-no-moving-gc" // gorgonia's tensor needs this version under current Go
	"gorgonia.org/tensor"

	"occlude/examples/benchmarks/internal/process"
	"occlude/executor"
	"occlude/internal/engine"
	"occlude/internal/network/networktest"
	"occlude/lang"
	"occlude/operators"
	"occlude/operators/cpu"
)

// tolerance is what exact plans promise.
const tolerance = 1e-4

func main() { process.Main("accuracy", run) }

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	f := flag.NewFlagSet("accuracy", flag.ContinueOnError)
	f.SetOutput(stderr)
	image := f.String("image", "examples/images/spiculated.png", "the `picture` to explain")
	with := f.String("with", "scale = 0.00392156862745098", "`options` of CREATE MODEL: the models' preprocessing")
	patch := f.Int("patch", 16, "patch, in pixels")
	positions := f.Int("positions", 4, "positions to look at")
	top := f.Int("top", 3, "likeliest classes to look at")
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() == 0 || *positions < 1 {
		return errors.New("name a model, and at least one position")
	}
	fmt.Fprintf(stdout, "%-24s %9s", "largest difference of p", "p")
	for _, p := range plans {
		fmt.Fprintf(stdout, " %11s", p.name)
	}
	fmt.Fprintln(stdout)
	var errs []error
	for _, file := range f.Args() {
		if err := compare(ctx, stdout, query{file, *with, *image, *patch, *positions, *top}); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", file, err))
		}
	}
	return errors.Join(errs...)
}

// query is what is asked of a model.
type query struct {
	model, with, image    string
	patch, positions, top int
}

// plans are the ways to compute that are compared.
var plans = []struct {
	name string
	plan string // the planner's, "" where tile decides
	tile int
}{
	{"incremental", "incremental", 0}, {"full", "full", 0},
	{"direct", "", 1}, {"tiles of 2", "", 2}, {"tiles of 4", "", 4}, {"tiles of 6", "", 6},
}

// compare prints a model's line.
func compare(ctx context.Context, w io.Writer, q query) error {
	e := engine.New()
	h, err := q.ask(ctx, e, "incremental")
	if err != nil {
		return err
	}
	want, err := reference(ctx, h)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%-24s %9.3g", strings.TrimSuffix(filepath.Base(q.model), ".onnx"), h.Classes[0].P0)
	var errs []error
	for _, p := range plans {
		got := maps(h)
		switch p.plan {
		case "incremental":
		case "full":
			h, err := q.ask(ctx, e, p.plan)
			if err != nil {
				return err
			}
			got = maps(h)
		default:
			if got, err = tiled(ctx, h, p.tile); err != nil {
				return err
			}
		}
		d := difference(got, want)
		fmt.Fprintf(w, " %11.1e", d)
		if p.plan != "" && !(d <= tolerance) {
			errs = append(errs, fmt.Errorf("the %s plan is off by %.2g", p.name, d))
		}
	}
	fmt.Fprintln(w)
	return errors.Join(errs...)
}

// ask runs a plan on positions along the image's diagonal.
func (q query) ask(ctx context.Context, e *engine.Engine, plan string) (h *executor.HeatMap, err error) {
	create := fmt.Sprintf("CREATE OR REPLACE MODEL m FROM %s WITH (%s);", lang.String{Value: q.model}, q.with)
	var size struct{ w, h int }
	err = e.Run(ctx, engine.Text{Name: "accuracy", Source: create}, func(lang.Statement, executor.Result) error {
		m, _ := e.Session.Lookup("m")
		size.w, size.h = m.Spec.Width, m.Spec.Height
		return nil
	})
	if err != nil {
		return nil, err
	}
	at := make([]string, q.positions)
	for i := range at {
		at[i] = fmt.Sprintf("(%d, %d)", (i*2+1)*(size.w-q.patch)/(2*q.positions), (i*2+1)*(size.h-q.patch)/(2*q.positions))
	}
	source := fmt.Sprintf("OCCLUDE %s USING m FOR TOP %d PATCH %d FILL gray AT %s WITH (plan = %s);",
		lang.String{Value: q.image}, q.top, q.patch, strings.Join(at, ", "), lang.String{Value: plan})
	err = e.Run(ctx, engine.Text{Name: "accuracy", Source: source}, func(_ lang.Statement, r executor.Result) error {
		h, _ = r.(*executor.HeatMap)
		return nil
	})
	return h, err
}

// maps lists the probabilities of a heat map, by position and class.
func maps(h *executor.HeatMap) [][]float64 {
	out := make([][]float64, len(h.Plan.Grid.Positions))
	for i := range out {
		for _, c := range h.Classes {
			out[i] = append(out[i], float64(c.P[i]))
		}
	}
	return out
}

// occluded is the image with the patch at a position, normalised.
func occluded(h *executor.HeatMap, position int) []float32 {
	const gray = 128
	s := h.Plan.Net.Input().Shape
	pixels := h.Pixels.Clone().(*tensor.Dense).Float32s()
	whole, r := operators.WholeTile(s, pixels), h.Plan.Grid.Rect(h.Plan.Grid.Positions[position])
	for y := r.Y.Lo; y < r.Y.Hi; y++ {
		row := whole.Row(y, r.X.Lo, r.X.Hi)
		for i := range row {
			row[i] = gray
		}
	}
	normal := make([]float32, len(pixels))
	h.Plan.Model.Spec.Normalize(normal, pixels)
	return normal
}

// chosen are the scores of the heat map's classes.
func chosen[T float32 | float64](h *executor.HeatMap, scores []T) []float64 {
	out := make([]float64, len(h.Classes))
	for i, c := range h.Classes {
		out[i] = float64(scores[c.ID])
	}
	return out
}

// reference infers every occluded image in float64.
func reference(ctx context.Context, h *executor.HeatMap) ([][]float64, error) {
	out := make([][]float64, len(h.Plan.Grid.Positions))
	errs := make([]error, len(out))
	var next atomic.Int64
	var all sync.WaitGroup
	for range runtime.NumCPU() {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(out) && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				scores, err := networktest.Output(h.Plan.Model.Net, occluded(h, i))
				if errs[i] = err; err == nil {
					out[i] = chosen(h, scores)
				}
			}
		})
	}
	all.Wait()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return out, errors.Join(errs...)
}

// tiled infers incrementally, every convolution in tiles of the given side where
// an algorithm has them.
func tiled(ctx context.Context, h *executor.HeatMap, tile int) ([][]float64, error) {
	net := h.Plan.Net
	how := make([]operators.Algorithm, len(net.Layers))
	for i, l := range net.Layers {
		for _, a := range operators.Algorithms(l) {
			if a.Tile() == tile {
				how[i] = a
			}
		}
	}
	p, err := cpu.New(ctx, net, cpu.Options{Algorithms: how})
	if err != nil {
		return nil, err
	}
	s := net.Input().Shape
	normal := make([]float32, s.Len())
	h.Plan.Model.Spec.Normalize(normal, h.Pixels.Float32s())
	views, err := p.Base(ctx, tensor.New(tensor.WithShape(s.H, s.W, s.C), tensor.WithBacking(normal)), runtime.NumCPU())
	if err != nil {
		return nil, err
	}
	var updates []operators.Update
	for i, position := range h.Plan.Grid.Positions {
		r := h.Plan.Grid.Rect(position)
		patch, whole := operators.NewTile(r, s.C, make([]float32, r.Area()*s.C)), operators.WholeTile(s, occluded(h, i))
		for y := r.Y.Lo; y < r.Y.Hi; y++ {
			copy(patch.Row(y, r.X.Lo, r.X.Hi), whole.Row(y, r.X.Lo, r.X.Hi))
		}
		updates = append(updates, operators.Update{
			Patch: patch, Rects: net.Trace(r, nil), Out: make([]float32, net.Output.Shape.Len()),
		})
	}
	if err := p.NewWorker().Run(ctx, views, updates); err != nil {
		return nil, err
	}
	out := make([][]float64, len(updates))
	for i, u := range updates {
		out[i] = chosen(h, u.Out)
	}
	return out, nil
}

// difference is the largest one; NaN where there is one.
func difference(got, want [][]float64) (d float64) {
	for i := range want {
		for j := range want[i] {
			if x := math.Abs(got[i][j] - want[i][j]); math.IsNaN(x) || x > d {
				d = x
			}
			if math.IsNaN(d) {
				return d
			}
		}
	}
	return d
}
