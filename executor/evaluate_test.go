package executor_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"occlude/executor"
	"occlude/internal/faithfulness"
	"occlude/internal/imageio"
	"occlude/internal/model"
	"occlude/internal/network/networktest"
	"occlude/operators/region"
)

// scores runs an EVALUATE.
func (b *bench) scores(query string) *executor.Evaluation {
	b.t.Helper()
	results := b.run(query)
	e, ok := results[0].(*executor.Evaluation)
	if !ok || len(results) != 1 {
		b.t.Fatalf("%s\nreturned %d results, the first a %T", query, len(results), results[0])
	}
	return e
}

// walked is p along a walk by the definition: every image whole, in float64.
func walked(t *testing.T, m *model.Model, class int, order []int32, counts []int, from, to []float32) []float64 {
	t.Helper()
	in := m.Net.Input().Shape
	curve := make([]float64, len(counts))
	for i, n := range counts {
		pixels := slices.Clone(from)
		for _, at := range order[:n] {
			copy(pixels[int(at)*in.C:int(at+1)*in.C], to[int(at)*in.C:])
		}
		m.Spec.Normalize(pixels, slices.Clone(pixels))
		out, err := networktest.Output(m.Net, pixels)
		if err != nil {
			t.Fatal(err)
		}
		curve[i] = out[class]
	}
	return curve
}

// Curves of random networks, whole and as updates, are those of the definition.
func TestCurvesOfRandomNetworks(t *testing.T) {
	dir := t.TempDir()
	picture := filepath.Join(dir, "picture.png")
	colourful(t, picture, 24, 7)
	file, err := imageio.Read(t.Context(), picture, imageio.Window{})
	if err != nil {
		t.Fatal(err)
	}
	tried, fewer := 0, 0
	for seed := range uint64(60) {
		net := networktest.Random(rand.New(rand.NewPCG(seed, 5)), networktest.Options{})
		in := net.Input().Shape
		if in.C == 4 { // no image has four channels
			continue
		}
		tried++
		m := single{&model.Model{Name: "m", Net: net, Classes: net.Output.Shape.Len(), Output: model.OutputProbabilities, Spec: specFor(in)}}
		query := "OCCLUDE '" + picture + "' USING m PATCH 4 STRIDE 3"
		heat := m.result(t, query+";").(*executor.HeatMap)
		g, class := heat.Plan.Grid, heat.Classes[0]
		drops := make([]float64, len(class.P))
		patches := make([]region.Rect, len(class.P))
		for i, p := range class.P {
			drops[i], patches[i] = float64(class.P0)-float64(p), g.Rect(g.Positions[i])
		}
		pixels, err := m.Spec.Fit(t.Context(), file)
		if err != nil {
			t.Fatal(err)
		}
		blurred, err := imageio.Blur(pixels, 2)
		if err != nil {
			t.Fatal(err)
		}
		black, clean := make([]float32, in.Len()), pixels.Data().([]float32)
		counts := faithfulness.Early(in.H*in.W, 5)
		orders := [][]int32{
			faithfulness.New(in.W, in.H, patches, drops).Order(),
			faithfulness.New(in.W, in.H, patches, faithfulness.Shuffle(drops, 3, 0)).Order(),
		}
		for _, plan := range []string{"incremental", "full"} {
			e := m.result(t, "EVALUATE ("+query+") USING deletion(black), insertion('blur(2)') WITH (steps = 5, seed = 3, plan = "+plan+");").(*executor.Evaluation)
			if e.MACs < e.Whole() {
				fewer++
			}
			for i, ends := range [][2][]float32{{clean, black}, {blurred.Data().([]float32), clean}} {
				s := e.Scores[i]
				for k, got := range [][]float64{s.Curve, s.ChanceCurve} {
					want := walked(t, m.Model, class.ID, orders[k], counts, ends[0], ends[1])
					size := 0.0
					for _, v := range want {
						size = max(size, math.Abs(v))
					}
					for j := range want {
						if d := math.Abs(got[j] - want[j]); !(d <= 2e-5*max(1, size)) {
							t.Fatalf("seed %d, %s, %s, order %d: step %d is %v, want %v", seed, plan, s.Metric.Text, k, j, got[j], want[j])
						}
					}
					value := []float64{s.Value, s.Chance}[k]
					if area := faithfulness.Area(counts, want); math.Abs(value-area) > 2e-5*max(1, size) {
						t.Fatalf("seed %d, %s: the area is %v, want %v", seed, s.Metric.Text, value, area)
					}
				}
			}
		}
	}
	if tried < 20 || fewer < 5 {
		t.Errorf("%d networks take images, %d evaluations took less than full inference", tried, fewer)
	}
}

