package cpu

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gorgonia.org/tensor"

	"occlude/internal/network"
	"occlude/internal/network/networktest"
	"occlude/operators"
	"occlude/operators/cpu/simd"
	"occlude/operators/operatorstest"
	"occlude/operators/region"
)

// canary is what surrounds every tile in these tests: a NaN, so that reading it
// spoils a result, of bits that no computation gives, so that a stray write
// is seen.
var canary = math.Float32frombits(0x7fc0dead)

// canvas is a tile inside a larger buffer of canaries.
type canvas struct {
	tile  operators.Tile
	outer operators.Tile
}

// newCanvas makes a canvas for r with up to two cells of margin on every side.
func newCanvas(rng *rand.Rand, r region.Rect, c int) canvas {
	outer := region.Rect{
		Y: region.Interval{Lo: r.Y.Lo - rng.IntN(3), Hi: r.Y.Hi + rng.IntN(3)},
		X: region.Interval{Lo: r.X.Lo - rng.IntN(3), Hi: r.X.Hi + rng.IntN(3)},
	}
	data := make([]float32, outer.Area()*c)
	fill(data, canary)
	t := operators.NewTile(outer, c, data)
	return canvas{t.Sub(r), t}
}

// intact tells whether all cells around the tile are canaries still.
func (c canvas) intact() bool {
	o, r := c.outer.Rect, c.tile.Rect
	for y := o.Y.Lo; y < o.Y.Hi; y++ {
		for x := o.X.Lo; x < o.X.Hi; x++ {
			if r.Contains(region.Of(x, y, 1, 1)) {
				continue
			}
			for _, v := range c.outer.Cell(y, x) {
				if math.Float32bits(v) != math.Float32bits(canary) {
					return false
				}
			}
		}
	}
	return true
}

// randomRect is a rectangle inside a map, often one that touches its border.
func randomRect(rng *rand.Rand, s network.Shape) region.Rect {
	side := func(n int) region.Interval {
		a, b := rng.IntN(n+1), rng.IntN(n+1)
		switch rng.IntN(4) {
		case 0:
			a = 0
		case 1:
			b = n
		}
		if a == b {
			return region.Interval{Lo: max(a-1, 0), Hi: max(a, 1)}
		}
		return region.Interval{Lo: min(a, b), Hi: max(a, b)}
	}
	return region.Rect{Y: side(s.H), X: side(s.W)}
}

// sourceOf shows a map's values as an update over a view, or as one of the two
// alone. The view holds canaries under the update and, where possible, both
// stand among canaries.
func sourceOf(rng *rand.Rand, s network.Shape, values []float32) operators.Source {
	src := operators.Source{Shape: s}
	whole := operators.WholeTile(s, values)
	put := func(dst operators.Tile) operators.Tile {
		for y := dst.Rect.Y.Lo; y < dst.Rect.Y.Hi; y++ {
			copy(dst.Row(y, dst.Rect.X.Lo, dst.Rect.X.Hi), whole.Row(y, dst.Rect.X.Lo, dst.Rect.X.Hi))
		}
		return dst
	}
	kind := rng.IntN(4)
	if kind == 0 {
		src.Update = put(newCanvas(rng, s.Whole(), s.C).tile)
		return src
	}
	src.View = operators.WholeTile(s, append([]float32(nil), values...))
	if kind == 1 {
		return src
	}
	r := randomRect(rng, s)
	src.Update = put(newCanvas(rng, r, s.C).tile)
	for y := r.Y.Lo; y < r.Y.Hi; y++ {
		fill(src.View.Row(y, r.X.Lo, r.X.Hi), canary)
	}
	return src
}

// checkLayer runs a layer's kernel of every set of loops, see checkKernel.
func checkLayer(t *testing.T, rng *rand.Rand, l *network.Layer, inputs [][]float32, tol float64) {
	t.Helper()
	for _, set := range simd.Available() {
		checkKernel(t, rng, l, set, operators.Direct, inputs, tol)
	}
}

