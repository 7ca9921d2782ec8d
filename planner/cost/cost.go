package cost

import (
	_ "embed"
	"encoding/json"
	"fmt"

	"occlude/internal/network"
)

// Classes of layers that have a rate of their own.
const (
	Conv      = "conv"      // any convolution that is not one of the next
	ConvThin  = "conv thin" // few input channels (at most Thin), as in stems
	Depthwise = "depthwise"
	Dense     = "dense"
	Pool      = "pool"
	Cellwise  = "cellwise" // element-wise layers and layers that move values
	Global    = "global"   // global pools and normalizations
	Curve     = "curve"    // activations that need an exponential
	Function  = "function" // reference operators
)

// Thin is the number of input channels up to which a convolution is ConvThin.
const Thin = 4

// Profile is what a machine can do.
type Profile struct {
	Version    int    `json:"version"`
	CPU        string `json:"cpu"`
	Measured   string `json:"measured"` // when and by what
	Calibrated bool   `json:"calibrated"`
	// MACs is the multiply-adds per second of one thread, by class.
	MACs map[string]float64 `json:"macs_per_second"`
	// Steps is the element steps per second of one thread, by class.
	Steps map[string]float64 `json:"steps_per_second"`
	// Gather is the bytes per second at which read-in contexts are put together.
	Gather float64 `json:"gather_bytes_per_second"`
	// PerRun is the fixed seconds of running a layer at a position.
	PerRun float64 `json:"seconds_per_run"`
	// PerImage is the fixed seconds of an image: decoding it and writing numbers.
	PerImage float64 `json:"seconds_per_image"`
	// PerPicture is the seconds of drawing a picture and writing it; how many
	// classes it shows makes little difference.
	PerPicture float64 `json:"seconds_per_picture"`
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

// Parse reads a profile and checks that every rate is there and positive.
func Parse(data []byte) (*Profile, error) {
	p := &Profile{}
	if err := json.Unmarshal(data, p); err != nil {
		return nil, fmt.Errorf("cost profile: %w", err)
	}
	for _, c := range []string{Conv, ConvThin, Depthwise, Dense} {
		if !(p.MACs[c] > 0) {
			return nil, fmt.Errorf("cost profile: no multiply-adds per second for %s", c)
		}
	}
	for _, c := range []string{Pool, Cellwise, Global, Curve, Function} {
		if !(p.Steps[c] > 0) {
			return nil, fmt.Errorf("cost profile: no steps per second for %s", c)
		}
	}
	if !(p.Gather > 0) || p.PerRun < 0 || p.PerImage < 0 || p.PerPicture < 0 {
		return nil, fmt.Errorf("cost profile: bandwidth and fixed costs must be positive")
	}
	return p, nil
}

// Class is the class of a layer.
func Class(l *network.Layer) string {
	switch op := l.Op.(type) {
	case network.Conv:
		switch {
		case op.Depthwise():
			return Depthwise
		case op.GroupIn() <= Thin:
			return ConvThin
		}
		return Conv
	case network.Dense:
		return Dense
	case network.Pool:
		return Pool
	case network.GlobalPool, network.InstanceNorm:
		return Global
	case network.Function:
		return Function
	case network.Softmax:
		return Curve
	case network.Pointwise:
		return activationClass(op.Act)
	}
	return Cellwise
}

func activationClass(a network.Activation) string {
	switch a.Fn {
	case network.None, network.Relu, network.LeakyRelu, network.Clip, network.HardSigmoid, network.HardSwish,
		network.Abs, network.Neg, network.Reciprocal, network.Sqrt, network.Threshold, network.Sign,
		network.Floor, network.Ceil, network.Round:
		return Cellwise
	}
	return Curve
}

// Amount is what a layer does, over any number of runs.
type Amount struct {
	network.Work
	Values    int64 // output values computed
	ReadBytes int64 // bytes of read-in context put together
	Runs      int64
}

// Seconds is the time that one thread takes for an amount of a layer.
func (p *Profile) Seconds(l *network.Layer, a Amount) float64 {
	class := Class(l)
	s := float64(a.Runs)*p.PerRun + float64(a.ReadBytes)/p.Gather
	if a.MACs > 0 {
		s += float64(a.MACs) / p.MACs[class]
	}
	if a.Steps > 0 {
		s += float64(a.Steps) / p.Steps[class]
	}
	if f, ok := l.Op.(network.Fused); ok && !f.Activation().IsNone() {
		s += float64(a.Values) / p.Steps[activationClass(f.Activation())]
	}
	return s
}