// What PyTorch and NumPy say of the example: the network's graph, positions, blur,
// order and areas were computed there without anything of this project.
func TestScoresOfExamples(t *testing.T) {
	long(t)
	b := newBench(t)
	b.run(chest)
	for _, c := range []struct {
		image, box                                                 string
		deletion, insertion, deletionEven, insertionEven, energies float64
	}{
		{"nodule", "163, 77, 19, 18", 0.060250, 0.953257, 0.080268, 0.943972, 0.423532},
		{"cavity-2", "153, 102, 19, 19", 0.017616, 0.954204, 0.031020, 0.945331, 0.477095},
	} {
		query := fmt.Sprintf("EVALUATE (OCCLUDE 'examples/images/%s.png' USING chest) USING deletion, insertion, pointing(%s), energy('%s')", c.image, c.box, c.box)
		for options, want := range map[string][]float64{
			"random = 0":                 {c.deletion, c.insertion, 1, c.energies},
			"random = 0, spacing = even": {c.deletionEven, c.insertionEven, 1, c.energies},
		} {
			e := b.scores(query + " WITH (" + options + ");")
			for i, s := range e.Scores {
				// Pixels whose importance is equal but for rounding stand in another order.
				if math.Abs(s.Value-want[i]) > 5e-4 {
					t.Errorf("%s %s with %s is %.6f, want %.6f", c.image, s.Metric.Text, options, s.Value, want[i])
				}
				if s.Metric.Curved() != math.IsNaN(s.Chance) {
					t.Errorf("the chance of %s is %v", s.Metric.Text, s.Chance)
				}
			}
		}
	}
}

// The number of threads and the memory limit decide on batches, and on no bit; other
// images and metrics beside it do neither.
func TestSameScores(t *testing.T) {
	b := newBench(t)
	b.run(chest)
	query := "EVALUATE (OCCLUDE 'examples/images/%s.png' USING chest FOR TOP 2 STRIDE 52) USING %s WITH (steps = 6, random = 2);"
	want := b.scores(fmt.Sprintf(query, "cavity", "deletion, insertion"))
	for _, set := range []string{"SET threads = 1;", "SET threads = 5;"} {
		b.run(set)
		got := b.scores(fmt.Sprintf(query, "cavity", "insertion, deletion"))
		for i, s := range want.Scores {
			o := got.Scores[i^1]
			if s.Class != o.Class || s.Metric.Text != o.Metric.Text || !slices.Equal(s.Curve, o.Curve) || !slices.Equal(s.ChanceCurve, o.ChanceCurve) {
				t.Errorf("after %s %s of %s is %v, want %v", set, o.Metric.Text, o.Class, o.Curve, s.Curve)
			}
		}
	}
	several := b.scores(fmt.Sprintf(query, "cavity*", "deletion, insertion"))
	if len(several.Scores) != 8 {
		t.Fatalf("%d scores of 2 images, 2 classes and 2 metrics", len(several.Scores))
	}
	for i, s := range want.Scores {
		if o := several.Scores[4+i]; o.Image != s.Image || !slices.Equal(o.Curve, s.Curve) {
			t.Errorf("%s of %s among others is %v, want %v", o.Metric.Text, o.Image, o.Curve, s.Curve)
		}
	}
	mean, sum := 0.0, 0.0
	for i := 0; i < len(several.Scores); i += 2 {
		sum += several.Scores[i].Value
	}
	if mean, _ = several.Mean(&several.Plan.Metrics[0]); math.Abs(mean-sum/4) > 1e-15 {
		t.Errorf("the mean is %v, want %v", mean, sum/4)
	}
	if shape := several.Array().Shape(); !slices.Equal(shape, []int{8, 7}) {
		t.Errorf("the array has the shape %v", shape)
	}
}

