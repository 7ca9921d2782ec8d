package planner

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"occlude/internal/network"
	"occlude/internal/settings"
	"occlude/operators"
	"occlude/operators/gpu/devices"
)

// Choice is what of a physical plan decides the bits of its answer: two plans of the
// same query with equal choices give the same, whatever their threads and batches.
type Choice struct {
	Plan       string                `json:"plan"`
	Device     string                `json:"device,omitempty"` // what its maker calls the GPU, "" for the processor
	Kernels    string                `json:"kernels"`          // of the processor, kernelsGPU for a GPU's
	Rects      Rectangles            `json:"rectangles"`
	DrillDown  *DrillDown            `json:"drill_down,omitempty"`
	Adaptive   *Adaptive             `json:"adaptive,omitempty"`
	Forced     bool                  `json:"forced,omitempty"` // which sampling goes by
	Net        string                `json:"network"`          // hash of its layers, as rewritten
	Algorithms []operators.Algorithm `json:"algorithms"`       // by layer Index
}

// Choice is that of the plan that will run.
func (p *Occlude) Choice() Choice {
	c := p.Chosen()
	choice := Choice{Plan: c.Name, Kernels: p.Kernels, Rects: c.Rects, DrillDown: c.DrillDown,
		Adaptive: c.Adaptive, Forced: c.Forced, Net: layersHash(p.Net), Algorithms: c.Algorithms}
	if c.Device != nil {
		choice.Device, choice.Kernels = c.Device.Properties.Name, kernelsGPU
	}
	return choice
}

// kernelsGPU are the kernels of all GPUs, whose answers differ with the GPU's kind at most.
const kernelsGPU = "cuda"

// layersHash tells networks of one model apart that were rewritten in different ways.
func layersHash(net *network.Network) string {
	h := sha256.New()
	for _, l := range net.Layers {
		fmt.Fprintf(h, "%s %T %v", l.Name, l.Op, l.Shape)
		for _, in := range l.In {
			fmt.Fprintf(h, " %d", in.Index)
		}
		fmt.Fprintln(h)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// String is the choice as JSON.
func (c Choice) String() string {
	text, err := json.Marshal(c)
	if err != nil {
		panic("planner: " + err.Error()) // of numbers that are none
	}
	return string(text)
}

// ParseChoice reads what String wrote.
func ParseChoice(text string) (*Choice, error) {
	c := new(Choice)
	if err := json.Unmarshal([]byte(text), c); err != nil {
		return nil, fmt.Errorf("%q is no plan: %w", text, err)
	}
	return c, nil
}

// bits is the choice without what is only expected.
func (c Choice) bits() string {
	if c.Adaptive != nil {
		a := *c.Adaptive
		a.SecondsExact, a.SecondsAll, a.SecondsFeature, a.SecondsBefore, a.SecondsAfter = 0, 0, 0, 0, 0
		a.SecondsBackward, a.SecondsEstimating, a.TauBy = 0, 0, ""
		c.Adaptive = &a
	}
	return c.String()
}

// Same tells whether two choices give the same bits.
func (c Choice) Same(d Choice) bool { return c.bits() == d.bits() }

// resume makes the plan of a query into a table that of the heat maps of the same query
// which are there: they and those to come are to be of one kind, whatever was
// measured meanwhile. Where that cannot be, Departs says why.
func (b *binder) resume(ctx context.Context, p *Occlude, h hints, r resources) error {
	if p.Table == "" || p.Goals.Within > 0 { // which gives another answer each time
		return nil
	}
	begun, err := b.env.Tables.Begun(ctx, p)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return err
	}
	if begun == nil || begun.Same(p.Choice()) {
		return nil
	}
	departs := func(why string) error {
		p.Departs = fmt.Sprintf("the table %q was begun with another plan: %s; what follows may differ from it as plans do", p.Table, why)
		return nil
	}
	why, err := b.sameDevice(ctx, p, begun, &r)
	if err != nil {
		return err
	}
	if why != "" {
		return departs(why)
	}
	if begun.Device == "" && begun.Kernels != p.Kernels {
		if set, err := b.env.Settings.Get("kernels"); err != nil || set != settings.KernelsAuto {
			return departs("its kernels are " + begun.Kernels + ", not " + p.Kernels)
		}
		if _, err := settings.Check("kernels", begun.Kernels); err != nil {
			return departs("this processor lacks its kernels, " + begun.Kernels)
		}
		if r.rates, err = b.env.Profile.For(begun.Kernels); err != nil {
			return departs(err.Error())
		}
	}
	if begun.Net != layersHash(p.Net) || len(begun.Algorithms) != len(p.Net.Layers) {
		return departs("the network was rewritten in another way, by other settings or another version of Occlude")
	}
	c := &Candidate{Name: begun.Plan, Rects: begun.Rects, DrillDown: begun.DrillDown, Adaptive: begun.Adaptive, Forced: begun.Forced,
		Algorithms: begun.Algorithms}
	if c.Adaptive != nil {
		c.Stages = c.Adaptive.stages(p)
	}
	if err := c.cost(ctx, p, h, r); err != nil {
		return err
	}
	if c.refused != nil {
		return departs(c.refused.Error())
	}
	if begun.Device == "" {
		p.Kernels = begun.Kernels
	}
	c.Reason = fmt.Sprintf("the table %q was begun with it", p.Table)
	others := p.Candidates
	p.Candidates = []*Candidate{c}
	for _, o := range others {
		if o.Name != c.Name || o.Device != c.Device {
			o.Reason = fmt.Sprintf("the table %q was begun with the other plan", p.Table)
			p.Candidates = append(p.Candidates, o)
		}
	}
	return nil
}

// sameDevice has a plan costed where heat maps were computed before, or says why that cannot
// be.
func (b *binder) sameDevice(ctx context.Context, p *Occlude, begun *Choice, r *resources) (why string, err error) {
	set := b.env.Settings.Device()
	switch {
	case begun.Device == "" && (set != settings.DeviceAuto && set != CPU || p.Convolution == string(operators.Tensor)):
		if on := p.Chosen().Device; on != nil {
			return "it was begun on the processor, not on " + on.Name, nil
		}
	case begun.Device == "":
	case set == CPU:
		return "it was begun on the " + begun.Device + ", and device is cpu", nil
	default:
		name := set
		if name == settings.DeviceAuto {
			name = devices.First
		}
		if r.card, err = b.card(ctx, name, p.Net); ctx.Err() != nil {
			return "", context.Cause(ctx)
		} else if err != nil {
			return fmt.Sprintf("it was begun on the %s, and %s cannot be used: %v", begun.Device, name, err), nil
		}
		if now := r.card.Properties.Name; now != begun.Device {
			return fmt.Sprintf("it was begun on the %s, and %s is the %s", begun.Device, name, now), nil
		}
	}
	return "", nil
}
