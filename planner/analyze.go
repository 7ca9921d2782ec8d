package planner

import (
	"time"

	"occlude/internal/model"
	"occlude/internal/network"
	"occlude/operators"
	"occlude/planner/cost"
)

// Analyze measures on this machine what the choice of plans rests on: how fast the
// kernels are, and, on a sample of images, how heat maps suffer from approximation.
type Analyze struct {
	text
	Model   *model.Model
	Kernels string
	Profile *cost.Profile // that predicted costs so far

	// Device are trials of the GPU that the settings name, nil where they name none: then
	// the processor is measured by those that follow, else nothing of them is there.
	Device *DeviceTrials
	// Machine are trials of what every machine is asked.
	Machine *Machine
	// Trials are plans over a part of the positions, to be run on any image and timed:
	// patches small and large, and full inference, by every algorithm, by one thread
	// and by all cores.
	Trials []*Occlude
	// Checks are the same, but nothing is learnt from them: they show how well queries
	// are predicted.
	Checks []*Occlude
	// Picture is a plan over all positions, whose heat map is drawn and timed.
	Picture *Occlude
	Sample  *Sample // nil where no quality is to be measured
}

// Machine measures how fast a set of kernels is, in less than a second: trials of a
// network that is made up to have a layer of each class.
type Machine struct {
	Kernels string
	Trials  []*Occlude
	// Picture is a plan whose heat map is drawn and timed.
	Picture *Occlude
	profile *cost.Profile // that predicted costs so far
}

// Sample is images on which the quality of approximate heat maps is measured.
type Sample struct {
	Files  string   // the pattern that they were drawn from
	Found  int      // files that fit it
	Wanted int      // images that were asked for
	Seed   int64    // of the draw
	Images []string // those drawn: Wanted, or all that there are
	// Exact is the plan of the exact heat maps, Thresholded those of maps by falling
	// tau. They name no image.
	Exact       *Occlude
	Thresholded []*Occlude
}

// On is the plan for one image and given classes.
func (p *Occlude) On(image string, classes ...int) *Occlude {
	q := *p
	q.Images, q.Target = []string{image}, Target{Classes: classes}
	if len(classes) == 0 {
		q.Target = Target{Top: 1}
	}
	return &q
}

// Measured is what a trial took: in seconds elapsed, its base pass, the first round of
// its updates and one of those after, of which Updates counts what the layers did.
type Measured struct {
	Base, First, Seconds float64
	Updates              operators.Stats
	Fresh                int64   // bytes that came from the system in the first round
	Bringing             float64 // seconds in which weights came to a GPU, 0 where they were there
}

// Trial puts what a plan does beside what it was measured to take.
func (p *Occlude) Trial(m Measured) cost.Trial {
	c := p.Chosen()
	t := cost.Trial{
		Net: p.Net, Threads: p.Threads, Seconds: m.Seconds, First: m.First, Fresh: m.Fresh, BaseSeconds: m.Base, Views: viewBytes(p.Net),
	}
	inside := 0.0
	for i, l := range p.Net.Layers {
		if _, constant := l.Op.(network.Const); constant || i == 0 {
			continue
		}
		base := wholeTally(l).of(c.Algorithms[i])
		base.Groups = float64(p.Threads) // as a plan counts them
		t.Base = append(t.Base, cost.Timing{Layer: l, How: c.Algorithms[i], Amount: base})
		if c.updates[i].Runs > 0 && i < len(m.Updates.Layers) {
			took := float64(m.Updates.Layers[i].Nanos) / 1e9
			t.Updates = append(t.Updates, cost.Timing{Layer: l, How: c.Algorithms[i], Amount: c.updates[i], Seconds: took})
			inside += took
		}
	}
	// What workers spend between layers, on making patches and on waiting for each
	// other, goes to the layers in proportion.
	if all := m.Seconds * float64(p.Threads); inside > 0 && all > inside {
		for i := range t.Updates {
			t.Updates[i].Seconds *= all / inside
		}
	}
	return t
}

// Found is what all trials took, in the order of the plan, and fixed costs. Of a
// machine the last trials may not have been run.
type Found struct {
	Machine, Trials, Checks []Measured
	PerImage, PerPicture    float64 // seconds
}

// Calibrated is a profile that predicts the trials best; now is when it was made.
func (p *Analyze) Calibrated(f Found, cpu string, now time.Time) (*cost.Profile, []cost.Trial, error) {
	rates, err := p.Profile.For(p.Kernels)
	if err != nil {
		return nil, nil, err
	}
	trials := p.Machine.trials(f.Machine)
	for i, m := range f.Trials {
		trials = append(trials, p.Trials[i].Trial(m))
	}
	for i, m := range f.Checks {
		t := p.Checks[i].Trial(m)
		t.Check = true
		trials = append(trials, t)
	}
	c := cost.Calibrate(rates, p.Kernels, p.Model.Hash, trials)
	c.Kind, c.Model = cost.OfModel, p.Model.Name
	return dated(c, f, cpu, now), trials, nil
}

// Calibrated is a profile of the machine, whatever the model.
func (p *Machine) Calibrated(f Found, cpu string, now time.Time) (*cost.Profile, error) {
	rates, err := p.profile.For(p.Kernels)
	if err != nil {
		return nil, err
	}
	c := cost.Calibrate(rates, p.Kernels, "", p.trials(f.Machine))
	c.Kind = cost.Quick
	return dated(c, f, cpu, now), nil
}

func (p *Machine) trials(found []Measured) (all []cost.Trial) {
	for i, m := range found {
		t := p.Trials[i].Trial(m)
		t.Other = true
		all = append(all, t)
	}
	return all
}

// dated fills in what the trials do not say.
func dated(p *cost.Profile, f Found, cpu string, now time.Time) *cost.Profile {
	p.CPU, p.Measured = cpu, now.UTC().Format(time.RFC3339)
	p.PerImage, p.PerPicture = f.PerImage, f.PerPicture
	return p
}
