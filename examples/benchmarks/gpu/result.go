package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
)

// position is where a patch lies: its left and top. JSON has a list of both.
type position struct{ X, Y int }

// MarshalJSON implements json.Marshaler.
func (p position) MarshalJSON() ([]byte, error) { return json.Marshal([2]int{p.X, p.Y}) }

// UnmarshalJSON implements json.Unmarshaler.
func (p *position) UnmarshalJSON(text []byte) error {
	var pair [2]int
	err := json.Unmarshal(text, &pair)
	p.X, p.Y = pair[0], pair[1]
	return err
}

// corner is 1 for a position in a corner, of those up to the last one.
func (p position) corner(last int) int {
	if (p.X == 0 || p.X == last) && (p.Y == 0 || p.Y == last) {
		return 1
	}
	return 0
}

// heatMap are somebody's probabilities of a class.
type heatMap struct {
	class int
	p     map[position]float64

	// What Occlude says besides.
	plan          string
	report        json.RawMessage
	updateSeconds float64
	deviceBytes   int64
}

// apart is the largest difference to another's probabilities at all positions that it has,
// infinite where one is missing or no number, or another class was explained.
func (h heatMap) apart(o heatMap) *float64 {
	far := 0.0
	if h.class != o.class {
		far = math.MaxFloat64
	}
	for at, q := range o.p {
		p, there := h.p[at]
		if d := math.Abs(p - q); !there || math.IsNaN(d) {
			far = math.MaxFloat64
		} else {
			far = max(far, d)
		}
	}
	return &far
}

// record is all that came out, as results.json has it.
type record struct {
	Begun    string
	Seconds  float64
	Device   string
	Versions []string
	Patch    int
	Stride   int
	Batch    int // of PyTorch
	Runs     int
	Results  []*result
}

// result is what came out for a network. What is not known is missing.
type result struct {
	Network   string
	Side      int
	Positions int

	Plan     string `json:",omitempty"` // on the device
	Auto     string `json:",omitempty"` // the plan and the device that the planner takes by itself
	Compared int    // positions that the processor computed, too
	Exact    int    // and PyTorch in float64
	Apart    struct {
		DeviceFromCPU, DeviceFromFloat64, CPUFromFloat64, PyTorchFromFloat64, TF32FromFloat64 *float64 `json:",omitempty"`
	}
	Memory struct {
		Counted int64 // bytes on the device, by EXPLAIN ANALYZE
		Device  int64 // by nvidia-smi
	}
	Plans                []plan // as BENCHMARK has them
	PyTorch, PyTorchTF32 figures
	LeftOut, Failed      []string        `json:",omitempty"`
	Explain              json.RawMessage `json:",omitempty"`

	exact heatMap // in float64
}

// figures are PyTorch's times of a heat map, and its bytes on the device.
type figures struct {
	Seconds, Least, Most        float64
	Allocated, Reserved, Device int64
}

// tolerance is how far probabilities may lie apart and still be the same answer.
const tolerance = 1e-4

// seconds are those of a plan on the device, 0 where they are not known.
func (r *result) seconds(name string) float64 {
	for _, p := range r.Plans {
		if p.Name == name {
			return p.Seconds
		}
	}
	return 0
}

// best is the faster exact plan, nil where none was timed, and chosen the planner's.
func (r *result) best() (best, chosen *plan) {
	for i := range r.Plans {
		p := &r.Plans[i]
		if best == nil || p.Seconds < best.Seconds {
			best = p
		}
		if p.Chosen {
			chosen = p
		}
	}
	return best, chosen
}

// write writes results.json.
func (r *record) write(folder string) error {
	text, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "results.json"), append(text, '\n'), 0o644)
}

// verdict is an error where something failed or answers are apart; what was left out, and what
// is slow, is none.
func (r *record) verdict() error {
	var errs []error
	for _, n := range r.Results {
		for _, f := range n.Failed {
			errs = append(errs, fmt.Errorf("%s, %s", n.Network, f))
		}
		if d := n.Apart.DeviceFromCPU; d != nil && !(*d <= tolerance) {
			errs = append(errs, fmt.Errorf("%s: the device and the processor differ by %.2g in probability", n.Network, *d))
		}
	}
	return errors.Join(errs...)
}
