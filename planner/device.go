package planner

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"occlude/internal/network"
	"occlude/internal/settings"
	"occlude/lang"
	"occlude/operators"
	"occlude/operators/gpu"
	"occlude/operators/gpu/devices"
	"occlude/operators/gpu/driver"
	"occlude/planner/cost"
)

// Devices is what the planner asks about what can compute beside the processor.
type Devices interface {
	// Device is the one of a name, cuda:0, or why it cannot be used. It may be opened
	// when it is asked for first.
	Device(name string) (*Device, error)
}

// Device is a GPU, as far as plans depend on it.
type Device struct {
	Name string // as SET device names it
	driver.Properties
	// Free is how many bytes of its memory programs could have now, what is kept for
	// other queries included, which can be dropped.
	Free int64
}

// CPU is the name of the processor among devices.
const CPU = settings.DeviceCPU

// nameOf is how SET device names what computes.
func nameOf(d *Device) string {
	if d == nil {
		return CPU
	}
	return d.Name
}

// worthOpening is how many seconds the processor must be expected to take for a query before
// a GPU is asked for that nobody demands: an allowance, which nobody has measured, for opening
// it and for the driver's compiler, which makes its kernels ready when they are loaded first.
const worthOpening = 2.0

// card is a GPU with what costs on it are told by.
type card struct {
	*Device
	rates *cost.Device
}

// unfit tells why a plan cannot run on a GPU.
type unfit struct{ reason string }

func (e *unfit) Error() string { return e.reason }

// Why a GPU cannot do something.
const (
	noSketches    = "sketches and trends are computed by the processor alone"
	noConvolution = "%s is an algorithm of the processor"
	noTensorRate  = "how fast the tensor cores of the %s are is not known"
)

// card opens a GPU for a network.
func (b *binder) card(ctx context.Context, name string, net *network.Network) (*card, error) {
	if b.env.Devices == nil {
		return nil, driver.ErrNotBuilt
	}
	d, err := b.env.Devices.Device(name)
	if err != nil {
		return nil, err
	}
	c := &card{Device: d}
	if err := gpu.Check(net); err != nil {
		return nil, fmt.Errorf("the %s cannot compute the network: %w", d.Properties.Name, err)
	}
	if c.rates = b.env.Statistics.DeviceProfile(ctx, d.Properties.Name, d.Processors); c.rates == nil {
		c.rates = cost.DeviceOf(d.Properties)
	}
	return c, nil
}

// measureDevice has a GPU measured that plans are about to be chosen for, where nobody has done
// that and it can be kept.
func (b *binder) measureDevice(ctx context.Context, c *card) error {
	if c.rates.Kind != cost.OfProperties || b.env.MeasureDevice == nil {
		return nil
	}
	if found := b.env.MeasureDevice(ctx, c.Device); found != nil {
		c.rates = found
	}
	d, err := b.env.Devices.Device(c.Name) // which may be lost now
	if err == nil {
		c.Device = d
	}
	return err
}

// demand is what a query says of the GPU that is to compute it.
type demand struct {
	name string // of the GPU, "" where the processor is to compute
	by   string // what asks for it, "" where cost decides
	// at is the hint that fails where the GPU cannot be used, nil where it gives way to the
	// processor; fails is how that is said, instead what could be written there.
	at             lang.Value
	fails, instead string
}

// demand is that of a query, by its hints and the settings.
func (b *binder) demand(q *queryOptions) (demand, error) {
	wanted := b.env.Settings.Device()
	by := fmt.Sprintf("SET device = '%s'", wanted)
	if q.deviceAt != nil {
		by = fmt.Sprintf("WITH (device = '%s')", wanted)
	}
	switch tensor := q.onTensorCores(); {
	case tensor && wanted == settings.DeviceCPU:
		err := lang.Errorf(q.convolutionAt.Span(), "tensor cores are a GPU's, and %s asks for the processor", by)
		return demand{}, err.WithHint("leave out one of the two")
	case wanted == settings.DeviceCPU:
		return demand{}, nil
	case wanted != settings.DeviceAuto && q.deviceAt != nil:
		return demand{wanted, by, q.deviceAt, wanted, "device = 'cpu' computes it on the processor, device = 'auto' where that is better"}, nil
	case tensor:
		if wanted == settings.DeviceAuto {
			wanted = devices.First
		}
		return demand{
			wanted, fmt.Sprintf("WITH (convolution = '%s')", operators.Tensor), q.convolutionAt,
			"tensor cores are a GPU's, and " + wanted + " cannot be used", "convolution = 'auto' lets the planner choose, on any device",
		}, nil
	case wanted == settings.DeviceAuto && b.env.Settings.Enabled("gpu"):
		return demand{name: devices.First}, nil
	case wanted == settings.DeviceAuto:
		return demand{}, nil
	}
	return demand{name: wanted, by: by}, nil
}

