package cost

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"occlude/internal/network"
	"occlude/operators"
)

// Version is that of profiles. It changes where a constant gets another meaning.
const Version = 3

// Kind is how a profile came about.
type Kind string

// The kinds, from what says least of a query on this machine to what says most.
const (
	Committed Kind = "default" // measured on some machine, and part of the program
	Quick     Kind = "quick"   // on this machine, in a second, before its first plan
	OfModel   Kind = "model"   // by ANALYZE MODEL
)

// Profile is what a machine can do.
type Profile struct {
	Version  int    `json:"version"`
	Kind     Kind   `json:"kind"`
	CPU      string `json:"cpu"`
	Cores    int    `json:"cores,omitempty"` // that worked for Busy
	Measured string `json:"measured"`        // the day, or the time in UTC
	// Model is the name of the model that ANALYZE MODEL named, Hash its file's.
	Model string `json:"model,omitempty"`
	Hash  string `json:"model_sha256,omitempty"`

	// Kernels are the rates of a thread that works alone, by set of kernels, as SET
	// kernels names them. Busy are those of each thread while all cores work; a set
	// that is not among them has the same rates then.
	Kernels map[string]*Rates `json:"kernels"`
	Busy    map[string]*Rates `json:"kernels_on_all_cores,omitempty"`
	// PerImage is the fixed seconds of an image: decoding it and writing numbers.
	PerImage float64 `json:"seconds_per_image"`
	// PerPicture is the seconds of drawing a picture and writing it; how many
	// classes it shows makes little difference.
	PerPicture float64 `json:"seconds_per_picture"`

	// Spread is that of queries' seconds over their estimates, for the model that was
	// measured and for any other.
	Spread      Spread `json:"spread"`
	SpreadOther Spread `json:"spread_of_other_models"`
	// Own is what the model's layers were found to take.
	Own *Own `json:"own,omitempty"`
}

// Spread is the range that nine of ten queries keep to: seconds over estimate.
type Spread struct {
	Least float64 `json:"least"`
	Most  float64 `json:"most"`
}

// check tells whether a spread makes sense. One of nothing is left out.
func (s Spread) check() error {
	if s != (Spread{}) && !(s.Least > 0 && s.Least <= s.Most && s.Most < math.Inf(1)) {
		return fmt.Errorf("a spread of %g to %g", s.Least, s.Most)
	}
	return nil
}

// unknown is the spread of a profile that does not say it.
var unknown = Spread{Least: 0.4, Most: 2.5}

// Rates is what one thread does with one set of kernels.
type Rates struct {
	// MACs is the multiply-adds per second, by class.
	MACs map[string]float64 `json:"macs_per_second"`
	// Steps is the element steps per second, by class.
	Steps map[string]float64 `json:"steps_per_second"`
	// Gather is the bytes per second at which read-in contexts are put together.
	Gather float64 `json:"gather_bytes_per_second"`
	// Weights is the bytes per second at which weights come from memory.
	Weights float64 `json:"weight_bytes_per_second"`
	// PerRun is the fixed seconds of a layer at a position, PerGroup those of a
	// layer for a group of positions.
	PerRun   float64 `json:"seconds_per_run"`
	PerGroup float64 `json:"seconds_per_group"`
	// Fresh is the bytes per second at which memory comes from the system, for all
	// threads together; 0 for at once.
	Fresh float64 `json:"fresh_bytes_per_second,omitempty"`

	own *ownRates // of the model at hand, nil where nothing is known of it
}

//go:embed default.json
var defaultJSON []byte

// Default is the committed profile.
func Default() *Profile {
	p, err := Parse(defaultJSON)
	if err != nil {
		panic("cost: the embedded profile: " + err.Error()) // a test reads it
	}
	return p
}

