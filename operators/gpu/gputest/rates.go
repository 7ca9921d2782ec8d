package gputest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"occlude/internal/network"
	"occlude/internal/network/networktest"
	"occlude/operators"
	"occlude/operators/gpu"
	"occlude/operators/gpu/driver"
	"occlude/operators/region"
)

// Card is a device that is measured.
type Card struct {
	Driver    driver.Driver
	Device    *gpu.Device
	Positions int // of a batch
}

// Rate is how long something took, by the device's own clock where nothing else is said: the
// median of some times.
type Rate struct {
	Seconds float64 `json:"seconds"`
	// FLOP are floating-point operations, of which a multiply-add is two, and Bytes are what
	// it must read and write at least; 0 where it is not their number that takes time.
	FLOP  float64 `json:"flop,omitempty"`
	Bytes float64 `json:"bytes,omitempty"`
	// Peak is FLOP or Bytes a second that the device cannot exceed, 0 where it is unknown.
	Peak float64 `json:"peak,omitempty"`
}

// Measurement is something that can be measured, independent of all others.
type Measurement struct {
	Name string
	Run  func(ctx context.Context, on Card) (Rate, error)
}

// Measurements are all of them, those first that tell the most.
func Measurements() []Measurement {
	return slices.Concat(overheads(), copies(), convolutions(), others())
}

// shapes are convolutions as VGG16, ResNet18, InceptionV3 and MobileNet have them: of maps
// of a side, and the rectangle that a patch of 16x16 changes there, or the whole map.
var shapes = []struct{ c, filters, kernel, groups, side, rect int }{
	{512, 512, 3, 1, 28, 10}, {256, 256, 3, 1, 56, 14}, {128, 128, 3, 1, 112, 14}, {64, 64, 3, 1, 224, 20},
	{512, 512, 3, 1, 14, 7}, {512, 512, 3, 1, 14, 14}, {64, 64, 3, 1, 56, 56}, {256, 256, 3, 1, 14, 14}, {512, 512, 3, 1, 7, 7},
	{256, 64, 1, 1, 56, 20}, {768, 192, 1, 1, 17, 17}, {288, 64, 1, 1, 35, 20}, {3, 64, 3, 1, 224, 18}, {3, 64, 7, 1, 112, 18},
	{96, 96, 3, 96, 56, 20},
}

// arithmetics are the ways to compute a convolution that are measured against each other:
// float32, and tensor cores by each tile, by one of them with sums that go tap by tap.
var arithmetics = []struct {
	tile  string
	piece int
}{{}, {tile: "conv_f16x3_128x128"}, {tile: "conv_f16x3_256x128"}, {tile: "conv_f16x3_256x64"}, {"conv_f16x3_128x128", 1 << 20}}

// convolutions are multiply-adds, by all arithmetics that a device has for them.
func convolutions() []Measurement {
	var all []Measurement
	for _, s := range shapes {
		for _, how := range arithmetics {
			if how.tile != "" && (s.groups > 1 || s.c%4 != 0) || how.piece > 0 && s.kernel == 1 {
				continue // tensor cores have no part in it, or it is the same
			}
			name := fmt.Sprintf("conv %dx%d, %d -> %d, %dx%d of %dx%d", s.kernel, s.kernel, s.c, s.filters, s.rect, s.rect, s.side, s.side)
			if how.tile != "" {
				name += tileName(how.tile)
			}
			if how.piece > 0 {
				name += ", tap by tap"
			}
			all = append(all, Measurement{name, func(ctx context.Context, on Card) (Rate, error) {
				b := newBuilder(network.Shape{H: s.side, W: s.side, C: s.c})
				l := b.conv(b.net.Input(), s.filters, s.kernel, 1, s.groups, relu, nil)
				o := options(b.net, how.tile)
				o.Piece = how.piece
				// The patch is as large as what it changes: that of a layer further up.
				r, err := on.measure(ctx, b, l, s.rect, o, func(r region.Rect) region.Rect { return r.Clip(s.side, s.side) })
				r.Bytes, r.Peak = 0, on.Device.Properties().Peak().Float32
				if how.tile != "" { // of which three make one
					r.Peak = on.Device.Properties().Peak().Float16 / 3
				}
				return r, err
			}})
		}
	}
	return all
}

