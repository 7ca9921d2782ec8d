package explain

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"occlude/internal/curve"
	"occlude/planner/cost"
)

// Curve is how the quality of a model's heat maps falls with tau, as ANALYZE MODEL
// measured it.
type Curve struct {
	Metric string       `json:"metric"`
	Patch  Size         `json:"patch"`
	Stride Size         `json:"stride"`
	Fill   string       `json:"fill"`
	Points []CurvePoint `json:"points"` // by falling tau
	// Coefficients are those of the fit, from the constant one on, and Residual the
	// root of the mean square of the means' distances from it.
	Coefficients [3]float64  `json:"coefficients"`
	Residual     float64     `json:"residual"`
	LowestTau    []LowestTau `json:"lowest_tau"`
	Files        string      `json:"files"`
	Seed         int64       `json:"seed"`
	Images       []string    `json:"images"`
	Measured     time.Time   `json:"measured"`
}

// CurvePoint is the quality at one tau, over the images.
type CurvePoint struct {
	Tau     float64 `json:"tau"`
	Mean    float64 `json:"mean"`
	Worst   float64 `json:"worst"`
	Fitted  float64 `json:"fitted"`
	Speedup float64 `json:"speedup"` // over the exact map
}

// LowestTau is the lowest tau from which on a quality is expected.
type LowestTau struct {
	Target float64 `json:"target"`
	Tau    float64 `json:"tau"`
}

// curveTargets are the qualities whose lowest tau is shown.
var curveTargets = []float64{0.9, 0.95}

func curves(all []curve.Curve) []Curve {
	out := []Curve{}
	for _, c := range all {
		d := Curve{
			Metric: c.Metric, Patch: Size{c.PatchW, c.PatchH}, Stride: Size{c.StrideW, c.StrideH}, Fill: c.Fill,
			Points: []CurvePoint{}, Coefficients: c.Fit, Residual: c.Residual,
			Files: c.Sample.Files, Seed: c.Sample.Seed, Images: append([]string{}, c.Sample.Images...), Measured: c.Measured,
		}
		for _, p := range c.Points {
			d.Points = append(d.Points, CurvePoint{p.Tau, p.Mean, p.Worst, c.At(p.Tau), p.Speedup})
		}
		for _, target := range curveTargets {
			d.LowestTau = append(d.LowestTau, LowestTau{target, c.LowestTau(target)})
		}
		out = append(out, d)
	}
	return out
}

// profile says where costs come from.
func profile(p *cost.Profile, age time.Duration) Profile {
	return Profile{Calibrated: p.Calibrated(), Kind: string(p.Kind), Model: p.Model, CPU: p.CPU, Measured: p.Measured, Age: math.Round(age.Seconds())}
}

// curveTable shows each curve's means, and from which tau on enough is expected.
func (m *ModelReport) curveTable(p page) error {
	t := table{columns: []column{{"metric", text}, {title: "patch"}, {title: "stride"}, {"fill", text}}}
	for _, p := range m.Curves[0].Points[1:] { // at 1 every map is exact
		t.columns = append(t.columns, column{title: number3(p.Tau)})
	}
	var targets []string
	for _, target := range curveTargets {
		targets = append(targets, number3(target))
	}
	t.columns = append(t.columns, column{title: strings.Join(targets, "/")}, column{title: "images"})
	for _, c := range m.Curves {
		row := []string{c.Metric, c.Patch.String(), c.Stride.String(), c.Fill}
		for _, p := range c.Points[1:] {
			row = append(row, fmt.Sprintf("%.3f", p.Mean))
		}
		var lowest []string
		for _, l := range c.LowestTau {
			lowest = append(lowest, fmt.Sprintf("%.2f", math.Ceil(l.Tau*100-1e-9)/100))
		}
		t.add(append(row, strings.Join(lowest, "/"), strconv.Itoa(len(c.Images)))...)
	}
	if err := p.title("Quality of heat maps by tau, mean over images, and the lowest tau from which on " +
		strings.Join(targets, " and ") + "\nare expected"); err != nil {
		return err
	}
	return p.table(&t)
}

// number3 prints a number with at most three digits.
func number3(v float64) string { return strconv.FormatFloat(v, 'g', 3, 64) }
