package metamorphic

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"

	"occlude/executor"
	"occlude/internal/onnx"
	"occlude/internal/onnx/onnxtest"
)

// local is a model whose answer follows what the picture shows to wherever it is, as far
// as that stays away from the borders.
func (k *trial) local(rng *rand.Rand, side, blocks int) *onnxtest.Random {
	m := onnxtest.NewRandom(rng, onnxtest.RandomOptions{Least: side, Side: side + 8, Blocks: blocks, Classes: 3, First: true, Shifts: true})
	m.File(k, k.dir, "local.onnx")
	return m
}

// spot is a picture of one gray with a random spot on it.
func spot(rng *rand.Rand, w, h int, gray uint8, r image.Rectangle) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for i := range m.Pix {
		m.Pix[i] = gray
		if i%4 == 3 {
			m.Pix[i] = 255
		}
	}
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			v := uint8(rng.IntN(256))
			m.SetNRGBA(x, y, color.NRGBA{v, 255 - v/2, uint8(rng.IntN(256)), 255})
		}
	}
	return m
}

// shifted shifts picture and patches, by as much as the strides of the network allow.
func shifted(k *trial, rng *rand.Rand, _ query) error {
	const spotSide, patch = 5, 4
	m := k.local(rng, 44, 1+rng.IntN(3))
	size, from, by := [2]int{m.H, m.W}, [2]int{}, [2]int{} // down and right
	for i := range 2 {
		room := size[i] - 4*m.Reach[i] - spotSide - 2*patch
		if room < m.Jump[i] {
			return errSkip
		}
		by[i] = m.Jump[i] * rng.IntN(room/m.Jump[i]+1)
		from[i] = 2*m.Reach[i] + patch
	}
	r := image.Rect(from[1], from[0], from[1]+spotSide, from[0]+spotSide)
	seed := rng.Uint64()
	k.draw("here.png", spot(rand.New(rand.NewPCG(seed, 0)), m.W, m.H, 90, r))
	k.draw("there.png", spot(rand.New(rand.NewPCG(seed, 0)), m.W, m.H, 90, r.Add(image.Pt(by[1], by[0]))))
	create := "CREATE OR REPLACE MODEL local FROM '" + k.path("local.onnx") + "' WITH (output = 'raw')"
	if _, err := k.run("RESET ALL; CLEAR CACHE; " + create); err != nil {
		return err
	}
	var here, there []string
	for range 6 {
		x, y := from[1]-patch+rng.IntN(spotSide+patch), from[0]-patch+rng.IntN(spotSide+patch)
		here = append(here, fmt.Sprintf("(%d, %d)", x, y))
		there = append(there, fmt.Sprintf("(%d, %d)", x+by[1], y+by[0]))
	}
	var maps []*executor.HeatMap
	for i, at := range [][]string{here, there} {
		name := k.path([]string{"here.png", "there.png"}[i])
		h, err := k.again(fmt.Sprintf("OCCLUDE '%s' USING local FOR TOP %d PATCH %d FILL black AT %s", name, m.Classes, patch, strings.Join(at, ", ")))
		if err != nil {
			return err
		}
		maps = append(maps, h)
	}
	k.measured.near++
	largest := 1.
	for _, c := range maps[0].Classes {
		largest = max(largest, math.Abs(float64(c.P0)))
	}
	for _, c := range maps[0].Classes {
		other := classOf(maps[1], c.ID)
		for i := range c.P {
			if d := math.Abs(float64(c.P[i]) - float64(other.P[i])); !(d <= tolerance*largest) {
				return differ("%s, reach %v, jump %v: shifted by %v the value with the patch at %s is %v, and was %v", m.Story, m.Reach, m.Jump, by, here[i], other.P[i], c.P[i])
			}
		}
	}
	return nil
}

