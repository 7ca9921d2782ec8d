package planner

// Adaptive is how a candidate chooses its positions while it runs: it computes
// some, predicts the map from them, measures the prediction at positions chosen at
// random, and goes on until the map is good enough (see package sampling).
//
// All that the executor decides by is here, so that it never asks the planner.
type Adaptive struct {
	// SSIM, Pearson and Top10Overlap are what a map must be expected to have
	// before it is good enough; 0 for whatever the time allows.
	SSIM, Pearson, Top10Overlap float64

	// Sketch says how a position is computed cheaply: thresholded, with what that
	// leaves out made up for to first order by the gradient on the clean image
	// (see operators/compensation). Its Rule is the exact one's where no position
	// is worth a sketch.
	Sketch Rectangles

	// SecondsExact and SecondsSketch are the expected elapsed seconds of a position
	// computed exactly and cheaply, SecondsBefore those of everything before the
	// first position (base and backward pass), and SecondsAfter those of everything
	// after the last (drawing and writing).
	SecondsExact, SecondsSketch, SecondsBefore, SecondsAfter float64
}
