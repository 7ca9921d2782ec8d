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
	"occlude/operators/region"
)

// occluded is an image of which a rectangle was replaced.
func occluded(image *tensor.Dense, s network.Shape, patch operators.Tile) *tensor.Dense {
	changed := image.Clone().(*tensor.Dense)
	whole := operators.WholeTile(s, changed.Float32s())
	r := patch.Rect
	for y := r.Y.Lo; y < r.Y.Hi; y++ {
		copy(whole.Row(y, r.X.Lo, r.X.Hi), patch.Row(y, r.X.Lo, r.X.Hi))
	}
	return changed
}

// patchOf fills a rectangle with random values, among canaries.
func patchOf(rng *rand.Rand, s network.Shape, r region.Rect) operators.Tile {
	p := newCanvas(rng, r, s.C).tile
	for y := r.Y.Lo; y < r.Y.Hi; y++ {
		row := p.Row(y, r.X.Lo, r.X.Hi)
		copy(row, networktest.Values(rng, len(row), 1))
	}
	return p
}

// patches are rectangles that exercise every border: the corners, the edges,
// the middle, single cells, lines and the whole image.
func patches(rng *rand.Rand, s network.Shape) []region.Rect {
	w, h := 1+rng.IntN(max(1, s.W/2)), 1+rng.IntN(max(1, s.H/2))
	rects := []region.Rect{
		region.Of(0, 0, w, h), region.Of(s.W-w, 0, w, h), region.Of(0, s.H-h, w, h), region.Of(s.W-w, s.H-h, w, h),
		region.Of((s.W-w)/2, (s.H-h)/2, w, h),
		region.Of(0, 0, 1, 1), region.Of(s.W-1, s.H-1, 1, 1),
		region.Of(0, rng.IntN(s.H), s.W, 1), region.Of(rng.IntN(s.W), 0, 1, s.H),
		s.Whole(),
	}
	for range 4 {
		rects = append(rects, randomRect(rng, s))
	}
	return rects
}

// updatesOf makes an update for each patch, with the rectangles that the region
// algebra gives.
func updatesOf(net *network.Network, patches []operators.Tile) []operators.Update {
	batch := make([]operators.Update, len(patches))
	for i, p := range patches {
		batch[i] = operators.Update{Patch: p, Rects: net.Trace(p.Rect, nil), Out: make([]float32, net.Output.Shape.Len())}
	}
	return batch
}

func run(t testing.TB, w operators.Worker, views *operators.Views, batch []operators.Update) {
	t.Helper()
	if err := w.Run(t.Context(), views, batch); err != nil {
		t.Fatal(err)
	}
}

// cutAt is the part of a network that computes layer i.
func cutAt(net *network.Network, i int) *network.Network {
	c := net.Clone()
	c.Output = c.Layers[i]
	c.Sort()
	return c
}

