package executor

import (
	"fmt"
	"math"

	"occlude/internal/quality"
)

// Quality is how near an approximate heat map was found to be to the exact one.
type Quality struct {
	// Target is the structural similarity that was asked for, 0 for none, and
	// Reached whether the map was found good enough: by all that the plan demands of
	// the estimates, or by the figures measured against the exact map.
	Target  float64
	Reached bool
	// Verified is the number of positions, chosen at random, whose exact values
	// were compared with what the map had said of them.
	Verified int
	// Classes are the figures of each class of the heat map.
	Classes []ClassQuality
	// Checks is what VERIFY n POSITIONS found, nil without it.
	Checks *Checks
	// Notes say in sentences what was decided on the way and what was not reached.
	Notes []string
}

// Similarity tells the structural similarity in a word or two, of the class with
// the least: measured if it was, else expected; "" where neither is known or the map
// is exact.
func (q *Quality) Similarity() string {
	if q == nil {
		return ""
	}
	expected, measured := 1.0, 1.0
	for _, c := range q.Classes {
		expected = min(expected, c.SSIM)
		if c.Measured == nil {
			measured = math.NaN()
		} else {
			measured = min(measured, c.Measured.SSIM)
		}
	}
	switch {
	case measured < 1:
		return fmt.Sprintf("SSIM %.2f", down(measured))
	case expected < 1 && measured != measured:
		return fmt.Sprintf("SSIM about %.2f", down(expected))
	}
	return ""
}

// down rounds down, so that nothing but an exact map has 1.00.
func down(v float64) float64 { return math.Floor(100*v) / 100 }

// ClassQuality are the figures of one class's map against the exact one.
type ClassQuality struct {
	Class string
	// SSIM is the structural similarity that the samples let expect, and SSIMLower
	// the lower one by which sampling stops. That is no confidence bound: the true one
	// was measured to be below it in 15% of maps.
	SSIM, SSIMLower              float64
	Pearson, NRMSE, Top10Overlap float64 // as expected
	// Measured are the true figures, where the exact map was computed as well
	// (VERIFY ALL), nil elsewhere.
	Measured *quality.Figures
}

// flawless is the quality of maps all of which was computed exactly.
func flawless(classes []ClassMap) []ClassQuality {
	all := make([]ClassQuality, len(classes))
	for k, c := range classes {
		all[k] = ClassQuality{Class: c.Label, SSIM: 1, SSIMLower: 1, Pearson: 1, Top10Overlap: 1}
	}
	return all
}

// Checks are exact values beside those of the map.
type Checks struct {
	Positions  int
	RMS, Worst float64 // of the differences of probabilities, over all classes
}

// comparable is a class's map as it is compared with others; positions that form no grid
// stand in a row.
func (h *HeatMap) comparable(c ClassMap) quality.Map {
	g := h.Plan.Grid
	if g.Listed {
		return quality.Map{W: len(g.Positions), H: 1, P: c.P}
	}
	return quality.Map{W: g.Cols(), H: g.Rows(), P: h.cells(c)}
}

// compare says how near a class's map on the positions of this one is to the exact
// one.
func (h *HeatMap) compare(exact, approximate ClassMap) (quality.Figures, error) {
	g := h.Plan.Grid
	f, err := quality.Compare(h.comparable(exact), h.comparable(approximate),
		&quality.Picture{X: g.X, Y: g.Y, PatchW: g.PatchW, PatchH: g.PatchH, Width: g.Width, Height: g.Height, P0: exact.P0})
	if err != nil {
		return f, fmt.Errorf("image %q, class %s: comparing the map with the exact one: %w", h.Image, exact.Label, err)
	}
	return f, nil
}
