// Package region is the algebra of updates: which rectangle of a layer's output
// changes when a rectangle of its input does, and which rectangle of the input
// is needed to compute it again.
//
// An occlusion patch changes a rectangle of the image. Every local layer turns
// a rectangle of its input into one of its output, axis by axis, so the algebra
// is one of half-open intervals [Lo, Hi) of rows or columns:
//
//	input  ─────[■■■■■■)──────────   the update
//	            ╲      ╲
//	output ──────[■■■■■■■)────────   Window.Output: what changes
//	            ╱        ╲
//	input  ────[░■■■■■■░░)────────   Window.Input: the read-in context
//
// For a window of k taps, dilation d, stride s and p cells of padding before the
// first one, output cell o reads the input cells o*s - p + i*d, i in [0, k). An
// input interval [a, b) therefore touches the outputs
//
//	[ ceil((a + p - (k-1)d) / s),  floor((b - 1 + p) / s) + 1 )
//
// clipped to the map (Krypton, section 4.1, with real borders instead of
// unclipped rectangles). The interval is empty when the stride steps over the
// update: the layer is then unchanged. With a dilation above one the interval is
// the hull of what changes.
//
// A rectangle is a pair of intervals, and it is empty when either is. Layers
// that join branches take the bounding box (Union), in which empty rectangles
// count for nothing.
//
// Projective field thresholding keeps updates from growing: Window.Threshold is
// Output with a limit, reached by cropping the update before the window.
//
// The properties are tested against brute force: flip one input cell, see which
// outputs move.
package region
