package gpu

import (
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"occlude/internal/network/networktest"
	"occlude/operators"
	"occlude/operators/gpu/kernels"
	"occlude/operators/gpu/soft"
	"occlude/operators/operatorstest"
)

// TestTraffic checks that the foretold launches, copies and multiply-adds are those of a
// batch, with positions that are cut into parts of all sizes.
func TestTraffic(t *testing.T) {
	for seed := range uint64(30) {
		rng := rand.New(rand.NewPCG(seed, 8))
		net := supported(rng, networktest.Options{Side: 14, Jumps: true})
		in := net.Input().Shape
		d := &soft.Device{}
		p := program(t, net, d, tensorOn(net, seed%2 == 1))
		p.limit = 1 << (8 + rng.IntN(20))
		views := base(t, p, networktest.Image(rng, in))
		whole, err := p.BaseTraffic()
		if err != nil {
			t.Fatal(err)
		}
		if got, want := launches(d), counted(whole); !maps.Equal(got, want) {
			t.Errorf("seed %d: launches of the base pass %v, foretold %v", seed, got, want)
		}
		if n := d.Downloaded(); n != whole.Scores {
			t.Errorf("seed %d: %d bytes down in the base pass, foretold %d", seed, n, whole.Scores)
		}
		patch := patchOf(rng, in, randomRect(rng, in))
		batch := operatorstest.Updates(net, []operators.Tile{patch, patch, patch, patch, patch})
		if patch.Rect == in.Whole() {
			continue
		}
		w := p.NewWorker()
		foretold, err := p.Traffic(batch[0].Rects, len(batch))
		if seed%3 == 0 { // patches cut from a cover, which is brought once
			views.Cover = networktest.Image(rng, in)
			for i := range batch {
				batch[i].Patch.Data = nil
			}
			foretold, err = p.TrafficOf(batch, true)
			foretold.Patches += 4 * int64(in.Len()) // the cover
		}
		if err != nil {
			t.Fatal(err)
		}
		before, up, down := launches(d), d.Uploaded(), d.Downloaded()
		operatorstest.Run(t, w, views, batch)
		got, want := launches(d), counted(foretold)
		for name, n := range before {
			if got[name] -= n; got[name] == 0 {
				delete(got, name)
			}
		}
		if !maps.Equal(got, want) {
			t.Errorf("seed %d: launches %v, foretold %v", seed, got, want)
		}
		if n := d.Uploaded() - up; n != foretold.Tables+foretold.Patches {
			t.Errorf("seed %d: %d bytes up, foretold %d and %d", seed, n, foretold.Tables, foretold.Patches)
		}
		if n := d.Downloaded() - down; n != foretold.Scores {
			t.Errorf("seed %d: %d bytes down, foretold %d", seed, n, foretold.Scores)
		}
		var macs int64
		for _, l := range w.Stats().Layers {
			macs += l.MACs
		}
		total := foretold.Total()
		if total.MACs != macs || total.Tiles < macs || total.Read <= 0 || total.Written < foretold.Scores {
			t.Errorf("seed %d: foretold %+v, of %d multiply-adds", seed, total, macs)
		}
	}
}

// TestStretches checks that positions that share their rectangles come to what they come to
// apart, however the batch is cut into parts.
func TestStretches(t *testing.T) {
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 9))
		net := supported(rng, networktest.Options{Side: 14, Jumps: true})
		p, err := NewShape(net, Options{})
		if err != nil {
			t.Fatal(err)
		}
		p.limit = 1 << (8 + rng.IntN(20))
		var together, apart []operators.Update
		for range 1 + rng.IntN(4) {
			u := operators.Update{Patch: operators.Tile{Rect: randomRect(rng, net.Input().Shape)}}
			u.Rects, _ = net.TraceThresholded(u.Patch.Rect, 0.6, nil)
			if seed%2 == 0 {
				u.Reads = net.ThresholdedReads(u.Rects, 0.6, nil)
			}
			for range 1 + rng.IntN(9) {
				together = append(together, u)
				u.Rects, u.Reads = slices.Clone(u.Rects), slices.Clone(u.Reads)
				apart = append(apart, u)
				u = together[len(together)-1]
			}
		}
		if got, want := len(stretches(together)), len(stretches(apart)); got > 4 || want != len(apart) {
			t.Fatalf("seed %d: %d and %d stretches of %d positions", seed, got, want, len(apart))
		}
		got, err := p.TrafficOf(together, true)
		if err != nil {
			t.Fatal(err)
		}
		want, err := p.TrafficOf(apart, true)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("seed %d: together %+v, apart %+v", seed, got.Total(), want.Total())
		}
	}
}

// counted is how often each kernel is to be run.
func counted(t Traffic) map[string]int {
	n := map[string]int{}
	for name, load := range t.Kernels {
		n[name] = load.Launches
	}
	return n
}

// launches is how often each kernel was run.
func launches(d *soft.Device) map[string]int {
	n := map[string]int{}
	for _, a := range kernels.All() {
		if name := a.Kernel(); d.Launches(name) > 0 {
			n[name] = d.Launches(name)
		}
	}
	return n
}
