package gpu

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"testing"

	"occlude/internal/network/networktest"
	"occlude/operators"
	"occlude/operators/gpu/soft"
	"occlude/operators/operatorstest"
)

// TestPinned checks that what is copied for batches is pinned as long as there is a worker,
// that none of it is used too early, also after an end in the middle, and that the memory of
// workers that were forgotten is found.
func TestPinned(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 59))
	net := supported(rng, networktest.Options{Blocks: 4, Side: 10})
	d := &soft.Device{}
	p := program(t, net, d, Options{})
	in := net.Input().Shape
	views := base(t, p, networktest.Image(rng, in))
	p.Trim()
	if n := d.Pinned(); n != 0 {
		t.Errorf("%d bytes are pinned before there is a worker", n)
	}
	tiles := patches(rng, in)
	want := operatorstest.Updates(net, tiles)
	for i := range want {
		operatorstest.Run(t, p.NewWorker(), views, want[i:i+1])
	}
	w := p.NewWorker()
	for i := range want {
		ctx, cancel := context.WithCancelCause(t.Context())
		count, gone := 0, errors.New("gone")
		d.Before = func(string) error {
			if count++; count == 1+i%4 {
				cancel(gone)
			}
			return nil
		}
		if err := w.Run(ctx, views, operatorstest.Updates(net, tiles[:1+i])); err != nil && !errors.Is(err, gone) {
			t.Fatal(err)
		}
		d.Before = nil
		got := operatorstest.Updates(net, []operators.Tile{tiles[i]})
		operatorstest.Run(t, w, views, got)
		if !operatorstest.SameBits(got[0].Out, want[i].Out) {
			t.Errorf("patch %s differs", tiles[i].Rect)
		}
	}
	if n := d.Pinned(); int64(n) < w.Stats().Peak {
		t.Errorf("%d bytes are pinned of %d", n, w.Stats().Peak)
	}
	w.Release()
	runtime.GC() // the other workers were forgotten
	p.Trim()
	if n := d.Pinned(); n != 0 {
		t.Errorf("%d bytes stay pinned", n)
	}
}
