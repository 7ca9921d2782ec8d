// Package curve says how the quality of a model's heat maps falls with tau, the
// share of a layer's width and height that an update may reach in Krypton's
// projective field thresholding (Nakandala, Kumar, Papakonstantinou, SIGMOD 2019).
//
//	sample images ──▶ points: quality at tau = 1, .9, ... .4 ──New──▶ c0 + c1 tau + c2 tau²
//	                                                                       │
//	a query's target ─────────────────────────────────────────LowestTau─▶ tau
//
// What a curve was measured for is its [Key]: a model's file and its
// preprocessing, a patch, a stride, a fill and a metric. It says nothing of any
// other. A curve is an average over the images that it was measured on: many a map
// is worse, and how much worse, its points tell.
package curve
