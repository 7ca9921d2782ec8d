// Package faithfulness judges a heat map by what the model does: whether the
// pixels that it calls important are those that the class depends on. It knows
// neither queries nor models; it says in which order pixels change, and makes a
// score of the probabilities that somebody else computed.
//
// # From positions to pixels
//
// An occlusion map has a value for each place of a patch, the scores below need
// one for each pixel. A pixel's importance is the mean fall of p over the patches
// that cover it, as Captum's Occlusion has it. [New] makes such a [Map]:
//
//	patches     |--- 0.4 ---|
//	                  |--- 0.2 ---|
//	importance  0.4   | 0.3 | 0.2 |  NaN where no patch comes
//
// [Map.Order] lists the pixels from the most to the least important; those that
// no patch covers come last, and what is equal keeps its reading order.
//
// # Curves
//
// Deletion and insertion (Petsiuk, Das, Saenko: "RISE: Randomized Input Sampling
// for Explanation of Black-box Models", BMVC 2018) change an image into another in
// that order, a share of the pixels at a time, and follow the class's probability.
// Deletion goes from the image to a fill, and p should fall at once: a small area under
// the curve is good. Insertion goes from a fill to the image, and p should rise at once:
// a large area is good. [Area] is the trapezoid rule, divided by the width, so that it is
// a mean of p. The curves of good maps bend in their first hundredths, so [Early] steps
// tell the area better than as many [Even] ones, and change fewer pixels.
//
//	p ┤▔╲                 p ┤   ╱▔▔▔▔
//	  │  ╲    deletion      │  ╱  insertion
//	  │   ╲____             │_╱
//	  └────────┬            └────────┬
//	  0        1            0        1   share of the pixels
//
// A chance map, to compare a score with, has the same values at positions drawn at
// random ([Shuffle]): as coarse as the real one, and as smooth. Single pixels in
// random order would not do; such noise disturbs networks more than any patch.
//
// # Places
//
// Where somebody drew a box around what should matter, pointing (Zhang, Lin,
// Brandt, Shen, Sclaroff: "Top-down Neural Attention by Excitation Backprop", ECCV
// 2016) asks whether the map's peak lies in it, or within a margin of it, 15 pixels
// in that paper. [Map.Peak] is the most important pixel. Several are equal as a rule,
// for all pixels under the same patches are: then it is the one nearest to their
// centre of gravity. Energy (Wang et al.: "Score-CAM", CVPR Workshops 2020) is the
// share of all positive importance that lies inside. Both have a chance that can
// be computed: the share of the pixels that would be a hit, and the share that
// lies inside.
package faithfulness
