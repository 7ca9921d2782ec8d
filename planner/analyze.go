package planner

import (
	"time"

	"occlude/internal/model"
	"occlude/operators"
	"occlude/planner/cost"
)

// Analyze measures on this machine what the choice of plans rests on: how fast the
// kernels are, and, on a sample of images, how heat maps suffer from approximation.
type Analyze struct {
	text
	Model   *model.Model
	Threads int
	Kernels string
	Profile *cost.Profile // that predicted costs so far

	// Trials are plans over a part of the positions, to be run on any image and
	// timed: incremental and full inference, and the former with the algorithms
	// that would not be chosen.
	Trials []*Occlude
	// Picture is a plan over all positions, whose heat map is drawn and timed.
	Picture *Occlude
	Sample  *Sample // nil where no quality is to be measured
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

// Timings puts what each layer did in the updates of one run of the plan beside what
// it took.
func (p *Occlude) Timings(updates operators.Stats) (all []cost.Timing) {
	c := p.Chosen()
	for i, l := range p.Net.Layers {
		if c.updates[i].Runs > 0 && i < len(updates.Layers) {
			all = append(all, cost.Timing{
				Layer: l, How: c.Algorithms[i], Amount: c.updates[i], Seconds: float64(updates.Layers[i].Nanos) / 1e9,
			})
		}
	}
	return all
}

// Calibrated is a profile that predicts the trials best. The seconds of an image and a
// picture were measured apart; day is when.
func (p *Analyze) Calibrated(trials [][]cost.Timing, perImage, perPicture float64, cpu string, day time.Time) (*cost.Profile, error) {
	rates, err := p.Profile.For(p.Kernels)
	if err != nil {
		return nil, err
	}
	return &cost.Profile{
		Version: cost.Version, CPU: cpu, Measured: day.Format(time.DateOnly), Calibrated: true, Model: p.Model.Name,
		Kernels: map[string]*cost.Rates{p.Kernels: rates.Fit(trials...)}, PerImage: perImage, PerPicture: perPicture,
	}, nil
}