// hasSums tells whether a network holds sums that updates adjust instead of
// repeating, in which the plan shows in the last bits.
func hasSums(net *network.Network) bool {
	return slices.ContainsFunc(net.Layers, func(l *network.Layer) bool {
		switch op := l.Op.(type) {
		case network.GlobalPool:
			return op.Fn != network.Largest
		case network.Dense:
			return l.In[0].Shape.Cells() > 1
		}
		return false
	})
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
			net := cutAt(whole, i)
			if hasSums(net) {
				continue // see TestRandomNetworks
			}
			p := program(t, net)
			in := net.Input().Shape
			patch := patchOf(rng, in, randomRect(rng, in))
			batch := updatesOf(net, []operators.Tile{patch})
			run(t, p.NewWorker(), base(t, p, image, 1), batch)
			want := base(t, p, occluded(image, in, patch), 1).Output(net.Output.Index)
			if !sameBits(batch[0].Out, want) {
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
			images = append(images, operators.WholeTile(in, occluded(image, in, patch).Float32s()))
		}
		w := p.NewWorker()
		incremental, full := updatesOf(net, tiles), updatesOf(net, images)
		for i := range full {
			for l := range full[i].Rects {
				if _, fixed := net.Layers[l].Op.(network.Const); !fixed {
					full[i].Rects[l] = net.Layers[l].Shape.Whole()
				}
			}
		}
		run(t, w, views, incremental)
		run(t, w, &operators.Views{Layers: constants(net)}, full)
		for i := range tiles {
			want := base(t, p, occluded(image, in, tiles[i]), 1).Output(net.Output.Index)
			if !sameBits(full[i].Out, want) {
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
	batch := updatesOf(net, []operators.Tile{patchOf(rng, in, region.Of(3, 3, 1, 1))})
	if !batch[0].Rects[1].Empty() {
		t.Fatal("the update should vanish")
	}
	run(t, p.NewWorker(), views, batch)
	if !sameBits(batch[0].Out, views.Output(1)) {
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
	batch := updatesOf(net, []operators.Tile{patch})
	small := region.Of(5, 5, 2, 2)
	batch[0].Rects[3] = small
	run(t, p.NewWorker(), views, batch)
	after := base(t, p, occluded(image, in, patch), 1).Tile(3)
	got := operators.WholeTile(net.Output.Shape, batch[0].Out)
	for y := range 12 {
		for x := range 12 {
			want := views.Tile(3)
			if small.Contains(region.Of(x, y, 1, 1)) {
				want = after
			}
			if !sameBits(got.Cell(y, x), want.Cell(y, x)) {
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
				if !sameBits(views.Tile(i).Data, other.Tile(i).Data) {
					t.Fatalf("seed %d: with %d threads %s differs", seed, threads, net.Layers[i])
				}
			}
		}
		var tiles []operators.Tile
		for _, r := range patches(rng, in) {
			tiles = append(tiles, patchOf(rng, in, r))
		}
		want := updatesOf(net, tiles)
		w := p.NewWorker()
		for i := range want {
			run(t, w, views, want[i:i+1])
		}
		for _, size := range []int{2, 3, 5, len(tiles)} {
			got := updatesOf(net, tiles)
			rng.Shuffle(len(got), func(i, j int) { got[i], got[j] = got[j], got[i]; want[i], want[j] = want[j], want[i] })
			for i := 0; i < len(got); i += size {
				run(t, w, views, got[i:min(i+size, len(got))])
			}
			for i := range got {
				j := slices.IndexFunc(want, func(u operators.Update) bool { return &u.Patch.Data[0] == &got[i].Patch.Data[0] })
				if !sameBits(got[i].Out, want[j].Out) {
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
	want := updatesOf(net, tiles)
	run(t, p.NewWorker(), views, want)
	errs := make(chan error)
	for range 4 {
		go func() {
			got := updatesOf(net, tiles)
			err := p.NewWorker().Run(t.Context(), views, got)
			for i := range got {
				if err == nil && !sameBits(got[i].Out, want[i].Out) {
					err = fmt.Errorf("patch %s differs", tiles[i].Rect)
				}
			}
			errs <- err
		}()
	}
	for range 4 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
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
		batch := updatesOf(net, tiles)
		w := p.NewWorker()
		allocs := func(n int) float64 {
			return testing.AllocsPerRun(5, func() { run(t, w, views, batch[:n]) })
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
		return updatesOf(net, []operators.Tile{patchOf(rng, in, region.Of(0, 0, 2, 2))})[0]
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
	if err := p.NewWorker().Run(t.Context(), &operators.Views{Layers: constants(net)}, []operators.Update{good()}); err == nil || !strings.Contains(err.Error(), "not kept") {
		t.Errorf("without views: %v", err)
	}
	if err := p.NewWorker().Run(t.Context(), &operators.Views{}, []operators.Update{good()}); err == nil {
		t.Error("took views of another network")
	}
	for _, image := range []*tensor.Dense{
		tensor.New(tensor.WithShape(in.H, in.W), tensor.Of(tensor.Float32)),
		tensor.New(tensor.WithShape(in.H+1, in.W, in.C), tensor.Of(tensor.Float32)),
		tensor.New(tensor.WithShape(in.H, in.W, in.C), tensor.Of(tensor.Float64)),
	} {
		if _, err := p.Base(t.Context(), image, 1); err == nil {
			t.Errorf("took an image of %v %v", image.Shape(), image.Dtype())
		}
	}
}

// TestCover checks that patches cut from a cover are those that are brought.
func TestCover(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 180))
	net := networktest.Random(rng, networktest.Options{})
	p := program(t, net)
	in := net.Input().Shape
	cover := networktest.Image(rng, in)
	views := base(t, p, networktest.Image(rng, in), 1)
	var brought, cut []operators.Tile
	for range 6 {
		r := randomRect(rng, in)
		brought = append(brought, operators.WholeTile(in, cover.Float32s()).Sub(r))
		cut = append(cut, operators.Tile{Rect: r, C: in.C})
	}
	want, got := updatesOf(net, brought), updatesOf(net, cut)
	w := p.NewWorker()
	run(t, w, views, want)
	covered := views.Shared()
	covered.Cover = cover
	run(t, w, covered, got)
	for i := range got {
		if !sameBits(got[i].Out, want[i].Out) {
			t.Errorf("patch %s differs", cut[i].Rect)
		}
	}
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
	batch := updatesOf(net, []operators.Tile{
		patchOf(rng, in, region.Of(0, 0, 2, 2)), patchOf(rng, in, region.Of(1, 2, 3, 1)),
	})
	w := p.NewWorker()
	run(t, w, views, batch)
	run(t, w, views, batch[:1])
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
