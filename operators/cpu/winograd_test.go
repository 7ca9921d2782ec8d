package cpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gorgonia.org/tensor"

	"occlude/internal/network"
	"occlude/internal/network/networktest"
	"occlude/operators"
	"occlude/operators/cpu/simd"
	"occlude/operators/operatorstest"
	"occlude/operators/region"
)

// winogradLayer is a random convolution of stride 1 that keeps most of the map.
func winogradLayer(t *testing.T, rng *rand.Rand, in network.Shape, cout, kh, kw int) (*network.Layer, [][]float32) {
	t.Helper()
	fan := kh * kw * in.C
	op := network.Conv{
		Window: network.Window{
			Y: region.Window{Kernel: kh, Stride: 1, Pad: rng.IntN(kh), Dilation: 1},
			X: region.Window{Kernel: kw, Stride: 1, Pad: rng.IntN(kw), Dilation: 1},
		},
		After: network.PadAfter{Y: rng.IntN(kh), X: rng.IntN(kw)}, Groups: 1,
		Weights: tensor.New(tensor.WithShape(cout, kh, kw, in.C),
			tensor.WithBacking(networktest.Values(rng, cout*fan, 1/math.Sqrt(float64(fan))))),
		Act: []network.Activation{
			{}, {Fn: network.Relu}, {Fn: network.Clip, Beta: 6}, {Fn: network.LeakyRelu, Alpha: 0.1},
		}[rng.IntN(4)],
	}
	if rng.IntN(3) > 0 {
		op.Bias = networktest.Values(rng, cout, 1)
	}
	inputs := []network.Shape{in}
	if rng.IntN(2) == 0 {
		out, err := op.Shape(inputs)
		if err != nil {
			t.Fatal(err)
		}
		op.Residual = true
		inputs = append(inputs, out)
	}
	return layerOf(t, rng, op, inputs...)
}

// winogradTolerance is how far a result may be from the definition, relative to
// the largest.
var winogradTolerance = map[operators.Algorithm]float64{
	operators.Winograd2: 2e-6, operators.Winograd4: 5e-6, operators.Winograd6: 2e-5,
	operators.WinogradLine2: 3e-6, operators.WinogradLine4: 6e-6, operators.WinogradLine6: 2e-5,
}

// TestWinograd covers maps and rectangles of all remainders by the tiles,
// channels around a vector and a panel, and windows of every algorithm.
func TestWinograd(t *testing.T) {
	for _, c := range []struct{ h, w, cin, cout, kh, kw int }{
		{9, 11, 5, 7, 3, 3},
		{5, 6, 1, 1, 3, 3},
		{17, 13, 3, 33, 3, 3},
		{8, 8, 16, 32, 3, 3},
		{7, 7, 130, 40, 3, 3},   // several blocks of channels
		{41, 37, 64, 70, 3, 3},  // several chunks
		{17, 17, 20, 21, 1, 7},  // along rows
		{17, 17, 20, 22, 7, 1},  // along columns
		{30, 30, 50, 130, 1, 7}, // several chunks
		{11, 9, 8, 12, 5, 5},
		{11, 9, 8, 12, 1, 3},
		{11, 9, 8, 12, 5, 1},
	} {
		if testing.Short() && c.h*c.w*c.cin*c.cout > 1_000_000 {
			continue
		}
		rng := rand.New(rand.NewPCG(uint64(c.h), uint64(c.cin)))
		l, inputs := winogradLayer(t, rng, network.Shape{H: c.h, W: c.w, C: c.cin}, c.cout, c.kh, c.kw)
		algorithms := operators.Algorithms(l)
		if len(algorithms) < 3 {
			t.Fatalf("for %s there are only %v", l.Op.Detail(), algorithms)
		}
		want := definition(t, l, inputs)
		for _, how := range algorithms[1:] {
			for _, set := range simd.Available() {
				t.Run(fmt.Sprintf("%dx%d of %dx%dx%d %s %s", c.kw, c.kh, c.w, c.h, c.cin, how, set.Name), func(t *testing.T) {
					checkWinograd(t, rng, l, inputs, want, set, how)
				})
			}
		}
	}
}

