//go:build linux

package gpu

import (
	"math/rand/v2"
	"os/exec"
	"testing"

	"occlude/internal/network/networktest"
	"occlude/operators/gpu/emulator"
)

// emulated opens a device that runs the kernels' own source; without its compiler the
// test is skipped.
func emulated(t *testing.T) *emulator.Device {
	t.Helper()
	if _, err := exec.LookPath(emulator.Compiler); err != nil {
		t.Skip(err)
	}
	folder := t.TempDir()
	path, err := emulator.Build(t.Context(), folder)
	if err != nil {
		t.Fatal(err)
	}
	d, err := emulator.Open(path, folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// TestKernelSources runs random networks on the source of the kernels.
func TestKernelSources(t *testing.T) {
	d := emulated(t)
	for seed := range uint64(30) {
		rng := rand.New(rand.NewPCG(seed, 20))
		net := supported(rng, networktest.Options{Side: 10})
		in := net.Input().Shape
		image := networktest.Image(rng, in)
		p, reference := program(t, net, d, Options{Tensor: seed%2 == 1}), processor(t, net)
		views, want := base(t, p, image), base(t, reference, image)
		for i, l := range net.Layers {
			got, err := p.View(t.Context(), views, i)
			if err != nil {
				t.Fatal(err)
			}
			if d := distance(got.Float32s(), want.Layers[i].Float32s()); d > 1e-5 {
				t.Fatalf("seed %d: %s (%s) of %s differs by %g", seed, l, l.Op.Detail(), l.Shape, d)
			}
		}
		tiles := patches(rng, in)[:6]
		batch := updatesOf(net, tiles)
		w := p.NewWorker()
		run(t, w, views, batch)
		for i, tile := range tiles {
			want := base(t, reference, occluded(image, in, tile)).Output(net.Output.Index)
			if d := distance(batch[i].Out, want); d > 1e-5 {
				t.Errorf("seed %d: patch %s differs by %g", seed, tile.Rect, d)
			}
		}
	}
}

func TestArchitecturesOnKernelSources(t *testing.T) { checkArchitectures(t, emulated(t)) }
