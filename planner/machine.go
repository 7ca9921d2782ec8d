package planner

import (
	"context"
	"fmt"

	"gorgonia.org/tensor"

	"occlude/internal/imageio"
	"occlude/internal/model"
	"occlude/internal/network"
	"occlude/operators/region"
)

// Quick plans trials that take less than a second together and tell how fast a set
// of kernels is on this machine.
func (p *Planner) Quick(ctx context.Context, kernels string) (*Machine, error) {
	env := p.env
	var err error
	if env.Settings, err = p.env.Settings.With("kernels", kernels); err != nil {
		return nil, err
	}
	b := &binder{planner: p, env: &env}
	return b.machine(ctx)
}

// Of the made-up network: the tiles and patches of its trials.
var (
	quickSides = []int{1, 4}
	quickParts = []float64{1. / 8, 3. / 8}
)

func (b *binder) machine(ctx context.Context) (*Machine, error) {
	q, err := b.ofMadeUp(64, 32, false)
	if err != nil {
		return nil, err
	}
	p := &Machine{Kernels: q.Kernels, profile: b.env.Profile}
	t := trier{b, q, quickSeconds}
	if p.Trials, err = t.all(ctx, quickSides, quickParts, true); err != nil {
		return nil, err
	}
	p.Picture = p.Trials[0]
	return p, nil
}

// ofMadeUp is a query of a made-up network, on the processor.
func (b *binder) ofMadeUp(side, width int, grouped bool) (Occlude, error) {
	net, err := madeUp(side, width, grouped)
	if err != nil {
		return Occlude{}, fmt.Errorf("the network to measure a machine by: %w", err)
	}
	m := &model.Model{Name: "machine", Net: net, Spec: imageio.DefaultSpec(side, side), Classes: net.Output.Shape.Len(), Output: model.OutputProbabilities}
	gray := Fill{Kind: FillColor, Color: [3]float32{128, 128, 128}, Text: "gray"}
	return Occlude{Model: m, Net: net, Threads: b.cores(), Device: CPU, Kernels: b.env.Settings.Kernels(), Profile: b.env.Profile, Fill: gray,
		Convolution: ConvolutionAuto, Tolerance: defaultTolerance, Target: Target{Top: 1}, Seed: defaultSeed}, nil
}

// madeUp is a network with a layer of each class, of sizes as classifiers have them:
// convolutions whose weights stay in a cache and such as do not, and a fully-connected
// layer whose weights come from memory. All weights are means, so that values keep
// their size. Images are of side x side pixels, the first of its layers has width filters; where it
// is grouped one has groups of few filters, which GPUs compute in a way of their own.
func madeUp(side, width int, grouped bool) (*network.Network, error) {
	net := network.New("image", network.Shape{H: side, W: side, C: 3})
	last := net.Input()
	var wrong error
	add := func(name string, op network.Op) {
		if l, err := net.Add(name, op, last); err != nil && wrong == nil {
			wrong = err
		} else if err == nil {
			last = l
		}
	}
	window := func(k, s int) (network.Window, network.PadAfter) {
		w := region.Window{Kernel: k, Stride: s, Pad: k / 2, Dilation: 1}
		return network.Window{Y: w, X: w}, network.PadAfter{Y: k / 2, X: k / 2}
	}
	conv := func(name string, out, k, stride, groups int) {
		w, after := window(k, stride)
		add(name, network.Conv{Window: w, After: after, Groups: groups, Act: network.Activation{Fn: network.Relu},
			Weights: means(out, k, k, last.Shape.C/groups), Bias: make([]float32, out)})
	}
	conv("stem", width, 3, 1, 1)
	conv("narrow", 2*width, 3, 1, 1)
	w, after := window(3, 2)
	add("pool", network.Pool{Window: w, After: after, Max: true})
	conv("middle", 4*width, 3, 1, 1)
	conv("depthwise", 4*width, 3, 1, 4*width)
	conv("pointwise", 4*width, 1, 1, 1)
	if grouped {
		conv("grouped", 4*width, 3, 1, width)
	}
	add("swish", network.Pointwise{Act: network.Activation{Fn: network.Swish, Alpha: 1}})
	conv("stride", 8*width, 3, 2, 1)
	conv("wide", 8*width, 3, 1, 1)
	add("relu", network.Pointwise{Act: network.Activation{Fn: network.Relu}})
	add("mean", network.GlobalPool{Fn: network.Mean})
	add("dense", network.Dense{Weights: means(128*width, 8*width), Bias: make([]float32, 128*width)})
	add("heavy", network.Dense{Weights: means(64*width, 128*width), Bias: make([]float32, 64*width)})
	add("softmax", network.Softmax{})
	return net, wrong
}

// means are weights of which each output's add up to 1.
func means(shape ...int) *tensor.Dense {
	n := tensor.Shape(shape).TotalSize()
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(shape[0]) / float32(n)
	}
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(values))
}
