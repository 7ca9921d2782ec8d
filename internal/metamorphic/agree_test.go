package metamorphic

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"

	"occlude/executor"
)

// tolerance is how far apart answers may be that are computed in different ways, as
// docs/architecture.md promises.
const tolerance = 1e-4

// errSkip tells that a relation says nothing about a query.
var errSkip = errors.New("does not apply")

// mismatch tells that a relation does not hold, which is another thing than an error.
type mismatch struct{ text string }

func (m *mismatch) Error() string { return m.text }

func differ(format string, args ...any) error { return &mismatch{fmt.Sprintf(format, args...)} }

// tally counts what a relation was tried on.
type tally struct {
	trials, skipped, failed int
	bits, near              int // comparisons of bits, and with a tolerance
	claimed, kept           int // promises
}

// samePlan tells whether two maps were computed by the same physical plan, on whatever
// number of threads and in whatever batches.
func samePlan(a, b *executor.HeatMap) bool {
	p, q := a.Plan.Chosen(), b.Plan.Chosen()
	if p.Name != q.Name || a.Plan.Device != b.Plan.Device || p.Rects != q.Rects || a.Plan.Kernels != b.Plan.Kernels || !reflect.DeepEqual(a.Plan.Fired, b.Plan.Fired) ||
		!slices.Equal(p.Algorithms, q.Algorithms) || (p.Adaptive == nil) != (q.Adaptive == nil) || a.Plan.Seed != b.Plan.Seed {
		return false
	}
	if p.Adaptive == nil {
		return true
	}
	s, t := *p.Adaptive, *q.Adaptive
	return s.Sketch == t.Sketch && s.Whole == t.Whole && s.Feature == t.Feature &&
		s.SketchCost == t.SketchCost && s.WholeCost == t.WholeCost && s.StageCost == t.StageCost
}

// agree demands that two maps of the same positions agree: to the bit if the same plan
// computed them, else, where both are exact, within the tolerance.
func (k *trial) agree(a, b *executor.HeatMap) error {
	if !slices.Equal(a.Plan.Grid.Positions, b.Plan.Grid.Positions) {
		return differ("%d positions against %d, or others", len(a.Plan.Grid.Positions), len(b.Plan.Grid.Positions))
	}
	at := make([]int, len(a.Plan.Grid.Positions))
	for i := range at {
		at[i] = i
	}
	return k.agreeAt(a, b, at)
}

// agreeAt is agree for maps of other positions: those of a that stand at the indices in
// at, in order, are the first ones of b.
func (k *trial) agreeAt(a, b *executor.HeatMap, at []int) error {
	same := samePlan(a, b)
	limit := 0.
	if !same {
		limit = k.tolerance(a)
		k.measured.near++
	} else {
		k.measured.bits++
	}
	if err := k.sameClasses(a, b, limit); err != nil {
		return err
	}
	for _, m := range a.Classes {
		other := classOf(b, m.ID)
		if other == nil {
			continue // nearly as probable as the last one, see sameClasses
		}
		if d := math.Abs(float64(m.P0) - float64(other.P0)); !(d <= limit) {
			return differ("p0 of class %s is %v and %v (same plan: %v)", m.Label, m.P0, other.P0, same)
		}
		for j, i := range at {
			pos, s, t := a.Plan.Grid.Positions[i], a.States[i], b.States[j]
			switch {
			case same && s != t && (a.Plan.Chosen().Adaptive == nil):
				return differ("the position at (%d, %d) is %s and %s", pos.X, pos.Y, s, t)
			case s != t, !same && s != executor.Exact:
				continue
			}
			if d := math.Abs(float64(m.P[i]) - float64(other.P[j])); !(d <= limit) {
				return differ("p of class %s at (%d, %d) is %v and %v, %s (same plan: %v, %s and %s)",
					m.Label, pos.X, pos.Y, m.P[i], other.P[j], s, same, a.Plan.Chosen().Name, b.Plan.Chosen().Name)
			}
		}
	}
	return nil
}

// tolerance of a map's values: of scores it is a part of the largest.
func (k *trial) tolerance(h *executor.HeatMap) float64 {
	largest := 1.
	if k.raw {
		for _, m := range h.Classes {
			largest = max(largest, math.Abs(float64(m.P0)))
			for _, p := range m.P {
				if !math.IsNaN(float64(p)) {
					largest = max(largest, math.Abs(float64(p)))
				}
			}
		}
	}
	return tolerance * largest
}

// sameClasses demands that two maps are of the same classes. The most probable ones may
// be others if they are as probable.
func (k *trial) sameClasses(a, b *executor.HeatMap, limit float64) error {
	if len(a.Classes) != len(b.Classes) {
		return differ("%d classes and %d", len(a.Classes), len(b.Classes))
	}
	for i, m := range a.Classes {
		if n := b.Classes[i]; m.ID != n.ID && !(math.Abs(float64(m.P0)-float64(n.P0)) <= limit && limit > 0) {
			return differ("class %d of the query is %d with p0 = %v, and %d with %v", i, m.ID, m.P0, n.ID, n.P0)
		}
	}
	return nil
}

// classOf finds a class in a map.
func classOf(h *executor.HeatMap, id int) *executor.ClassMap {
	for i := range h.Classes {
		if h.Classes[i].ID == id {
			return &h.Classes[i]
		}
	}
	return nil
}