// Parse reads a profile and checks that it is of this Version, and that every rate
// is there and positive.
func Parse(data []byte) (*Profile, error) {
	p := &Profile{}
	if err := json.Unmarshal(data, p); err != nil {
		return nil, fmt.Errorf("cost profile: %w", err)
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	return p, nil
}

// check makes sure that a profile is of this Version, and that all is there that
// costs are predicted by.
func (p *Profile) check() error {
	if p.Version != Version {
		return fmt.Errorf("cost profile: version %d, not %d", p.Version, Version)
	}
	if p.Kind != Committed && p.Kind != Quick && p.Kind != OfModel {
		return fmt.Errorf("cost profile: kind %q is none of %s, %s, %s", p.Kind, Committed, Quick, OfModel)
	}
	if len(p.Kernels) == 0 {
		return fmt.Errorf("cost profile: no rates of any kernels")
	}
	for name, r := range p.Kernels {
		if err := r.check(); err != nil {
			return fmt.Errorf("cost profile: kernels %s: %w", name, err)
		}
	}
	for name, r := range p.Busy {
		if _, ok := p.Kernels[name]; !ok {
			return fmt.Errorf("cost profile: kernels %s on all cores, but not on one", name)
		}
		if err := r.check(); err != nil {
			return fmt.Errorf("cost profile: kernels %s on all cores: %w", name, err)
		}
	}
	if p.PerImage < 0 || p.PerPicture < 0 {
		return fmt.Errorf("cost profile: a fixed cost is negative")
	}
	for _, err := range []error{p.Spread.check(), p.SpreadOther.check(), p.Own.check()} {
		if err != nil {
			return fmt.Errorf("cost profile: %w", err)
		}
	}
	return nil
}

// Calibrated tells whether ANALYZE MODEL made the profile.
func (p *Profile) Calibrated() bool { return p.Kind == OfModel }

func (r *Rates) check() error {
	if r == nil {
		return fmt.Errorf("no rates")
	}
	for _, c := range []string{Conv, ConvThin, Depthwise, Dense, Product} {
		if !(r.MACs[c] > 0) {
			return fmt.Errorf("no multiply-adds per second for %s", c)
		}
	}
	for _, c := range []string{Pool, Cellwise, Global, Curve, Function, Transform} {
		if !(r.Steps[c] > 0) {
			return fmt.Errorf("no steps per second for %s", c)
		}
	}
	if !(r.Gather > 0) || !(r.Weights > 0) {
		return fmt.Errorf("a bandwidth is not positive")
	}
	if r.PerRun < 0 || r.PerGroup < 0 || r.Fresh < 0 {
		return fmt.Errorf("a fixed cost is negative")
	}
	return nil
}

// For gives the rates of a set of kernels on one thread, for any model.
func (p *Profile) For(kernels string) (*Rates, error) {
	if r, ok := p.Kernels[kernels]; ok {
		return r, nil
	}
	var names []string
	for n := range p.Kernels {
		names = append(names, n)
	}
	slices.Sort(names)
	return nil, fmt.Errorf("the cost profile knows nothing of kernels %q, only of %s", kernels, strings.Join(names, ", "))
}

// Amount is what a layer does, over any number of runs.
type Amount struct {
	network.Work
	Values    int64 // output values computed
	ReadBytes int64 // bytes of read-in context put together
	Runs      int64
	// Products are those of the algorithm, see Form.Products; those of Direct do
	// not matter.
	Products int64
	// Groups is how often the layer's weights are streamed: once for each group
	// of runs.
	Groups float64
}

// Seconds is the time that one thread takes for an amount of a layer.
func (r *Rates) Seconds(l *network.Layer, how operators.Algorithm, a Amount) float64 {
	class := Class(l)
	s := float64(a.Runs)*r.PerRun + a.Groups*r.PerGroup + float64(a.ReadBytes)/r.Gather
	streaming := r.Streaming(l, how) * a.Groups
	switch f := Of(l, how); {
	case a.MACs == 0:
	case f.Points > 1:
		op := l.Op.(network.Conv)
		in, out := float64(op.GroupIn()), float64(op.Filters())
		points := float64(a.Products)
		s += points*in*out/r.MACs[Product] + points*float64(f.Depth)*(in+out)/r.Steps[Transform] + streaming
	default:
		s += max(float64(a.MACs)/r.MACs[class], streaming)
	}
	if a.Steps > 0 {
		s += float64(a.Steps) / r.Steps[class]
	}
	if f, ok := l.Op.(network.Fused); ok && !stored(f.Activation()) {
		s += float64(a.Values) / r.Steps[activationClass(f.Activation())]
	}
	return s * r.own.factor(l, how, a)
}

// Streaming is the time in which a layer's weights come from memory, once.
func (r *Rates) Streaming(l *network.Layer, how operators.Algorithm) float64 {
	return float64(WeightBytes(l, how)) / r.Weights
}

// WeightBytes is what a layer's weights take in the order and the form in which
// the algorithm reads them.
func WeightBytes(l *network.Layer, how operators.Algorithm) int64 {
	switch op := l.Op.(type) {
	case network.Dense:
		return 4 * int64(op.Weights.Shape().TotalSize())
	case network.Conv:
		if f := Of(l, how); f.Points > 1 {
			return 4 * int64(f.Points) * int64(op.GroupIn()) * int64(op.Filters())
		}
		return 4 * int64(op.Weights.Shape().TotalSize())
	}
	return 0
}
