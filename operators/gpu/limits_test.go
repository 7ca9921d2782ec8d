package gpu

import (
	"context"
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
	"occlude/operators/gpu/driver"
	"occlude/operators/gpu/soft"
	"occlude/operators/operatorstest"
	"occlude/operators/region"
)

// TestUnsupported checks what is said of layers that no kernel computes.
func TestUnsupported(t *testing.T) {
	net := network.New("image", network.Vector(2))
	call := func(in [][]float32) ([]float32, error) { return in[0], nil }
	if _, err := net.Add("odd one", network.Function{Name: "custom", Out: 2, Call: call}, net.Input()); err != nil {
		t.Fatal(err)
	}
	_, err := New(t.Context(), net, NewDevice(&soft.Device{}), Options{})
	if u := (*Unsupported)(nil); !errors.As(err, &u) || u.Layer.Name != "odd one" || !strings.Contains(err.Error(), "processor") {
		t.Errorf("the error is %v", err)
	}
	if err := Check(net); err == nil {
		t.Error("Check let it pass")
	}
	large := network.New("image", network.Shape{H: 1 << 15, W: 1 << 14, C: 4})
	if err := Check(large); err == nil || !strings.Contains(err.Error(), "more than 2147221503 values") {
		t.Errorf("of a map of 2^31 values: %v", err)
	}
}

// TestCancel ends a batch in the middle: little more is launched, the error is the
// context's, and the next batch runs.
func TestCancel(t *testing.T) {
	for seed := range uint64(10) {
		rng := rand.New(rand.NewPCG(seed, 50))
		net := supported(rng, networktest.Options{Side: 12, Blocks: 6})
		d := &soft.Device{}
		p := program(t, net, d, Options{})
		in := net.Input().Shape
		views := base(t, p, networktest.Image(rng, in))
		tiles := patches(rng, in)
		want, got := operatorstest.Updates(net, tiles), operatorstest.Updates(net, tiles)
		w := p.NewWorker()
		before := d.Launches("")
		operatorstest.Run(t, w, views, want)
		whole := d.Launches("") - before

		ctx, cancel := context.WithCancelCause(t.Context())
		gone := errors.New("gone")
		p.limit = 1 // wait for every launch
		count := 0
		d.Before = func(string) error {
			if count++; count == whole/2 {
				cancel(gone)
			}
			return nil
		}
		if err := w.Run(ctx, views, got); !errors.Is(err, gone) {
			t.Fatalf("seed %d: the error is %v", seed, err)
		}
		if count > whole/2+8 {
			t.Errorf("seed %d: %d launches after the end", seed, count-whole/2)
		}
		d.Before, p.limit = nil, launchWork
		if err := w.Run(ctx, views, got); !errors.Is(err, gone) {
			t.Errorf("seed %d: ran after the end: %v", seed, err)
		}
		operatorstest.Run(t, w, views, got)
		for i := range got {
			if !operatorstest.SameBits(got[i].Out, want[i].Out) {
				t.Fatalf("seed %d: another result after an end", seed)
			}
		}
	}
}

// TestCancelNew ends bringing weights to the device, and the base pass.
func TestCancelNew(t *testing.T) {
	net := supported(rand.New(rand.NewPCG(1, 51)), networktest.Options{})
	ctx, cancel := context.WithCancelCause(t.Context())
	gone := errors.New("gone")
	cancel(gone)
	if _, err := New(ctx, net, NewDevice(&soft.Device{}), Options{}); !errors.Is(err, gone) {
		t.Errorf("New: %v", err)
	}
	p := program(t, net, &soft.Device{}, Options{})
	if _, err := p.Base(ctx, networktest.Image(rand.New(rand.NewPCG(1, 1)), net.Input().Shape), 1); !errors.Is(err, gone) {
		t.Errorf("Base: %v", err)
	}
}

// TestBroken checks that errors and faults of the device come out as errors.
func TestBroken(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 52))
	net := supported(rng, networktest.Options{Blocks: 5})
	d := &soft.Device{}
	p := program(t, net, d, Options{})
	in := net.Input().Shape
	views := base(t, p, networktest.Image(rng, in))
	batch := operatorstest.Updates(net, patches(rng, in))
	broken := errors.New("uncorrectable ECC error")
	for _, fault := range []func() error{func() error { return broken }, func() error { panic(broken.Error()) }} {
		n := 0
		d.Before = func(string) error {
			if n++; n == 4 {
				return fault()
			}
			return nil
		}
		if err := p.NewWorker().Run(t.Context(), views, batch); err == nil || !strings.Contains(err.Error(), broken.Error()) {
			t.Errorf("the error is %v", err)
		}
	}
	d.Before = nil
	operatorstest.Run(t, p.NewWorker(), views, batch)
}