// checkKernel runs a layer's kernel on the given inputs: first the whole map, to
// be within tol of the definition, then groups of random rectangles from
// random mixtures of view and update, which must give the same bits and write
// nowhere else.
func checkKernel(t *testing.T, rng *rand.Rand, l *network.Layer, set *simd.Set, how operators.Algorithm, inputs [][]float32, tol float64) {
	t.Helper()
	name := fmt.Sprintf("%s (%s) of %v, %s %s", l.Op.Kind(), l.Op.Detail(), l.InShapes(), set.Name, how)
	k, err := newKernel(l, set, how)
	if err != nil {
		t.Fatal(err)
	}
	w := (&Program{net: &network.Network{}}).newWorker()
	defer w.watch(t.Context())()

	full := operators.WholeTile(l.Shape, make([]float32, l.Shape.Len()))
	whole := task{out: full}
	for i, in := range l.In {
		whole.in = append(whole.in, operators.Source{Shape: in.Shape, View: operators.WholeTile(in.Shape, inputs[i])})
	}
	if err := k.forward(w, []task{whole}); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if d := distance(full.Data, definition(t, l, inputs)); d > tol {
		t.Fatalf("%s is off by %g", name, d)
	}

	tasks := make([]task, 1+rng.IntN(5))
	canvases := make([]canvas, len(tasks))
	for i := range tasks {
		r := l.Shape.Whole()
		if !isWhole(l) {
			r = randomRect(rng, l.Shape)
		}
		canvases[i] = newCanvas(rng, r, l.Shape.C)
		tasks[i].out = canvases[i].tile
		for j, in := range l.In {
			tasks[i].in = append(tasks[i].in, sourceOf(rng, in.Shape, inputs[j]))
		}
	}
	if err := k.forward(w, tasks); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	for i, task := range tasks {
		if !canvases[i].intact() {
			t.Errorf("%s: task %d of %d, %s: wrote beside its tile", name, i, len(tasks), task.out.Rect)
		}
		for y := task.out.Rect.Y.Lo; y < task.out.Rect.Y.Hi; y++ {
			for x := task.out.Rect.X.Lo; x < task.out.Rect.X.Hi; x++ {
				if !operatorstest.SameBits(task.out.Cell(y, x), full.Cell(y, x)) {
					t.Fatalf("%s: task %d of %d, %s from updates %v: cell (%d, %d) is %v, in the whole map %v",
						name, i, len(tasks), task.out.Rect, task.in[0].Update.Rect, x, y, task.out.Cell(y, x), full.Cell(y, x))
				}
			}
		}
	}
	checkReturned(t, name, w)
	checkStops(t, name, w, k, tasks)
}

// checkReturned checks that a kernel gave all its scratch memory back.
func checkReturned(t *testing.T, name string, w *worker) {
	t.Helper()
	for _, s := range w.memory.slabs {
		if s.data != nil && !s.free.IsFree(len(s.data)) {
			t.Errorf("%s: kept scratch memory, free are %v of %d", name, s.free, len(s.data))
		}
	}
}

// checkStops checks that a kernel does no more once the worker is stopped.
func checkStops(t *testing.T, name string, w *worker, k kernel, tasks []task) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w.watch(ctx)
	if err := k.forward(w, tasks); !errors.Is(err, errStopped) {
		t.Errorf("%s: went on after the stop (%v)", name, err)
	}
	checkReturned(t, name+", stopped", w)
}

// isWhole tells whether a layer is only ever computed as a whole.
func isWhole(l *network.Layer) bool {
	changed := make([]region.Rect, len(l.In))
	for i, in := range l.In {
		changed[i] = region.Of(0, 0, 1, 1).Intersect(in.Shape.Whole())
	}
	_, isBinary := l.Op.(network.Binary)
	return !isBinary && l.Update(changed) == l.Shape.Whole()
}

// definition is what a layer computes of the given inputs by its definition.
func definition(t *testing.T, l *network.Layer, inputs [][]float32) []float64 {
	t.Helper()
	net := network.New("unused", network.Vector(1))
	var in []*network.Layer
	for i, p := range l.In {
		value := tensor.New(tensor.WithShape(p.Shape.H, p.Shape.W, p.Shape.C), tensor.WithBacking(inputs[i]))
		c, err := net.Add("input", network.Const{Value: value})
		if err != nil {
			t.Fatal(err)
		}
		in = append(in, c)
	}
	if _, err := net.Add("layer", l.Op, in...); err != nil {
		t.Fatal(err)
	}
	want, err := networktest.Output(net, []float32{0})
	if err != nil {
		t.Fatal(err)
	}
	return want
}

// TestKernels takes the layers of random networks one by one.
func TestKernels(t *testing.T) {
	for seed := range uint64(250) {
		rng := rand.New(rand.NewPCG(seed, 20))
		net := networktest.Random(rng, networktest.Options{})
		values, err := networktest.Eval(net, networktest.Image(rng, net.Input().Shape).Float32s())
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range net.Layers {
			if len(l.In) == 0 {
				continue
			}
			var inputs [][]float32
			for _, in := range l.In {
				inputs = append(inputs, narrow(values[in.Index]))
			}
			checkLayer(t, rng, l, inputs, 4e-6)
		}
	}
}

