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
	"occlude/operators/region"
)

// Rate is how long a batch of one convolution took.
type Rate struct {
	Layer, Kernel string
	MACs          int64
	Seconds       float64 // the median of some batches
}

// shapes are convolutions as VGG16, ResNet18 and MobileNet have them: of maps of a side, and
// the rectangle that a patch of 16x16 changes there, or the whole map.
var shapes = []struct{ c, filters, kernel, groups, side, rect int }{
	{64, 64, 3, 1, 224, 20}, {128, 128, 3, 1, 112, 14}, {256, 256, 3, 1, 56, 14}, {512, 512, 3, 1, 28, 10},
	{512, 512, 3, 1, 14, 7}, {64, 64, 3, 1, 56, 56}, {256, 256, 3, 1, 14, 14}, {256, 64, 1, 1, 56, 20}, {3, 64, 7, 1, 112, 18},
	{96, 96, 3, 96, 56, 20},
}

// Rates measures convolutions on a device by the device's own clock, and shows each.
func Rates(ctx context.Context, d *gpu.Device, positions int, show func(Rate)) error {
	for _, s := range shapes {
		for _, tensor := range []bool{false, true} {
			b := newBuilder(network.Shape{H: s.side, W: s.side, C: s.c})
			l := b.conv(b.net.Input(), s.filters, s.kernel, 1, s.groups, relu, nil)
			b.mean(l) // so that little comes back
			b.net.Sort()
			r, err := rate(ctx, d, b.net, l, s.rect, positions, gpu.Options{Tensor: tensor})
			if err != nil {
				return fmt.Errorf("%s: %w", l, err)
			}
			r.Layer = fmt.Sprintf("%d -> %d, %dx%d, %dx%d of %dx%d", s.c, s.filters, s.kernel, s.kernel, s.rect, s.rect, s.side, s.side)
			r.Kernel = map[bool]string{false: "float32", true: "split tf32"}[tensor]
			show(r)
			if s.groups > 1 || s.c%4 != 0 {
				break // tensor cores have no part in it
			}
		}
	}
	return nil
}

func rate(ctx context.Context, d *gpu.Device, net *network.Network, l *network.Layer, rect, positions int, o gpu.Options) (Rate, error) {
	rng := rand.New(rand.NewPCG(1, 60))
	in := net.Input().Shape
	p, err := gpu.New(ctx, net, d, o)
	if err != nil {
		return Rate{}, err
	}
	views, err := p.Base(ctx, networktest.Image(rng, in), 1)
	if err != nil {
		return Rate{}, err
	}
	views.Cover = networktest.Image(rng, in)
	var macs int64
	batch := make([]operators.Update, positions)
	for i := range batch {
		r := region.Of(rng.IntN(in.W-rect+1), rng.IntN(in.H-rect+1), rect, rect)
		// The patch is as large as what it changes: that of a layer further up.
		batch[i] = operators.Update{
			Patch: operators.Tile{Rect: r, C: in.C}, Rects: []region.Rect{r, r.Clip(l.Shape.H, l.Shape.W), region.Of(0, 0, 1, 1)},
			Out: make([]float32, l.Shape.C),
		}
		macs += l.Work(batch[i].Rects[1]).MACs
	}
	w := p.NewWorker()
	defer p.Trim()
	defer w.Release()
	var times []float64
	last := int64(0)
	for range 7 {
		if err := w.Run(ctx, views, batch); err != nil {
			return Rate{}, err
		}
		now := w.Stats().Layers[l.Index].Nanos
		times = append(times, float64(now-last)/1e9)
		last = now
	}
	times = times[2:] // warm
	slices.Sort(times)
	return Rate{MACs: macs, Seconds: times[len(times)/2]}, nil
}