// checkWinograd runs a layer's kernel for the whole map and for random
// rectangles: near the definition, and to the same bits however the
// rectangles are grouped and, at whole tiles, cut.
func checkWinograd(t *testing.T, rng *rand.Rand, l *network.Layer, inputs [][]float32, want []float64, set *simd.Set, how operators.Algorithm) {
	k, err := newKernel(l, set, how)
	if err != nil {
		t.Fatal(err)
	}
	w := (&Program{net: &network.Network{}}).newWorker()
	defer w.watch(t.Context())()
	run := func(tasks ...task) {
		t.Helper()
		if err := k.forward(w, tasks); err != nil {
			t.Fatal(err)
		}
	}
	wanted := func(r region.Rect) []float64 {
		var values []float64
		for y := r.Y.Lo; y < r.Y.Hi; y++ {
			values = append(values, want[(y*l.Shape.W+r.X.Lo)*l.Shape.C:][:r.W()*l.Shape.C]...)
		}
		return values
	}

	tasks := make([]task, 12)
	canvases := make([]canvas, len(tasks))
	for i := range tasks {
		r := l.Shape.Whole()
		if i > 0 {
			r = randomRect(rng, l.Shape)
		}
		canvases[i] = newCanvas(rng, r, l.Shape.C)
		tasks[i].out = canvases[i].tile
		for j, in := range l.In {
			tasks[i].in = append(tasks[i].in, sourceOf(rng, in.Shape, inputs[j]))
		}
	}
	run(tasks...)
	results := make([][]float32, len(tasks))
	for i, task := range tasks {
		results[i] = packed(task.out)
		if d := distance(results[i], wanted(task.out.Rect)); d > winogradTolerance[how] {
			t.Errorf("%s is off by %g", task.out.Rect, d)
		}
		if !canvases[i].intact() {
			t.Errorf("wrote beside %s", task.out.Rect)
		}
	}
	same := func(what string) {
		t.Helper()
		for i, task := range tasks {
			if !operatorstest.SameBits(packed(task.out), results[i]) {
				t.Errorf("%s: %s has other bits", what, task.out.Rect)
			}
			for y := task.out.Rect.Y.Lo; y < task.out.Rect.Y.Hi; y++ {
				fill(task.out.Row(y, task.out.Rect.X.Lo, task.out.Rect.X.Hi), canary)
			}
		}
	}
	for _, task := range tasks {
		run(task)
	}
	same("each by itself")
	shuffled := slices.Clone(tasks)
	rng.Shuffle(len(tasks), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	run(shuffled[:5]...)
	run(shuffled[5:]...)
	same("in other groups")
	for _, task := range tasks {
		r := task.out.Rect
		grain := k.(grainy).grain()
		for y := r.Y.Lo; y < r.Y.Hi; {
			band := region.Rect{Y: region.Interval{Lo: y, Hi: min(r.Y.Hi, y+grain*(1+rng.IntN(3)))}, X: r.X}
			part := task
			part.out = task.out.Sub(band)
			run(part)
			y = band.Y.Hi
		}
	}
	same("in bands")
	for _, task := range tasks {
		if r := k.(reader).reads(task.out.Rect); !r.Contains(l.Reads(0, task.out.Rect)) {
			t.Errorf("%s reads only %s", task.out.Rect, r)
		}
	}
	checkReturned(t, "winograd", w)
	checkStops(t, "winograd", w, k, tasks)
}

// TestWinogradRectangles computes rectangles of all sizes up to two tiles and a
// cell, so that they end in tiles of all sizes along either axis, and counts the
// points at which tiles are computed.
func TestWinogradRectangles(t *testing.T) {
	for _, kernel := range [][2]int{{3, 3}, {5, 5}, {1, 7}, {7, 1}, {1, 3}, {5, 1}} {
		rng := rand.New(rand.NewPCG(uint64(kernel[0]), uint64(kernel[1])))
		l, inputs := winogradLayer(t, rng, network.Shape{H: 19, W: 18, C: 17}, 20, kernel[0], kernel[1])
		want := definition(t, l, inputs)
		sources := make([]operators.Source, len(l.In))
		for j, in := range l.In {
			sources[j] = sourceOf(rng, in.Shape, inputs[j])
		}
		for _, how := range operators.Algorithms(l)[1:] {
			for _, set := range simd.Available() {
				t.Run(fmt.Sprintf("%dx%d %s %s", kernel[1], kernel[0], how, set.Name), func(t *testing.T) {
					k, err := newKernel(l, set, how)
					if err != nil {
						t.Fatal(err)
					}
					checkRectangles(t, rng, k.(*winograd), l.Shape, sources, want)
				})
			}
		}
	}
}

func checkRectangles(t *testing.T, rng *rand.Rand, k *winograd, s network.Shape, sources []operators.Source, want []float64) {
	w := (&Program{net: &network.Network{}}).newWorker()
	defer w.watch(t.Context())()
	how := k.algorithm
	for h := 1; h <= min(s.H, 2*how.Tile()+1); h++ {
		for width := 1; width <= min(s.W, 2*how.Tile()+1); width++ {
			r := region.Of(rng.IntN(s.W-width+1), rng.IntN(s.H-h+1), width, h)
			c := newCanvas(rng, r, s.C)
			if err := k.forward(w, []task{{in: sources, out: c.tile}}); err != nil {
				t.Fatal(err)
			}
			var wanted []float64
			for y := r.Y.Lo; y < r.Y.Hi; y++ {
				wanted = append(wanted, want[(y*s.W+r.X.Lo)*s.C:][:width*s.C]...)
			}
			if d := distance(packed(c.tile), wanted); d > winogradTolerance[how] {
				t.Errorf("%s is off by %g", r, d)
			}
			if !c.intact() {
				t.Errorf("wrote beside %s", r)
			}
			points := 0
			for point := range k.points() {
				for y := 0; y < h; y += k.y.tile {
					for x := 0; x < width; x += k.x.tile {
						if k.y.uses[min(k.y.tile, h-y)-1][k.y.class[point/k.x.points]] && k.x.uses[min(k.x.tile, width-x)-1][k.x.class[point%k.x.points]] {
							points++
						}
					}
				}
			}
			if n := how.Points(h, width, k.y.taps, k.x.taps); n != points {
				t.Errorf("%s is computed at %d points, not %d", r, points, n)
			}
		}
	}
}

// TestWinogradWithoutView checks that a position whose update holds all that its
// rectangle reads needs no view.
func TestWinogradWithoutView(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 80))
	op := convOf(5, 7, 3, 1, 1)
	op.Act = network.Activation{}
	l, inputs := layerOf(t, rng, op, network.Shape{H: 12, W: 12, C: 5})
	r := region.Of(3, 4, 5, 3)
	k, err := newKernel(l, simd.Best(), operators.Winograd4)
	if err != nil {
		t.Fatal(err)
	}
	reads := l.Reads(0, r)
	update := newCanvas(rng, reads, 5).tile
	for y := reads.Y.Lo; y < reads.Y.Hi; y++ {
		copy(update.Row(y, reads.X.Lo, reads.X.Hi), operators.WholeTile(l.In[0].Shape, inputs[0]).Row(y, reads.X.Lo, reads.X.Hi))
	}
	out := newCanvas(rng, r, 7)
	w := (&Program{net: &network.Network{}}).newWorker()
	defer w.watch(t.Context())()
	source := operators.Source{Shape: l.In[0].Shape, Update: update, Around: update}
	if err := k.forward(w, []task{{in: []operators.Source{source}, out: out.tile}}); err != nil {
		t.Fatal(err)
	}
	want := definition(t, l, inputs)
	for y := r.Y.Lo; y < r.Y.Hi; y++ {
		row := want[(y*12+r.X.Lo)*7:][:r.W()*7]
		if d := distance(out.tile.Row(y, r.X.Lo, r.X.Hi), row); d > winogradTolerance[operators.Winograd4] {
			t.Errorf("row %d is off by %g", y, d)
		}
	}
	checkReturned(t, "winograd", w)
}

