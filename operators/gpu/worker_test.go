package gpu

import (
	"math/rand/v2"
	"testing"

	"occlude/internal/network/networktest"
	"occlude/operators"
	"occlude/operators/gpu/soft"
	"occlude/operators/operatorstest"
	"occlude/operators/region"
)

// TestViews compares every layer's view with the processor's.
func TestViews(t *testing.T) {
	long(t)
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 1))
		net := supported(rng, networktest.Options{Side: 14})
		image := networktest.Image(rng, net.Input().Shape)
		p := program(t, net, &soft.Device{}, tensorOn(net, seed%2 == 1))
		views, want := base(t, p, image), base(t, processor(t, net), image)
		for i, l := range net.Layers {
			got, err := p.View(t.Context(), views, i)
			if err != nil {
				t.Fatal(err)
			}
			if d := operatorstest.Distance(got.Float32s(), want.Layers[i].Float32s()); d > 1e-5 {
				t.Fatalf("seed %d: %s (%s) of %s differs by %g", seed, l, l.Op.Detail(), l.Shape, d)
			}
		}
	}
}

// TestRandomNetworks compares incremental inference, full inference of a batch and the
// processor.
func TestRandomNetworks(t *testing.T) {
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 2))
		net := supported(rng, networktest.Options{Side: 16})
		in := net.Input().Shape
		image := networktest.Image(rng, in)
		p, reference := program(t, net, &soft.Device{}, tensorOn(net, seed%2 == 1)), processor(t, net)
		p.limit = 1 << (8 + rng.IntN(20)) // parts of all sizes
		views := base(t, p, image)
		tiles := patches(rng, in)
		w := p.NewWorker()
		incremental, full := operatorstest.Updates(net, tiles), wholesOf(net, image, tiles)
		operatorstest.Run(t, w, views, incremental)
		operatorstest.Run(t, w, &operators.Views{Layers: base(t, reference, image).Layers}, full)
		w.Release()
		for i, tile := range tiles {
			want := base(t, reference, operatorstest.Occluded(image, in, tile)).Output(net.Output.Index)
			if d := operatorstest.Distance(incremental[i].Out, want); d > 1e-5 {
				t.Errorf("seed %d: patch %s: incremental differs by %g", seed, tile.Rect, d)
			}
			if d := operatorstest.Distance(full[i].Out, want); d > 1e-5 {
				t.Errorf("seed %d: patch %s: full differs by %g", seed, tile.Rect, d)
			}
		}
	}
}

// TestUpdatesOfEveryLayer checks that for every layer the update laid over the view is
// what full inference gives on the changed image, to the bit where no sums are adjusted, and
// what the base pass gives there, but for tensor cores: its largest values are others.
func TestUpdatesOfEveryLayer(t *testing.T) {
	long(t)
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 3))
		whole := supported(rng, networktest.Options{Jumps: true, Side: 12})
		image := networktest.Image(rng, whole.Input().Shape)
		for i := range whole.Layers {
			net := operatorstest.Cut(whole, i)
			if operatorstest.HasSums(net) {
				continue
			}
			p := program(t, net, &soft.Device{}, tensorOn(net, seed%2 == 1))
			in := net.Input().Shape
			patch := patchOf(rng, in, randomRect(rng, in))
			batch := operatorstest.Updates(net, []operators.Tile{patch})
			views, w := base(t, p, image), p.NewWorker()
			operatorstest.Run(t, w, views, batch)
			full := wholesOf(net, image, []operators.Tile{patch})
			operatorstest.Run(t, w, views, full)
			if !operatorstest.SameBits(batch[0].Out, full[0].Out) {
				t.Fatalf("seed %d: %s of %s, patch %s: incremental differs from full inference", seed, net.Output, net.Output.Shape, patch.Rect)
			}
			if want := base(t, p, operatorstest.Occluded(image, in, patch)).Output(net.Output.Index); !p.tensor() && !operatorstest.SameBits(batch[0].Out, want) {
				t.Fatalf("seed %d: %s of %s, patch %s: the base pass differs", seed, net.Output, net.Output.Shape, patch.Rect)
			}
		}
	}
}