// candidates are those of the devices that the settings and hints allow, the best one first.
// Where a GPU that could have been used is not, NoDevice says why.
func (b *binder) candidates(ctx context.Context, p *Occlude, q *queryOptions, r resources) ([]*Candidate, error) {
	d, err := b.demand(q)
	if err != nil {
		return nil, err
	}
	r.surveys = surveys{}
	own := q.hints
	if q.onTensorCores() { // the processor's plans are what there is without the hint
		own.accuracy.convolution = ConvolutionAuto
	}
	all, err := considered(ctx, p, own, r, b.kept(p, nil))
	if err != nil {
		return nil, err
	}
	if d.name == "" || d.by == "" && !worthAsking(p, q.hints, all) {
		return choose(p, q.hints, all)
	}
	there, err := b.onDevice(ctx, p, q, r, d.name)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	var chosen []*Candidate
	if err == nil {
		if d.by != "" {
			q.hints.device, q.hints.deviceBy = d.name, d.by
		}
		if chosen, err = choose(p, q.hints, append(there, all...)); err == nil || d.by == "" {
			return chosen, err
		}
	}
	if d.at != nil {
		return chosen, lang.Errorf(d.at.Span(), "%s: %w", d.fails, err).WithHint(d.instead)
	}
	if d.by != "" || !errors.Is(err, driver.ErrNotBuilt) {
		p.NoDevice = fmt.Sprintf("%s is not used: %v", d.name, err)
	}
	q.hints.device = ""
	return choose(p, q.hints, all)
}

// worthAsking tells whether the processor's best plan takes so long that a GPU may be opened.
func worthAsking(p *Occlude, h hints, all []*Candidate) bool {
	least := math.Inf(1)
	for _, c := range all {
		if h.demands(p, c) && len(c.off) == 0 && c.refused == nil {
			least = min(least, c.Estimate.Seconds)
		}
	}
	return least*float64(len(p.Images)) > worthOpening
}

// onDevice are the candidates on a GPU, of which one at least can run.
func (b *binder) onDevice(ctx context.Context, p *Occlude, q *queryOptions, r resources, name string) ([]*Candidate, error) {
	if !b.env.Settings.Enabled("gpu") {
		return nil, &unfit{"it is ruled out by SET " + settings.SwitchOf("gpu") + " = off"}
	}
	var err error
	if r.card, err = b.card(ctx, name, p.Net); err != nil {
		return nil, err
	}
	switch {
	case q.hints.sketches == hintOn || q.hints.trend == hintOn || q.hints.adaptive != nil && q.hints.adaptive.TauBy == TauHint:
		return nil, &unfit{noSketches}
	case q.onTensorCores() && !(r.card.rates.MACs[cost.KernelF16x3] > 0):
		return nil, &unfit{fmt.Sprintf(noTensorRate, r.card.Properties.Name)}
	case len(forcedElsewhere(p, q.hints.accuracy)) > 0:
		return nil, &unfit{fmt.Sprintf(noConvolution, q.hints.accuracy.convolution)}
	}
	if err := b.measureDevice(ctx, r.card); err != nil {
		return nil, err
	}
	all, err := considered(ctx, p, q.hints, r, b.kept(p, r.card.Device))
	if err != nil {
		return nil, err
	}
	var refused error
	for _, c := range all {
		if !q.hints.demands(p, c) || len(c.off) > 0 {
			continue
		}
		if c.refused == nil {
			return all, nil
		}
		refused = c.refused
	}
	if refused == nil {
		refused = noneLeft(all, func(c *Candidate) bool { return q.hints.demands(p, c) })
	}
	return nil, refused
}

// onTensorCores tells whether a hint forces what only a GPU has.
func (q *queryOptions) onTensorCores() bool {
	return q.accuracy.convolution == string(operators.Tensor)
}

// forcedElsewhere are the layers that a hint has computed by an algorithm that GPUs have not.
func forcedElsewhere(p *Occlude, want accuracy) (layers []*network.Layer) {
	if want.convolution == ConvolutionAuto || slices.Contains(gpu.AllAlgorithms(), operators.Algorithm(want.convolution)) {
		return nil
	}
	for i, a := range forcedAlgorithms(p.Net, want.convolution) {
		if string(a) == want.convolution {
			layers = append(layers, p.Net.Layers[i])
		}
	}
	return layers
}