func narrow(v []float64) []float32 {
	out := make([]float32, len(v))
	for i, x := range v {
		out[i] = float32(x)
	}
	return out
}

// layerOf makes a layer by itself, with random inputs of the given shapes.
func layerOf(t *testing.T, rng *rand.Rand, op network.Op, in ...network.Shape) (*network.Layer, [][]float32) {
	t.Helper()
	shape, err := op.Shape(in)
	if err != nil {
		t.Fatal(err)
	}
	l := &network.Layer{Name: "layer", Op: op, Shape: shape}
	var inputs [][]float32
	for _, s := range in {
		l.In = append(l.In, &network.Layer{Name: "input", Op: network.Input{}, Shape: s})
		inputs = append(inputs, networktest.Values(rng, s.Len(), 1))
	}
	return l, inputs
}

// TestConvShapes covers the sizes around the edges of tiles, panels, strips and
// chunks, and the shapes of published networks.
func TestConvShapes(t *testing.T) {
	type shape struct{ h, w, cin, cout, kh, kw, stride, dilation, groups int }
	cases := []shape{
		{224, 37, 3, 64, 7, 7, 2, 1, 1},
		{60, 200, 24, 20, 3, 3, 1, 1, 1}, // several strips
		{130, 130, 40, 6, 1, 1, 1, 1, 1}, // several strips, read in place
		{9, 9, 256, 64, 1, 1, 1, 1, 1},
		{7, 7, 160, 33, 3, 3, 1, 1, 1},
		{17, 17, 20, 21, 1, 7, 1, 1, 1},
		{17, 17, 20, 22, 7, 1, 1, 1, 1},
		{12, 12, 8, 9, 5, 5, 1, 1, 1},
		{20, 20, 6, 5, 3, 3, 1, 3, 1},
		{14, 14, 64, 64, 3, 3, 1, 1, 16},
		{14, 14, 12, 18, 3, 3, 2, 2, 3},
		{90, 90, 32, 32, 3, 3, 1, 1, 32}, // depthwise, several strips
		{15, 15, 10, 30, 5, 3, 2, 1, 10},
		{1, 1, 50, 7, 1, 1, 1, 1, 1},
		{6, 6, 32, 40, 6, 6, 1, 1, 1}, // a fully-connected layer in disguise
	}
	for n := 1; n <= 9; n++ {
		cases = append(cases, shape{n, 10 - n, n, 10 - n, 1, 1, 1, 1, 1}, shape{8, 5, n, n, 3, 3, 1, 1, n})
	}
	rng := rand.New(rand.NewPCG(1, 30))
	for _, c := range cases {
		fan := c.kh * c.kw * c.cin / c.groups
		op := network.Conv{
			Window: network.Window{
				Y: region.Window{Kernel: c.kh, Stride: c.stride, Pad: c.kh / 2, Dilation: c.dilation},
				X: region.Window{Kernel: c.kw, Stride: c.stride, Pad: c.kw / 3, Dilation: c.dilation},
			},
			After: network.PadAfter{Y: (c.kh - 1) / 3, X: c.kw / 2}, Groups: c.groups,
			Weights: tensor.New(tensor.WithShape(c.cout, c.kh, c.kw, c.cin/c.groups),
				tensor.WithBacking(networktest.Values(rng, c.cout*fan, 1/math.Sqrt(float64(fan))))),
		}
		if rng.IntN(2) == 0 {
			op.Bias = networktest.Values(rng, c.cout, 1)
			op.Act = network.Activation{Fn: network.Relu}
		}
		in := []network.Shape{{H: c.h, W: c.w, C: c.cin}}
		if rng.IntN(2) == 0 {
			out, err := op.Shape(in)
			if err != nil {
				t.Fatal(err)
			}
			op.Residual = true
			in = append(in, out)
		}
		l, inputs := layerOf(t, rng, op, in...)
		checkLayer(t, rng, l, inputs, 4e-6)
	}
}

// TestDense covers inputs around a block, in one cell and in several, and
// numbers of outputs around a panel and around the rows that are taken together,
// for groups of every size.
func TestDense(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 40))
	for _, c := range []struct{ h, w, c, outputs int }{
		{1, 1, 1, 1}, {1, 1, 3, 2}, {1, 1, denseBlock - 1, 5}, {1, 1, denseBlock, 4}, {1, 1, denseBlock + 1, 3},
		{1, 1, 2*denseBlock + 7, 2}, {2, 2, denseBlock + 9, 3}, {7, 7, 40, 11}, {3, 1, 700, 7}, {1, 9, 300, 2},
		{2, 3, 5, denseRows}, {1, 1, 6, denseRows + 1}, {3, 2, 4, 2*denseRows + 5},
	} {
		in := network.Shape{H: c.h, W: c.w, C: c.c}
		for range 4 {
			op := network.Dense{
				Weights: tensor.New(tensor.WithShape(c.outputs, in.Len()),
					tensor.WithBacking(networktest.Values(rng, c.outputs*in.Len(), 1/math.Sqrt(float64(in.Len()))))),
				Bias: networktest.Values(rng, c.outputs, 1),
				Act:  network.Activation{Fn: network.Tanh},
			}
			l, inputs := layerOf(t, rng, op, in)
			checkLayer(t, rng, l, inputs, 3e-6)
		}
	}
}

