package planner

import "time"

// Goals are what a query asks of its answer beside the positions: the clauses
// SSIM, WITHIN and VERIFY. The zero value asks for nothing.
type Goals struct {
	// SSIM is the least structural similarity to the exact heat map, of every
	// class, in (0, 1]; 0 where nothing is asked.
	SSIM float64
	// Within is how long the statement may take from its start, over all images;
	// 0 for as long as it takes. OrFail refuses what cannot be done in that time.
	Within time.Duration
	OrFail bool
	// Verify is how many positions to compute exactly once the map is done, to
	// measure its error; VerifyAll computes all.
	Verify    int
	VerifyAll bool
}

// Approximates tells whether the goals leave room for maps that are not exact.
func (g Goals) Approximates() bool { return g.SSIM > 0 || g.Within > 0 }

// Verifies tells whether the map's error is to be measured when it is done.
func (g Goals) Verifies() bool { return g.Verify > 0 || g.VerifyAll }