// TestBatches checks that no bit depends on how positions are grouped, nor on how many of
// them a launch takes.
func TestBatches(t *testing.T) {
	long(t)
	for seed := range uint64(30) {
		rng := rand.New(rand.NewPCG(seed, 4))
		net := supported(rng, networktest.Options{Jumps: true, Side: 12})
		p := program(t, net, &soft.Device{}, tensorOn(net, seed%2 == 1))
		in := net.Input().Shape
		views := base(t, p, networktest.Image(rng, in))
		tiles := patches(rng, in)
		w := p.NewWorker()
		want := operatorstest.Updates(net, tiles)
		for i := range want {
			operatorstest.Run(t, w, views, want[i:i+1])
		}
		for _, size := range []int{2, 5, len(tiles)} {
			p.limit = 1 << (6 + rng.IntN(24))
			got := operatorstest.Updates(net, tiles)
			for i := 0; i < len(got); i += size {
				operatorstest.Run(t, w, views, got[i:min(i+size, len(got))])
			}
			for i := range got {
				if !operatorstest.SameBits(got[i].Out, want[i].Out) {
					t.Fatalf("seed %d: batches of %d: patch %s differs", seed, size, tiles[i].Rect)
				}
			}
		}
	}
}

// TestThresholded compares updates that leave things out, and read less than there is,
// with the processor's.
func TestThresholded(t *testing.T) {
	long(t)
	cropped := 0
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 5))
		net := supported(rng, networktest.Options{Side: 16, Blocks: 5})
		in := net.Input().Shape
		image := networktest.Image(rng, in)
		p, reference := program(t, net, &soft.Device{}, Options{}), processor(t, net)
		tau := .1 + .6*rng.Float64()
		make := func() []operators.Update {
			batch := operatorstest.Updates(net, patches(rand.New(rand.NewPCG(seed, 6)), in))
			for i := range batch {
				var less bool
				batch[i].Rects, less = net.TraceThresholded(batch[i].Patch.Rect, tau, nil)
				batch[i].Reads = net.ThresholdedReads(batch[i].Rects, tau, nil)
				if less {
					cropped++
				}
			}
			return batch
		}
		got, want := make(), make()
		operatorstest.Run(t, p.NewWorker(), base(t, p, image), got)
		operatorstest.Run(t, reference.NewWorker(), base(t, reference, image), want)
		for i := range got {
			if d := operatorstest.Distance(got[i].Out, want[i].Out); d > 1e-5 {
				t.Fatalf("seed %d, tau %.2f: patch %s differs by %g", seed, tau, got[i].Patch.Rect, d)
			}
		}
	}
	if cropped < 100 {
		t.Errorf("only %d updates were cropped", cropped)
	}
}

// TestCover checks that patches cut from a cover on the device are those that are brought.
func TestCover(t *testing.T) {
	for seed := range uint64(10) {
		rng := rand.New(rand.NewPCG(seed, 7))
		net := supported(rng, networktest.Options{Side: 12})
		in := net.Input().Shape
		image, cover := networktest.Image(rng, in), networktest.Image(rng, in)
		p := program(t, net, &soft.Device{}, Options{})
		views := base(t, p, image)
		var rects []region.Rect
		for range 6 {
			rects = append(rects, randomRect(rng, in))
		}
		want, got, covered := operatorstest.Cover(t, p, net, views, cover, rects)
		w := p.NewWorker()
		if err := w.Run(t.Context(), views, got); err == nil {
			t.Error("cut patches from no cover")
		}
		if err := w.Run(t.Context(), covered, []operators.Update{got[0], want[0]}); err == nil {
			t.Error("took patches of both kinds")
		}
	}
}