// TestBroadcast covers every pair of axes that either input may be repeated
// along, for every function.
func TestBroadcast(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 50))
	full := network.Shape{H: 4, W: 5, C: 3}
	for mask := range 64 {
		a, b := full, full
		for bit, n := range []*int{&a.H, &a.W, &a.C, &b.H, &b.W, &b.C} {
			if mask>>bit&1 == 1 {
				*n = 1
			}
		}
		for _, fn := range []string{network.Add, network.Sub, network.Mul, network.Div, network.Max, network.Min, network.Pow} {
			op := network.Binary{Fn: fn, Act: network.Activation{Fn: network.LeakyRelu, Alpha: 0.5}}
			l, inputs := layerOf(t, rng, op, a, b)
			if fn == network.Pow || fn == network.Div {
				for _, in := range inputs {
					for i, v := range in {
						in[i] = 0.5 + float32(math.Abs(float64(v)))
					}
				}
			}
			checkLayer(t, rng, l, inputs, 1e-6)
		}
	}
}

// TestGlobalPoolUpdates checks that a pool which adds the difference of an
// update to the clean image's result agrees with pooling everything.
func TestGlobalPoolUpdates(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 60))
	for range 300 {
		s := network.Shape{H: 1 + rng.IntN(9), W: 1 + rng.IntN(9), C: 1 + rng.IntN(9)}
		for _, fn := range []string{network.Mean, network.Sum, network.Largest} {
			l, inputs := layerOf(t, rng, network.GlobalPool{Fn: fn}, s)
			view := operators.WholeTile(s, inputs[0])
			r := randomRect(rng, s)
			update := newCanvas(rng, r, s.C).tile
			after := append([]float32(nil), inputs[0]...)
			changed := operators.WholeTile(s, after)
			for y := r.Y.Lo; y < r.Y.Hi; y++ {
				row := update.Row(y, r.X.Lo, r.X.Hi)
				copy(row, networktest.Values(rng, len(row), 3))
				copy(changed.Row(y, r.X.Lo, r.X.Hi), row)
			}
			if rng.IntN(20) == 0 {
				// An infinity that the update takes away leaves no trace.
				view.Cell(r.Y.Lo, r.X.Lo)[0] = float32(math.Inf(1))
			}
			w := (&Program{net: &network.Network{}}).newWorker()
			stop := w.watch(t.Context())
			k := globalPool{simd.Best(), fn}
			base, got := make([]float32, s.C), make([]float32, s.C)
			tasks := []task{
				{in: []operators.Source{{Shape: s, View: view}}, out: operators.WholeTile(l.Shape, base)},
				{in: []operators.Source{{Shape: s, View: view, Update: update}}, out: operators.WholeTile(l.Shape, got), base: operators.WholeTile(l.Shape, base)},
			}
			for i := range tasks {
				if err := k.forward(w, tasks[i:i+1]); err != nil {
					t.Fatal(err)
				}
			}
			if d := distance(got, definition(t, l, [][]float32{after})); d > 1e-6 {
				t.Fatalf("global %s of %s, update %s: off by %g", fn, s, r, d)
			}
			stop()
		}
	}
}

// TestPoolOfNaN checks that pools pass NaN on.
func TestPoolOfNaN(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 70))
	a := region.Window{Kernel: 3, Stride: 2, Pad: 1, Dilation: 1}
	for _, pool := range []network.Op{
		network.Pool{Window: network.Window{Y: a, X: a}, Max: true, Ceil: true},
		network.Pool{Window: network.Window{Y: a, X: a}, CountPad: true},
		network.GlobalPool{Fn: network.Largest},
		network.ChannelReduce{Fn: network.Largest},
	} {
		l, inputs := layerOf(t, rng, pool, network.Shape{H: 9, W: 8, C: 2})
		inputs[0][55] = float32(math.NaN())
		inputs[0][9] = float32(math.Inf(-1))
		checkLayer(t, rng, l, inputs, 1e-6)
	}
}