// A box is hit within the margin, and not beyond it; each image has its own mask.
func TestPointingByMasks(t *testing.T) {
	b := newBench(t)
	b.run(chest)
	// Of a single position the peak is the middle of its patch, (168, 88).
	query := "EVALUATE (OCCLUDE 'examples/images/nodule.png' USING chest AT (160, 80)) USING %s WITH (margin = %s);"
	for _, c := range []struct {
		metric, margin string
		hit, chance    float64
	}{
		{"pointing(167, 87, 1, 1)", "0", 1, 1},
		{"pointing(170, 87, 1, 1)", "2", 0, 13},
		{"pointing('170, 87, 1, 1')", "3", 1, 29},
		{"pointing(0, 0, 224, 224)", "0", 1, 224 * 224},
	} {
		s := b.scores(fmt.Sprintf(query, c.metric, c.margin)).Scores[0]
		if s.Value != c.hit || s.Chance != c.chance/(224*224) || s.Curve != nil {
			t.Errorf("%s with a margin of %s: %v, chance %v", c.metric, c.margin, s.Value, s.Chance)
		}
	}
	square(t, "cavity.mask.png", 35, 93, 17, 19)
	square(t, "cavity-2.mask.png", 0, 0, 20, 20) // where it is not
	e := b.scores("EVALUATE (OCCLUDE 'examples/images/cavity*.png' USING chest STRIDE 8) USING pointing('{image}.mask.png'), energy('{image}.mask.png') WITH (margin = 0);")
	for i, want := range []float64{0, 0, 1, 0.3} { // cavity-2 comes first
		if s := e.Scores[i]; s.Metric.Name() == "pointing" && s.Value != want || s.Metric.Name() == "energy" && (s.Value > 0.1) != (want > 0) {
			t.Errorf("%s of %s is %v", s.Metric.Text, s.Image, s.Value)
		}
	}
}

// stopAfter ends a context at a place in the progress.
type stopAfter struct {
	left int
	stop context.CancelFunc
}

func (s *stopAfter) Start(string, int)     {}
func (s *stopAfter) Next(string, int, int) {}
func (s *stopAfter) Expect(int)            {}
func (s *stopAfter) Finish()               {}
func (s *stopAfter) Add(n int) {
	if s.left -= n; s.left <= 0 {
		s.stop()
	}
}

func TestInterruptedWalk(t *testing.T) {
	b := newBench(t)
	b.run(chest + "SET threads = 1;")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	b.session.Progress = &stopAfter{left: 9 + 1, stop: cancel} // 9 positions, then steps
	results, err := b.try(ctx, "EVALUATE (OCCLUDE 'examples/images/cavity.png' USING chest STRIDE 104) USING deletion WITH (steps = 400);")
	stopped := (*executor.Interrupted)(nil)
	if !errors.As(err, &stopped) || stopped.Of != "steps" || stopped.Done < 1 || stopped.Done >= 798 || stopped.Total != 798 || len(results) != 0 {
		t.Fatalf("%d results and %v", len(results), err)
	}
	if !strings.Contains(err.Error(), "of 798 steps") {
		t.Errorf("it says %v", err)
	}
}

// Curves are no maps: positions coarse to fine are not for them.
func TestEvaluateOfProgressiveMaps(t *testing.T) {
	b := newBench(t)
	b.run(chest + "SET progressive = on;")
	for _, plan := range []string{"incremental", "full"} {
		results := b.run("EVALUATE (OCCLUDE 'examples/images/nodule.png' USING chest STRIDE 52) USING deletion WITH (steps = 3, random = 1, plan = " + plan + ");")
		if e, ok := results[len(results)-1].(*executor.Evaluation); !ok || len(e.Scores) != 1 {
			t.Errorf("%s: %+v", plan, results)
		}
	}
}

// The backward pass of the maps is made once, though the curves run on a program of
// their own between them.
func TestEvaluateMakesOneBackwardPass(t *testing.T) {
	b := newBench(t)
	b.run(chest)
	b.scores("EVALUATE (OCCLUDE 'examples/images/c*.png' USING chest STRIDE 16 SSIM >= 0.7 WITH (plan = 'approximate', sketches = 'on')) USING deletion WITH (steps = 2);")
	if n := b.session.Backwards(); n != 1 {
		t.Errorf("%d programs have a backward pass", n)
	}
}
