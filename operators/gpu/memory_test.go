package gpu

import (
	"errors"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"occlude/internal/network/networktest"
	"occlude/operators"
	"occlude/operators/gpu/driver"
	"occlude/operators/gpu/soft"
	"occlude/operators/operatorstest"
	"occlude/operators/region"
)

// TestMemory checks that the foretold memory is what is taken, that nothing is taken
// twice, that too little is an error with numbers, and that all of it comes back.
func TestMemory(t *testing.T) {
	for seed := range uint64(10) {
		rng := rand.New(rand.NewPCG(seed, 53))
		net := supported(rng, networktest.Options{Blocks: 4})
		d := &soft.Device{}
		p := program(t, net, d, Options{})
		in := net.Input().Shape
		weights, _ := d.Held()
		if weights != p.Weights() || weights != p.device.Held() {
			t.Errorf("seed %d: weights take %d bytes, %d are foretold", seed, weights, p.Weights())
		}
		views := base(t, p, networktest.Image(rng, in))
		if foretold, err := p.BaseBytes(); err != nil || views.Stats.Device.Peak != foretold {
			t.Errorf("seed %d: a base pass takes %d bytes, %d are foretold, %v", seed, views.Stats.Device.Peak, foretold, err)
		}
		p.Trim()
		with, _ := d.Held()
		if got := with - weights; got != p.ViewBytes() || got != views.Resident.Bytes() {
			t.Errorf("seed %d: views take %d bytes, %d are foretold, %d said", seed, got, p.ViewBytes(), views.Resident.Bytes())
		}
		patch := patchOf(rng, in, randomRect(rng, in))
		batch := operatorstest.Updates(net, []operators.Tile{patch, patch, patch, patch, patch})
		foretold, err := p.Bytes(batch[0].Rects, len(batch))
		if err != nil {
			t.Fatal(err)
		}
		p.Reserve(1, foretold)
		w := p.NewWorker()
		for range 3 {
			operatorstest.Run(t, w, views, batch)
		}
		if now, _ := d.Held(); now-with != foretold || w.Stats().Device.Peak != foretold {
			t.Errorf("seed %d: a batch takes %d bytes, %d are foretold, %d said", seed, now-with, foretold, w.Stats().Device.Peak)
		}
		w.Release()

		d.Limit = with + foretold/2
		p.Trim()
		if err := p.NewWorker().Run(t.Context(), views, batch); !errors.Is(err, driver.ErrMemory) || !strings.Contains(err.Error(), "batch of 5") {
			t.Errorf("seed %d: with too little memory: %v", seed, err)
		}
		d.Limit = 0
		shared := views.Shared()
		views.Drop(func(layer int) bool { return layer == 0 })
		runtime.KeepAlive(shared)
		if now := collected(p, d); now != with {
			t.Errorf("seed %d: %d bytes with shared views, want %d", seed, now, with)
		}
		shared.Drop(func(layer int) bool { return layer == 0 })
		p.Trim()
		if now, _ := d.Held(); now != weights+views.Resident.Bytes() {
			t.Errorf("seed %d: %d bytes stay, want %d", seed, now-weights, views.Resident.Bytes())
		}
	}
}

// TestForgotten checks that programs that nobody refers to leave their memory to others.
func TestForgotten(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 57))
	net := supported(rng, networktest.Options{Blocks: 4})
	d := &soft.Device{}
	device := NewDevice(d)
	first, err := New(t.Context(), net, device, Options{})
	if err != nil {
		t.Fatal(err)
	}
	one, _ := d.Held()
	d.Limit = one * 3 / 2
	if _, err := New(t.Context(), net, device, Options{}); !errors.Is(err, driver.ErrMemory) {
		t.Fatalf("room for two where there is for one: %v", err)
	}
	runtime.KeepAlive(first)
	for range 5 {
		if _, err = New(t.Context(), net, device, Options{}); err == nil {
			break
		}
		runtime.Gosched() // cleanups run some time after a collection
	}
	if err != nil {
		t.Errorf("no room after the first was forgotten: %v", err)
	}
	if free, total, err := device.Memory(); err != nil || total != d.Limit || free < 0 || free != total-device.Held() {
		t.Errorf("%d of %d bytes are free, %d held: %v", free, total, device.Held(), err)
	}
}

// collected is what a device holds when nobody refers to what can be dropped.
func collected(p *Program, d *soft.Device) int64 {
	now, last := int64(0), int64(-1)
	for range 50 { // cleanups run some time after a collection
		runtime.GC()
		runtime.Gosched()
		p.Trim()
		if now, _ = d.Held(); now == last {
			return now
		}
		last = now
	}
	return now
}

// TestViewsThatDoNotFit brings views of which the last find no room: what is queued for the first
// ones is done before their memory is another's.
func TestViewsThatDoNotFit(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 60))
	net := supported(rng, networktest.Options{Blocks: 4})
	d := &soft.Device{}
	p := program(t, net, d, Options{})
	in := net.Input().Shape
	views := base(t, processor(t, net), networktest.Image(rng, in))
	batch := operatorstest.Updates(net, []operators.Tile{patchOf(rng, in, region.Of(0, 0, 2, 2))})
	w := p.NewWorker()
	d.Limit, _ = d.Held()
	d.Limit += aligned(4 * int64(in.Len()))
	if err := w.Run(t.Context(), views, batch); !errors.Is(err, driver.ErrMemory) {
		t.Fatalf("the error is %v", err)
	}
	d.Limit = 0
	runtime.GC() // the views that came
	operatorstest.Run(t, w, views, batch)
}

// forgetful is a device that gives back what nobody refers to whenever something is downloaded, as
// another worker might.
type forgetful struct {
	*soft.Device
	collect func() error
}

type forgetfulStream struct {
	driver.Stream
	of *forgetful
}

func (d *forgetful) NewStream() (driver.Stream, error) {
	s, err := d.Device.NewStream()
	return forgetfulStream{s, d}, err
}

func (s forgetfulStream) Download(to []byte, from driver.Pointer) error {
	if err := s.of.collect(); err != nil {
		return err
	}
	return s.Stream.Download(to, from)
}

// TestForgottenViews reads views to which nobody refers any more but who reads them.
func TestForgottenViews(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 61))
	net := chain(t, rng)
	d := &forgetful{Device: &soft.Device{}, collect: func() error { return nil }}
	p := program(t, net, d, Options{})
	d.collect = p.device.Collect
	image := networktest.Image(rng, net.Input().Shape)
	if _, err := p.View(t.Context(), base(t, p, image), 1); err != nil {
		t.Error(err)
	}
}
