package cpu

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"occlude/internal/network"
	"occlude/internal/network/networktest"
	"occlude/operators"
	"occlude/operators/operatorstest"
	"occlude/operators/region"
)

// patchOf fills a rectangle with random values, among canaries.
func patchOf(rng *rand.Rand, s network.Shape, r region.Rect) operators.Tile {
	p := newCanvas(rng, r, s.C).tile
	for y := r.Y.Lo; y < r.Y.Hi; y++ {
		row := p.Row(y, r.X.Lo, r.X.Hi)
		copy(row, networktest.Values(rng, len(row), 1))
	}
	return p
}

// patches are rectangles at every border, and others.
func patches(rng *rand.Rand, s network.Shape) []region.Rect {
	rects := operatorstest.Borders(rng, s)
	for range 4 {
		rects = append(rects, randomRect(rng, s))
	}
	return rects
}

// TestUpdatesOfEveryLayer checks the region algebra and the kernels end to end:
// for every layer, the update laid over the view is what the base pass
// gives on the changed image, inside of the rectangle and out, bit for bit.
func TestUpdatesOfEveryLayer(t *testing.T) {
	for seed := range uint64(150) {
		rng := rand.New(rand.NewPCG(seed, 80))
		whole := networktest.Random(rng, networktest.Options{Jumps: true, Side: 14})
		image := networktest.Image(rng, whole.Input().Shape)
		for i := range whole.Layers {
			net := operatorstest.Cut(whole, i)
			if operatorstest.HasSums(net) {
				continue // see TestRandomNetworks
			}
			p := program(t, net)
			in := net.Input().Shape
			patch := patchOf(rng, in, randomRect(rng, in))
			batch := operatorstest.Updates(net, []operators.Tile{patch})
			operatorstest.Run(t, p.NewWorker(), base(t, p, image, 1), batch)
			want := base(t, p, operatorstest.Occluded(image, in, patch), 1).Output(net.Output.Index)
			if !operatorstest.SameBits(batch[0].Out, want) {
				t.Fatalf("seed %d: %s (%s) of %s, patch %s, rectangle %s: incremental differs from full inference",
					seed, net.Output, net.Output.Op.Detail(), net.Output.Shape, patch.Rect, batch[0].Rects[net.Output.Index])
			}
		}
	}
}

// TestRandomNetworks checks that incremental inference gives the probabilities
// of full inference, and that full inference of a batch gives those of the
// base pass to the bit.
func TestRandomNetworks(t *testing.T) {
	for seed := range uint64(150) {
		rng := rand.New(rand.NewPCG(seed, 90))
		net := networktest.Random(rng, networktest.Options{})
		p := program(t, net)
		in := net.Input().Shape
		image := networktest.Image(rng, in)
		views := base(t, p, image, 2)
		var tiles, images []operators.Tile
		for _, r := range patches(rng, in) {
			patch := patchOf(rng, in, r)
			tiles = append(tiles, patch)
			images = append(images, operators.WholeTile(in, operatorstest.Occluded(image, in, patch).Float32s()))
		}
		w := p.NewWorker()
		incremental, full := operatorstest.Updates(net, tiles), operatorstest.Updates(net, images)
		for i := range full {
			for l := range full[i].Rects {
				if _, fixed := net.Layers[l].Op.(network.Const); !fixed {
					full[i].Rects[l] = net.Layers[l].Shape.Whole()
				}
			}
		}
		operatorstest.Run(t, w, views, incremental)
		operatorstest.Run(t, w, &operators.Views{Layers: constants(net)}, full)
		for i := range tiles {
			want := base(t, p, operatorstest.Occluded(image, in, tiles[i]), 1).Output(net.Output.Index)
			if !operatorstest.SameBits(full[i].Out, want) {
				t.Errorf("seed %d: full inference of a batch differs from the base pass", seed)
			}
			wide := make([]float64, len(want))
			for j, v := range want {
				wide[j] = float64(v)
			}
			if d := distance(incremental[i].Out, wide); d > 1e-5 {
				t.Errorf("seed %d: patch %s: probabilities differ by %g", seed, tiles[i].Rect, d)
			}
		}
	}
}

// constants are the views of a network's constants alone.
func constants(net *network.Network) []*tensor.Dense {
	views := make([]*tensor.Dense, len(net.Layers))
	for i, l := range net.Layers {
		if c, ok := l.Op.(network.Const); ok {
			views[i] = c.Value
		}
	}
	return views
}

// TestUnchangedOutput checks an update that a stride steps over.
func TestUnchangedOutput(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 100))
	in := network.Shape{H: 9, W: 9, C: 2}
	net := network.New("image", in)
	a := region.Window{Kernel: 1, Stride: 2, Dilation: 1}
	if _, err := net.Add("pool", network.Pool{Window: network.Window{Y: a, X: a}, Max: true}, net.Input()); err != nil {
		t.Fatal(err)
	}
	p := program(t, net)
	views := base(t, p, networktest.Image(rng, in), 1)
	batch := operatorstest.Updates(net, []operators.Tile{patchOf(rng, in, region.Of(3, 3, 1, 1))})
	if !batch[0].Rects[1].Empty() {
		t.Fatal("the update should vanish")
	}
	operatorstest.Run(t, p.NewWorker(), views, batch)
	if !operatorstest.SameBits(batch[0].Out, views.Output(1)) {
		t.Error("an unchanged output is not the view")
	}
}

