package gpu

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gorgonia.org/tensor"

	"occlude/internal/network"
	"occlude/internal/network/networktest"
	"occlude/operators"
	"occlude/operators/gpu/soft"
	"occlude/operators/operatorstest"
	"occlude/operators/region"
)

// chain is a network of convolutions and fully-connected layers that tensor cores compute.
func chain(t *testing.T, rng *rand.Rand) *network.Network {
	t.Helper()
	net := network.New("image", network.Shape{H: 10, W: 12, C: 4})
	l, relu := net.Input(), network.Activation{Fn: network.Relu}
	add := func(name string, op network.Op) {
		var err error
		if l, err = net.Add(name, op, l); err != nil {
			t.Fatal(err)
		}
	}
	axis := region.Window{Kernel: 3, Stride: 1, Pad: 1, Dilation: 1}
	for i, filters := range []int{20, 72} {
		n := filters * 9 * l.Shape.C
		add([]string{"first", "second"}[i], network.Conv{
			Window: network.Window{Y: axis, X: axis}, After: network.PadAfter{Y: 1, X: 1}, Groups: 1, Act: relu, Bias: networktest.Values(rng, filters, .1),
			Weights: tensor.New(tensor.WithShape(filters, 3, 3, l.Shape.C), tensor.WithBacking(networktest.Values(rng, n, .3))),
		})
	}
	add("pool", network.Pool{Window: network.Window{Y: region.Window{Kernel: 2, Stride: 2, Dilation: 1}, X: region.Window{Kernel: 2, Stride: 2, Dilation: 1}}, Max: true})
	add("dense", network.Dense{Weights: tensor.New(tensor.WithShape(10, l.Shape.Len()), tensor.WithBacking(networktest.Values(rng, 10*l.Shape.Len(), .1)))})
	net.Sort()
	return net
}

// TestOverflow checks what becomes of positions whose values tensor cores cannot hold: what
// float32 gives, and no other position of the batch sees any of it.
func TestOverflow(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 80))
	net := chain(t, rng)
	in := net.Input().Shape
	image := networktest.Image(rng, in)
	d := &soft.Device{}
	p, reference := program(t, net, d, tensorOn(net, true)), program(t, net, &soft.Device{}, Options{})
	views := base(t, p, image)
	if d.Launches("conv_f16x3_256x64") == 0 || d.Launches("conv_f16x3_128x128") == 0 || d.Launches("conv_ffma_64") > 0 {
		t.Fatal("the base pass went by other kernels")
	}
	var tiles []operators.Tile
	largest := float32(0)
	for _, v := range image.Float32s() {
		largest = max(largest, v, -v)
	}
	infinite := float32(math.Inf(1))
	factors := []float32{1, 16 * largest, 1e4, 1, 1e30, infinite, float32(math.NaN()), 1}
	for i, by := range factors {
		patch := patchOf(rng, in, region.Of(i, 2, 4, 3))
		for j := range patch.Data {
			patch.Data[j] = by * max(-1, min(1, patch.Data[j]))
		}
		tiles = append(tiles, patch)
	}
	got, alone, want := operatorstest.Updates(net, tiles), operatorstest.Updates(net, tiles), operatorstest.Updates(net, tiles)
	w := p.NewWorker()
	operatorstest.Run(t, w, views, got)
	again := d.Launches("conv_ffma_64")
	if again == 0 {
		t.Error("nothing was computed again")
	}
	operatorstest.Run(t, reference.NewWorker(), base(t, reference, image), want)
	for i := range got {
		operatorstest.Run(t, w, views, alone[i:i+1])
		if !operatorstest.SameBits(got[i].Out, alone[i].Out) {
			t.Errorf("values of %g: alone %v, in a batch %v", factors[i], alone[i].Out, got[i].Out)
		}
		if far := operatorstest.Distance(got[i].Out, want[i].Out); !(far < 1e-5) {
			t.Errorf("values of %g: %v, want %v", factors[i], got[i].Out, want[i].Out)
		}
		repeated := d.Launches("conv_ffma_64") > again
		again = d.Launches("conv_ffma_64")
		if repeated != (factors[i] != 1 && factors[i] != 16*largest) {
			t.Errorf("values of %g: computed again is %t", factors[i], repeated)
		}
	}
}