// others are kernels that move values more than they compute, as networks have them.
func others() []Measurement {
	var all []Measurement
	for _, o := range []struct {
		name          string
		c, side, rect int
		build         func(b *builder, in *network.Layer) *network.Layer
	}{
		{"max pool 2x2/2", 64, 224, 20, func(b *builder, in *network.Layer) *network.Layer { return b.pool(in, true) }},
		{"mean pool 3x3", 288, 35, 20, func(b *builder, in *network.Layer) *network.Layer {
			w, after := window(3, 1)
			return b.add(network.Pool{Window: w, After: after, CountPad: true}, in)
		}},
		{"add", 256, 56, 20, func(b *builder, in *network.Layer) *network.Layer {
			return b.add(network.Binary{Fn: network.Add}, in, in)
		}},
		{"affine", 128, 28, 20, func(b *builder, in *network.Layer) *network.Layer {
			return b.add(network.Affine{Scale: networktest.Values(b.rng, 128, 1), Shift: networktest.Values(b.rng, 128, 1), Act: relu}, in)
		}},
		{"swish", 96, 56, 20, func(b *builder, in *network.Layer) *network.Layer { return b.add(network.Pointwise{Act: swish}, in) }},
		{"concat", 128, 28, 20, func(b *builder, in *network.Layer) *network.Layer { return b.add(network.Concat{}, in, in) }},
		{"global mean", 2048, 8, 8, func(b *builder, in *network.Layer) *network.Layer { return b.mean(in) }},
		{"softmax", 1000, 1, 1, func(b *builder, in *network.Layer) *network.Layer { return b.add(network.Softmax{}, in) }},
	} {
		name := fmt.Sprintf("%s, %d, %dx%d of %dx%d", o.name, o.c, o.rect, o.rect, o.side, o.side)
		all = append(all, Measurement{name, func(ctx context.Context, on Card) (Rate, error) {
			b := newBuilder(network.Shape{H: o.side, W: o.side, C: o.c})
			l := o.build(b, b.net.Input())
			r, err := on.measure(ctx, b, l, o.rect, gpu.Options{}, func(r region.Rect) region.Rect {
				return l.Update(slices.Repeat([]region.Rect{r}, len(l.In)))
			})
			r.FLOP, r.Peak = 0, on.Device.Properties().Peak().Memory
			return r, err
		}})
	}
	return all
}

// measure runs batches of the network that ends with a layer, at places where updates of
// its input are rectangles of a side; changed is what the layer computes then.
func (on Card) measure(ctx context.Context, b *builder, l *network.Layer, side int, o gpu.Options, changed func(region.Rect) region.Rect) (Rate, error) {
	if l.Shape.Len() > l.Shape.C {
		b.mean(l) // so that little comes back
	}
	b.net.Sort()
	rng := rand.New(rand.NewPCG(1, 60))
	in := b.net.Input().Shape
	p, err := gpu.New(ctx, b.net, on.Device, o)
	if err != nil {
		return Rate{}, err
	}
	views, err := p.Base(ctx, networktest.Image(rng, in), 1)
	if err != nil {
		return Rate{}, err
	}
	views.Cover = networktest.Image(rng, in)
	var rate Rate
	batch := make([]operators.Update, on.Positions)
	for i := range batch {
		r := region.Of(rng.IntN(in.W-side+1), rng.IntN(in.H-side+1), side, side)
		u := operators.Update{Patch: operators.Tile{Rect: r, C: in.C}, Out: make([]float32, b.net.Output.Shape.Len())}
		u.Rects = []region.Rect{r, changed(r), region.Of(0, 0, 1, 1)}[:len(b.net.Layers)]
		rate.FLOP += 2 * float64(l.Work(u.Rects[1]).MACs)
		rate.Bytes += 4 * float64(u.Rects[1].Area()*l.Shape.C)
		for j, from := range l.In {
			rate.Bytes += 4 * float64(l.Reads(j, u.Rects[1]).Area()*from.Shape.C)
		}
		batch[i] = u
	}
	w := p.NewWorker()
	defer p.Trim()
	defer w.Release()
	last := int64(0)
	rate.Seconds, err = median(func() (float64, error) {
		if err := w.Run(ctx, views, batch); err != nil {
			return 0, err
		}
		now := w.Stats().Layers[l.Index].Nanos
		spent := now - last
		last = now
		return float64(spent) / 1e9, nil
	})
	return rate, err
}

// median is that of five times, after two that do not count.
func median(time func() (float64, error)) (float64, error) {
	var times []float64
	for i := range 7 {
		t, err := time()
		if err != nil {
			return 0, err
		}
		if i >= 2 {
			times = append(times, t)
		}
	}
	slices.Sort(times)
	return times[len(times)/2], nil
}
