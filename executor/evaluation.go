package executor

import (
	"gorgonia.org/tensor"

	"occlude/planner"
)

// Evaluation is the answer to EVALUATE: how faithful some heat maps are.
type Evaluation struct {
	Plan   *planner.Evaluate
	Scores []Score // by image, class and metric
	// Shares are the shares of the pixels at which curves have their points, from 0 to
	// 1; nil where there are no curves.
	Shares []float64
	// Inferences is how many images the curves looked at, of MACs multiply-adds
	// together; Positions and MapMACs are those of the maps.
	Inferences, Positions int
	MACs, MapMACs         int64
	Seconds               float64
}

// Score is what a metric says of one image's and class's map.
type Score struct {
	Metric  *planner.Metric
	Image   string
	ClassID int
	Class   string
	P0      float32
	Value   float64
	// Chance is what a map that knows nothing would score, NaN where that was not asked.
	Chance float64
	// Of metrics with a curve: p at each step, on the map's walk and in the mean of
	// the random ones, nil without.
	Curve, ChanceCurve []float64
}

func (*Evaluation) result() {}

// Relation lists one row per image, class and metric.
func (e *Evaluation) Relation() *Relation {
	r := &Relation{
		Columns: []string{"image", "model", "class_id", "class", "metric", "score", "direction", "chance", "steps", "fill"},
		Rows:    make([][]any, 0, len(e.Scores)),
	}
	for _, s := range e.Scores {
		var steps, fill, chance any // NULL where there is none
		if s.Metric.Curved() {
			steps, fill = e.Plan.Steps, s.Metric.Fill.Text
		}
		if s.Chance == s.Chance {
			chance = s.Chance
		}
		r.Rows = append(r.Rows, []any{
			s.Image, e.Plan.Query.Model.Name, s.ClassID, s.Class, s.Metric.Text, s.Value, s.Metric.Direction(), chance, steps, fill,
		})
	}
	return r
}

// Array is p at each step of each curve, (curves, steps + 1), in the order of the rows
// that have one.
func (e *Evaluation) Array() *tensor.Dense {
	var data []float32
	curves := 0
	for _, s := range e.Scores {
		if s.Curve == nil {
			continue
		}
		curves++
		for _, p := range s.Curve {
			data = append(data, float32(p))
		}
	}
	return tensor.New(tensor.WithShape(curves, e.Plan.Steps+1), tensor.WithBacking(data))
}

// Mean is the mean of a metric's scores over all images and classes, and of their
// chances.
func (e *Evaluation) Mean(m *planner.Metric) (score, chance float64) {
	n := 0.0
	for _, s := range e.Scores {
		if s.Metric == m {
			score, chance, n = score+s.Value, chance+s.Chance, n+1
		}
	}
	return score / n, chance / n
}

// Whole is the multiply-adds that full inference would take for what the curves looked
// at.
func (e *Evaluation) Whole() int64 {
	if e.Plan.Walk == nil {
		return 0
	}
	return int64(e.Inferences) * e.Plan.Walk.Net.Work().MACs
}