// TestOverflowOfBase checks that an image that tensor cores cannot compute is computed without
// them, with all of its positions.
func TestOverflowOfBase(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 81))
	net := chain(t, rng)
	in := net.Input().Shape
	image := networktest.Image(rng, in)
	image.Float32s()[5] = float32(math.Inf(-1))
	d := &soft.Device{}
	p, reference := program(t, net, d, tensorOn(net, true)), program(t, net, &soft.Device{}, Options{})
	views, plain := base(t, p, image), base(t, reference, image)
	before := d.Launches("conv_f16x3_256x64")
	if !operatorstest.SameBits(views.Output(net.Output.Index), plain.Output(net.Output.Index)) {
		t.Error("another output of the image")
	}
	tiles := patches(rng, in)
	got, want := operatorstest.Updates(net, tiles), operatorstest.Updates(net, tiles)
	operatorstest.Run(t, p.NewWorker(), views.Shared(), got)
	operatorstest.Run(t, reference.NewWorker(), plain, want)
	for i := range got {
		if !operatorstest.SameBits(got[i].Out, want[i].Out) {
			t.Errorf("patch %s: %v, want %v", tiles[i].Rect, got[i].Out, want[i].Out)
		}
	}
	if d.Launches("conv_f16x3_256x64") > before {
		t.Error("tensor cores were tried again")
	}
}

// TestUnreadInfinity checks that an infinite value of a view that no window reads does not make
// zeros of what tensor cores read beside it.
func TestUnreadInfinity(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 84))
	net := network.New("image", network.Shape{H: 8, W: 8, C: 4})
	axis := region.Window{Kernel: 1, Stride: 2, Dilation: 1}
	if _, err := net.Add("sparse", network.Conv{
		Window: network.Window{Y: axis, X: axis}, Groups: 1,
		Weights: tensor.New(tensor.WithShape(20, 1, 1, 4), tensor.WithBacking(networktest.Values(rng, 80, .3))),
	}, net.Input()); err != nil {
		t.Fatal(err)
	}
	net.Sort()
	for _, odd := range []float64{math.Inf(1), math.NaN()} {
		image := networktest.Image(rng, net.Input().Shape)
		image.Float32s()[4*(8+3)] = float32(odd) // row 1, column 3
		got := base(t, program(t, net, &soft.Device{}, tensorOn(net, true)), image).Output(net.Output.Index)
		want := base(t, program(t, net, &soft.Device{}, Options{}), image).Output(net.Output.Index)
		if far := operatorstest.Distance(got, want); !(far < 1e-6) {
			t.Errorf("beside %g the layer differs by %g", odd, far)
		}
	}
}

// TestScales checks that scales outlive the views, so that full inference of what only has the
// image's view gives the same bits, and that they are shared and given back.
func TestScales(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 82))
	net := operatorstest.Cut(chain(t, rng), 3) // sums over whole maps are adjusted where there are views
	in := net.Input().Shape
	image := networktest.Image(rng, in)
	d := &soft.Device{}
	p := program(t, net, d, tensorOn(net, true))
	without, _ := d.Held()
	views := base(t, p, image)
	tiles := patches(rng, in)
	want, got := wholesOf(net, image, tiles), wholesOf(net, image, tiles)
	w := p.NewWorker()
	operatorstest.Run(t, w, views, want)
	shared := views.Shared()
	views.Drop(func(int) bool { return false })
	shared.Drop(func(layer int) bool { return layer == 0 })
	operatorstest.Run(t, w, shared, got)
	for i := range got {
		if !operatorstest.SameBits(got[i].Out, want[i].Out) {
			t.Errorf("patch %s differs without views", tiles[i].Rect)
		}
	}
	if d.Launches("conv_ffma_64") > 0 {
		t.Error("scales were lost")
	}
	shared.Drop(func(int) bool { return false })
	w.Release()
	if now := collected(p, d); now != without {
		t.Errorf("%d bytes stay", now-without)
	}
	// Views in host memory are measured where they are; a layer without takes float32.
	host := &operators.Views{Layers: slices.Clone(base(t, processor(t, net), image).Layers)}
	host.Layers[1] = nil
	operatorstest.Run(t, p.NewWorker(), host, got)
	for i := range got {
		if far := operatorstest.Distance(got[i].Out, want[i].Out); far > 1e-5 {
			t.Errorf("patch %s: with views of the host %g", tiles[i].Rect, far)
		}
	}
	if d.Launches("conv_ffma_128") == 0 {
		t.Error("the layer behind a missing view was computed on tensor cores")
	}
}

// TestAlgorithms checks what layers can be computed by, and what is said of others.
func TestAlgorithms(t *testing.T) {
	net := chain(t, rand.New(rand.NewPCG(1, 83)))
	for _, l := range net.Layers {
		want := map[string]int{"first": 2, "second": 2, "dense": 2}[l.Name]
		if got := Algorithms(l); len(got) != want {
			t.Errorf("%s: %v", l, got)
		}
	}
	for layer, a := range map[int]operators.Algorithm{1: operators.Winograd4, 3: operators.Tensor} {
		o := Options{Algorithms: make([]operators.Algorithm, len(net.Layers))}
		o.Algorithms[layer] = a
		if _, err := NewShape(net, o); err == nil {
			t.Errorf("%s by %s", net.Layers[layer], a)
		}
	}
}