// promise compares what a map that samples says of itself with what VERIFY ALL finds.
func promise(k *trial, rng *rand.Rand, _ query) error {
	m := k.local(rng, 40, 1+rng.IntN(4))
	side := 6 + rng.IntN(10)
	at := image.Pt(rng.IntN(m.W-side), rng.IntN(m.H-side))
	k.draw("spot.png", spot(rng, m.W, m.H, 90, image.Rectangle{at, at.Add(image.Pt(side, side))}))
	if _, err := k.run("RESET ALL; CLEAR CACHE; CREATE OR REPLACE MODEL local FROM '" + k.path("local.onnx") + "'"); err != nil {
		return err
	}
	q := fmt.Sprintf("OCCLUDE '%s' USING local PATCH %d STRIDE 1 FILL %s SSIM >= %s ", k.path("spot.png"), 4+rng.IntN(7),
		[]string{"black", "mean(image)", "blur(3)"}[rng.IntN(3)], []string{"0.7", "0.8", "0.9", "0.95"}[rng.IntN(4)])
	q += []string{"", "FOR TOP 2 ", "PROGRESSIVE "}[rng.IntN(3)]
	hints := fmt.Sprintf("WITH (plan = 'approximate', seed = %d%s)", rng.IntN(1000), []string{"", ", sketches = off", ", sketches = on"}[rng.IntN(3)])
	plain, err := k.again(q + hints)
	if err != nil {
		return err
	}
	verified, err := k.again(q + "VERIFY ALL " + hints)
	if err != nil {
		return err
	}
	if err := k.agree(plain, verified); err != nil {
		return fmt.Errorf("VERIFY ALL changes the map: %w", err)
	}
	least := 1.
	for _, c := range verified.Quality.Classes {
		if c.Measured == nil {
			return differ("VERIFY ALL measures nothing of class %s", c.Class)
		}
		least = min(least, c.Measured.SSIM)
	}
	target := verified.Quality.Target
	if verified.Quality.Reached != (least >= target) {
		return differ("%s says that %g is reached: %v, and has measured %g", q, target, verified.Quality.Reached, least)
	}
	if plain.Quality.Reached && plain.Computed() < len(plain.States) {
		k.measured.claimed++
		if least >= target {
			k.measured.kept++
		} else {
			k.Logf("%s%s has %.4f; %s", q, hints, least, m.Story)
		}
	}
	return nil
}

// poisons make of a picture's mean, which is above 0.5, and below it where something is
// hidden, what is no number.
var poisons = []struct {
	name  string
	clean bool // which is a number where nothing is hidden
	says  []string
	add   func(g *onnxtest.Graph, mean string) string
}{
	{"a negative number's logarithm", false, []string{"NaN"}, func(g *onnxtest.Graph, mean string) string {
		return g.Op("Log", nil, g.Op("Sub", nil, mean, g.Num(2)))
	}},
	{"a negative number's root, where something is hidden", true, []string{"NaN", "position", "patch at"}, func(g *onnxtest.Graph, mean string) string {
		return g.Op("Sqrt", nil, g.Op("Sub", nil, mean, g.Num(.5)))
	}},
	{"a weight", false, []string{"NaN"}, func(g *onnxtest.Graph, mean string) string {
		return g.Op("Mul", nil, mean, g.Num(math.NaN()))
	}},
	{"infinity less infinity", false, []string{"NaN"}, func(g *onnxtest.Graph, mean string) string {
		x := g.Op("Exp", nil, g.Op("Mul", nil, mean, g.Num(1e4)))
		return g.Op("Sub", nil, x, x)
	}},
	{"infinity", false, []string{"Inf"}, func(g *onnxtest.Graph, mean string) string {
		return g.Op("Exp", nil, g.Op("Mul", nil, mean, g.Num(1e4)))
	}},
	{"infinity, where something is hidden", true, []string{"Inf"}, func(g *onnxtest.Graph, mean string) string {
		return g.Op("Exp", nil, g.Op("Mul", nil, g.Op("Relu", nil, g.Op("Sub", nil, g.Num(.5), mean)), g.Num(1e9)))
	}},
}