// TestSmallerRectangles checks that a plan may ask for less than what changes:
// the rest comes from the view.
func TestSmallerRectangles(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 110))
	in := network.Shape{H: 12, W: 12, C: 3}
	net := network.New("image", in)
	l := net.Input()
	for i := range 3 {
		var err error
		if l, err = net.Add(fmt.Sprint(i), convOf(l.Shape.C, 5, 3, 1, 1), l); err != nil {
			t.Fatal(err)
		}
	}
	p := program(t, net)
	image := networktest.Image(rng, in)
	views := base(t, p, image, 1)
	patch := patchOf(rng, in, region.Of(4, 4, 3, 3))
	batch := operatorstest.Updates(net, []operators.Tile{patch})
	small := region.Of(5, 5, 2, 2)
	batch[0].Rects[3] = small
	operatorstest.Run(t, p.NewWorker(), views, batch)
	after := base(t, p, operatorstest.Occluded(image, in, patch), 1).Tile(3)
	got := operators.WholeTile(net.Output.Shape, batch[0].Out)
	for y := range 12 {
		for x := range 12 {
			want := views.Tile(3)
			if small.Contains(region.Of(x, y, 1, 1)) {
				want = after
			}
			if !operatorstest.SameBits(got.Cell(y, x), want.Cell(y, x)) {
				t.Fatalf("cell (%d, %d) differs", x, y)
			}
		}
	}
}

// TestBatchesAndThreads checks that no bit depends on how positions are grouped,
// which worker runs them, or how many goroutines the base pass has.
func TestBatchesAndThreads(t *testing.T) {
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 120))
		net := networktest.Random(rng, networktest.Options{Jumps: true})
		p := program(t, net)
		in := net.Input().Shape
		image := networktest.Image(rng, in)
		views := base(t, p, image, 1)
		for _, threads := range []int{0, 2, 3, 7} {
			other := base(t, p, image, threads)
			for i := range net.Layers {
				if !operatorstest.SameBits(views.Tile(i).Data, other.Tile(i).Data) {
					t.Fatalf("seed %d: with %d threads %s differs", seed, threads, net.Layers[i])
				}
			}
		}
		var tiles []operators.Tile
		for _, r := range patches(rng, in) {
			tiles = append(tiles, patchOf(rng, in, r))
		}
		want := operatorstest.Updates(net, tiles)
		w := p.NewWorker()
		for i := range want {
			operatorstest.Run(t, w, views, want[i:i+1])
		}
		for _, size := range []int{2, 3, 5, len(tiles)} {
			got := operatorstest.Updates(net, tiles)
			rng.Shuffle(len(got), func(i, j int) { got[i], got[j] = got[j], got[i]; want[i], want[j] = want[j], want[i] })
			for i := 0; i < len(got); i += size {
				operatorstest.Run(t, w, views, got[i:min(i+size, len(got))])
			}
			for i := range got {
				j := slices.IndexFunc(want, func(u operators.Update) bool { return &u.Patch.Data[0] == &got[i].Patch.Data[0] })
				if !operatorstest.SameBits(got[i].Out, want[j].Out) {
					t.Fatalf("seed %d: batches of %d: patch %s differs", seed, size, got[i].Patch.Rect)
				}
			}
			tiles = tiles[:0]
			for _, u := range want {
				tiles = append(tiles, u.Patch)
			}
		}
	}
}

// TestWorkersTogether runs workers at the same time on one program and its
// views, for the race detector to watch.
func TestWorkersTogether(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 130))
	net := networktest.Random(rng, networktest.Options{Blocks: 6})
	p := program(t, net)
	in := net.Input().Shape
	views := base(t, p, networktest.Image(rng, in), 3)
	var tiles []operators.Tile
	for _, r := range patches(rng, in) {
		tiles = append(tiles, patchOf(rng, in, r))
	}
	operatorstest.Together(t, p, net, views, tiles, 4)
}

// TestSteadyStateAllocatesNothing checks that, once warm, a worker allocates
// nothing for a position; what a run allocates is the watch on its context.
func TestSteadyStateAllocatesNothing(t *testing.T) {
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 150))
		net := networktest.Random(rng, networktest.Options{})
		if slices.ContainsFunc(net.Layers, func(l *network.Layer) bool { _, ok := l.Op.(network.Function); return ok }) {
			continue // calls code that allocates its result
		}
		p := program(t, net)
		in := net.Input().Shape
		views := base(t, p, networktest.Image(rng, in), 1)
		var tiles []operators.Tile
		for range 24 {
			tiles = append(tiles, patchOf(rng, in, randomRect(rng, in)))
		}
		batch := operatorstest.Updates(net, tiles)
		w := p.NewWorker()
		allocs := func(n int) float64 {
			return testing.AllocsPerRun(5, func() { operatorstest.Run(t, w, views, batch[:n]) })
		}
		allocs(24)
		if few, many := allocs(2), allocs(24); many > few+1 {
			t.Errorf("seed %d: %g allocations for 2 positions, %g for 24", seed, few, many)
		}
	}
}

