package executor

import "occlude/internal/quality"

// Quality is how near an approximate heat map was found to be to the exact one.
type Quality struct {
	// Target is the structural similarity that was asked for, 0 for none, and
	// Reached whether the map was found to have it: by the lower bound of the
	// estimate, or by the figures measured against the exact map.
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

// ClassQuality are the figures of one class's map against the exact one.
type ClassQuality struct {
	Class string
	// SSIM is the structural similarity that the samples let expect, and SSIMLower
	// a bound that it was measured to exceed in more than 95% of maps.
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