// poisoned asks models that give no numbers. They are named, with the image or the
// position, and nothing is written.
func poisoned(k *trial, rng *rand.Rand, _ query) error {
	p := poisons[rng.IntN(len(poisons))]
	side, patch := 8+rng.IntN(8), 3+rng.IntN(2)
	g, x := onnxtest.NewGraph(onnxtest.Opsets[rng.IntN(len(onnxtest.Opsets))], 1, 3, side, side)
	h := g.Conv(x, 3, 4)
	logits := g.Op("Gemm", nil, g.Op("Flatten", nil, g.Op("GlobalAveragePool", nil, h)), g.Weights(4, 4, 3), g.Normal(3))
	mean := g.Op("Flatten", nil, g.Op("GlobalAveragePool", nil, x))
	g.Output(g.Op("Add", nil, logits, p.add(g, mean)), onnx.Float32)
	g.File(k, k.dir, "poisoned.onnx")
	// A mean of little more than half, of which any patch that is black takes more.
	level := (.5 + .2*float64(patch*patch)/float64(side*side)) * 255
	k.draw("flat.png", spot(rng, side, side, uint8(math.Ceil(level)), image.Rectangle{}))
	k.draw("bright.png", spot(rng, side, side, 255, image.Rectangle{})) // of which no patch takes half
	output := []string{"raw", "softmax", "sigmoid"}[rng.IntN(3)]
	if slices.Contains(p.says, "Inf") {
		output = "raw"
	}
	if _, err := k.run("RESET ALL; CLEAR CACHE; CREATE OR REPLACE MODEL poisoned FROM '" + k.path("poisoned.onnx") + "' WITH (output = '" + output + "')"); err != nil {
		return err
	}
	out := []string{k.path("poisoned.png"), k.path("poisoned.npy"), k.path("poisoned.csv"), k.path("poisoned.json")}
	text := fmt.Sprintf("OCCLUDE '%s' USING poisoned PATCH %d STRIDE 1 FILL black INTO '%s' %s", k.path("flat.png"), patch, strings.Join(out, "', '"),
		[]string{"", "FOR TOP 3", "FOR CLASS 1", "WITH (plan = 'full')", "WITH (tau = 0.5)", "WITH (batch = 1, threads = 3)", "SSIM >= 0.8 WITH (plan = 'approximate')",
			"WITHIN 1 SECOND", "PROGRESSIVE"}[rng.IntN(9)])
	results, err := k.run(text)
	k.measured.bits++
	if err == nil || len(results) > 0 {
		return differ("%s of %s (%s)\ngives %d results, and the error %v", text, p.name, output, len(results), err)
	}
	said := strings.ToLower(err.Error())
	named := strings.Contains(said, "poisoned") && (strings.Contains(said, "flat.png") || strings.Contains(said, "patch at ("))
	if !named || !slices.ContainsFunc(p.says, func(s string) bool { return strings.Contains(said, strings.ToLower(s)) }) {
		return differ("%s of %s (%s)\nsays only: %v", text, p.name, output, err)
	}
	for _, f := range out {
		if _, err := os.Stat(f); err == nil {
			return differ("%s of %s (%s)\nhas written %s", text, p.name, output, f)
		}
	}
	if _, err := k.run("PREDICT '" + k.path("flat.png") + "' USING poisoned"); (err == nil) != p.clean {
		return differ("PREDICT of %s (%s): %v", p.name, output, err)
	}
	if !p.clean {
		return nil
	}
	// Of several images those that give numbers have their maps.
	text = fmt.Sprintf("OCCLUDE '%s' USING poisoned PATCH %d STRIDE 1 FILL black INTO '%s' ON ERROR CONTINUE", k.path("[fb]*.png"), patch, k.path("{image}.csv"))
	if results, err = k.run(text); err != nil {
		return fmt.Errorf("%s\n%w", text, err)
	}
	_, bright := os.Stat(k.path("bright.csv"))
	_, flat := os.Stat(k.path("flat.csv"))
	if bright != nil || flat == nil || len(results) != 1 || !strings.HasSuffix(results[0].(*executor.HeatMap).Image, "bright.png") {
		return differ("%s\ngives %d maps, bright.csv: %v, flat.csv: %v", text, len(results), bright, flat)
	}
	return nil
}