// TestWrongUpdates checks that what does not fit is an error.
func TestWrongUpdates(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 160))
	net := networktest.Random(rng, networktest.Options{})
	p := program(t, net)
	in := net.Input().Shape
	image := networktest.Image(rng, in)
	views := base(t, p, image, 1)
	good := func() operators.Update {
		return operatorstest.Updates(net, []operators.Tile{patchOf(rng, in, region.Of(0, 0, 2, 2))})[0]
	}
	for _, c := range []struct {
		name, want string
		spoil      func(u *operators.Update)
	}{
		{"rectangles", "rectangles for", func(u *operators.Update) { u.Rects = u.Rects[1:] }},
		{"output", "room for", func(u *operators.Update) { u.Out = u.Out[1:] }},
		{"beyond", "does not lie in", func(u *operators.Update) { u.Patch.Rect = u.Patch.Rect.Union(region.Of(in.W, 0, 1, 1)) }},
		{"channels", "does not lie in", func(u *operators.Update) { u.Patch.C++ }},
	} {
		u := good()
		c.spoil(&u)
		if err := p.NewWorker().Run(t.Context(), views, []operators.Update{good(), u}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	operatorstest.Refuse(t, p, in, &operators.Views{Layers: constants(net)}, good)
}

// TestCover checks that patches cut from a cover are those that are brought.
func TestCover(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 180))
	net := networktest.Random(rng, networktest.Options{})
	p := program(t, net)
	in := net.Input().Shape
	cover := networktest.Image(rng, in)
	views := base(t, p, networktest.Image(rng, in), 1)
	var rects []region.Rect
	for range 6 {
		rects = append(rects, randomRect(rng, in))
	}
	_, got, covered := operatorstest.Cover(t, p, net, views, cover, rects)
	w := p.NewWorker()
	if err := w.Run(t.Context(), views, got); err == nil || !strings.Contains(err.Error(), "with 0 values") {
		t.Errorf("cut patches from no cover: %v", err)
	}
	got[0].Patch.Rect = region.Of(in.W-1, 0, 2, 1)
	if err := w.Run(t.Context(), covered, got[:1]); err == nil || !strings.Contains(err.Error(), "does not lie in") {
		t.Errorf("cut a patch beyond the image: %v", err)
	}
}

// TestFunctionErrors checks that a layer's own errors come out with its name.
func TestFunctionErrors(t *testing.T) {
	for _, c := range []struct {
		call func([][]float32) ([]float32, error)
		want string
	}{
		{func([][]float32) ([]float32, error) { return nil, errors.New("no such thing") }, "no such thing"},
		{func([][]float32) ([]float32, error) { return make([]float32, 3), nil }, "gave 3 values instead of 2"},
	} {
		net := network.New("image", network.Vector(2))
		if _, err := net.Add("odd one", network.Function{Name: "custom", Out: 2, Call: c.call}, net.Input()); err != nil {
			t.Fatal(err)
		}
		image := tensor.New(tensor.WithShape(1, 1, 2), tensor.Of(tensor.Float32))
		_, err := program(t, net).Base(t.Context(), image, 1)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "odd one") {
			t.Errorf("error is %v", err)
		}
	}
}

// TestStats checks that work is counted once for each position.
func TestStats(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 170))
	net := networktest.Random(rng, networktest.Options{})
	p := program(t, net)
	in := net.Input().Shape
	views := base(t, p, networktest.Image(rng, in), 2)
	if got, want := views.Stats.MACs(), net.Work().MACs; got != want {
		t.Errorf("the base pass counts %d multiply-adds of %d", got, want)
	}
	batch := operatorstest.Updates(net, []operators.Tile{
		patchOf(rng, in, region.Of(0, 0, 2, 2)), patchOf(rng, in, region.Of(1, 2, 3, 1)),
	})
	w := p.NewWorker()
	operatorstest.Run(t, w, views, batch)
	operatorstest.Run(t, w, views, batch[:1])
	stats := w.Stats()
	for i, l := range net.Layers[1:] {
		var want operators.LayerStats
		for _, u := range []operators.Update{batch[0], batch[1], batch[0]} {
			if r := u.Rects[i+1]; !r.Empty() {
				work := l.Work(r)
				want.MACs += work.MACs
				want.Steps += work.Steps
				want.Cells += int64(r.Area())
				want.Runs++
			}
		}
		got := stats.Layers[i+1]
		got.Nanos = 0
		if got != want {
			t.Errorf("%s: counted %+v, want %+v", l, got, want)
		}
	}
	if stats.Peak <= 0 {
		t.Error("no memory was counted")
	}
}