// TestWrongUpdates checks that what does not fit is an error.
func TestWrongUpdates(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 54))
	net := supported(rng, networktest.Options{})
	p := program(t, net, &soft.Device{}, Options{})
	in := net.Input().Shape
	views := base(t, p, networktest.Image(rng, in))
	good := func() operators.Update {
		return operatorstest.Updates(net, []operators.Tile{patchOf(rng, in, region.Of(0, 0, 2, 2))})[0]
	}
	for want, spoil := range map[string]func(u *operators.Update){
		"rectangles for":    func(u *operators.Update) { u.Rects = u.Rects[1:] },
		"that are read for": func(u *operators.Update) { u.Reads = u.Rects[1:] },
		"room for":          func(u *operators.Update) { u.Out = u.Out[1:] },
		"does not lie in":   func(u *operators.Update) { u.Patch.Rect = u.Patch.Rect.Union(region.Of(in.W, 0, 1, 1)) },
		"with 1 values":     func(u *operators.Update) { u.Patch.Data = u.Patch.Data[:1] },
		"no estimates":      func(u *operators.Update) { u.Estimates = make([]float64, 1) },
		"no cover":          func(u *operators.Update) { u.Patch.Data = nil },
		"a rectangle of":    func(u *operators.Update) { u.Rects[1] = region.Of(-1, 0, 1, 1) },
	} {
		u := good()
		u.Rects = append([]region.Rect(nil), u.Rects...)
		spoil(&u)
		if err := p.NewWorker().Run(t.Context(), views, []operators.Update{u}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	none := &operators.Views{Layers: make([]*tensor.Dense, len(net.Layers))}
	operatorstest.Refuse(t, p, in, none, good)
}

// TestWorkersTogether runs workers at the same time, for the race detector to watch.
func TestWorkersTogether(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 55))
	net := supported(rng, networktest.Options{Blocks: 5, Side: 10})
	p := program(t, net, &soft.Device{}, Options{})
	in := net.Input().Shape
	views := base(t, p, networktest.Image(rng, in))
	tiles := patches(rng, in)
	operatorstest.Together(t, p, net, views, tiles, 3)
}

// TestStats checks that work is counted once for each position.
func TestStats(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 56))
	net := supported(rng, networktest.Options{})
	p := program(t, net, &soft.Device{}, Options{})
	in := net.Input().Shape
	views := base(t, p, networktest.Image(rng, in))
	if got, want := views.Stats.MACs(), net.Work().MACs; got != want {
		t.Errorf("the base pass counts %d multiply-adds of %d", got, want)
	}
	batch := operatorstest.Updates(net, patches(rng, in))
	w := p.NewWorker()
	operatorstest.Run(t, w, views, batch)
	for i, l := range net.Layers[1:] {
		var want operators.LayerStats
		for _, u := range batch {
			if r := u.Rects[i+1]; !r.Empty() {
				work := l.Work(r)
				want.Add(operators.LayerStats{MACs: work.MACs, Steps: work.Steps, Cells: int64(r.Area()), Runs: 1})
			}
		}
		got := w.Stats().Layers[i+1]
		if got.Nanos <= 0 && want.Runs > 0 {
			t.Errorf("%s took no time", l)
		}
		got.Nanos = 0
		if got != want {
			t.Errorf("%s: counted %+v, want %+v", l, got, want)
		}
	}
}

// TestLost checks that a device which fails for good is asked for nothing any more, and that
// everything on it says so.
func TestLost(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 58))
	net := supported(rng, networktest.Options{Blocks: 4})
	d := &soft.Device{}
	device := NewDevice(d)
	p, err := New(t.Context(), net, device, Options{})
	if err != nil {
		t.Fatal(err)
	}
	in := net.Input().Shape
	image := networktest.Image(rng, in)
	views := base(t, p, image)
	batch := operatorstest.Updates(net, patches(rng, in))
	w := p.NewWorker()
	operatorstest.Run(t, w, views, batch)
	launches := 0
	d.Before = func(string) error {
		if launches++; launches == 3 {
			return fmt.Errorf("%w: the card fell off the bus", driver.ErrLost)
		}
		return nil
	}
	for range 2 {
		if err := w.Run(t.Context(), views, batch); !errors.Is(err, driver.ErrLost) || !strings.Contains(err.Error(), "fell off") {
			t.Fatalf("the error is %v", err)
		}
	}
	w.Release()
	p.Trim()
	for what, err := range map[string]error{
		"lost": device.Lost(),
		"base": func() error { _, err := p.Base(t.Context(), image, 1); return err }(),
		"view": func() error { _, err := p.View(t.Context(), views, 1); return err }(),
		"new":  func() error { _, err := New(t.Context(), net, device, Options{}); return err }(),
		"room": func() error { _, _, err := device.Memory(); return err }(),
	} {
		if !errors.Is(err, driver.ErrLost) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if launches > 4 {
		t.Errorf("%d launches on a device that is lost", launches-3)
	}
}

// TestCancelMovers checks that also layers that compute little and move much are cut, and
// that little of them is done after the end of a context.
func TestCancelMovers(t *testing.T) {
	net := network.New("image", network.Shape{H: 16, W: 16, C: 8})
	l := net.Input()
	const layers, positions = 6, 8
	for i := range layers {
		var err error
		if l, err = net.Add(fmt.Sprint("abs", i), network.Pointwise{Act: network.Activation{Fn: network.Abs}}, l); err != nil {
			t.Fatal(err)
		}
	}
	net.Output = l
	net.Sort()
	d := &soft.Device{}
	p := program(t, net, d, Options{})
	rng := rand.New(rand.NewPCG(1, 58))
	in := net.Input().Shape
	views := base(t, p, networktest.Image(rng, in))
	batch := operatorstest.Updates(net, slices.Repeat([]operators.Tile{patchOf(rng, in, in.Whole())}, positions))
	p.limit = layers * positions * int64(in.Len()) // of which a value is one
	foretold, err := p.TrafficOf(batch, true)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(foretold.Launches); n < layers*2 {
		t.Fatalf("%d launches of %d layers", n, layers)
	}
	for end := 1; end < len(foretold.Launches); end++ {
		ctx, cancel := context.WithCancelCause(t.Context())
		gone := errors.New("gone")
		count := 0
		d.Before = func(string) error {
			if count++; count == end {
				cancel(gone)
			}
			return nil
		}
		if err := p.NewWorker().Run(ctx, views, batch); !errors.Is(err, gone) {
			t.Fatalf("end in launch %d: the error is %v", end, err)
		}
		if count > end+3 {
			t.Errorf("%d launches after the end in launch %d", count-end, end)
		}
	}
}