// TestWinogradAllocates checks that a warm worker needs no new memory.
func TestWinogradAllocates(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 90))
	for _, set := range simd.Available() {
		for _, kernel := range [][2]int{{3, 3}, {1, 7}, {7, 1}} {
			l, inputs := winogradLayer(t, rng, network.Shape{H: 20, W: 20, C: 40}, 50, kernel[0], kernel[1])
			algorithms := operators.Algorithms(l)
			k, err := newKernel(l, set, algorithms[len(algorithms)-1])
			if err != nil {
				t.Fatal(err)
			}
			tasks := make([]task, 3)
			for i := range tasks {
				tasks[i].out = newCanvas(rng, randomRect(rng, l.Shape), l.Shape.C).tile
				for j, in := range l.In {
					tasks[i].in = append(tasks[i].in, sourceOf(rng, in.Shape, inputs[j]))
				}
			}
			w := (&Program{net: &network.Network{}}).newWorker()
			stop := w.watch(t.Context())
			if n := testing.AllocsPerRun(3, func() {
				if err := k.forward(w, tasks); err != nil {
					t.Fatal(err)
				}
			}); n > 0 {
				t.Errorf("%s %s: %v allocations", set.Name, l.Op.Detail(), n)
			}
			stop()
		}
	}
}

// packed is a copy of a tile's values.
func packed(tile operators.Tile) []float32 {
	var values []float32
	for y := tile.Rect.Y.Lo; y < tile.Rect.Y.Hi; y++ {
		values = append(values, tile.Row(y, tile.Rect.X.Lo, tile.Rect.X.Hi)...)
	}
	return values
}
