// Package lattice holds the two ideas of adaptive drill-down: to know a heat map from
// a lattice of its positions, and to find where it is worth knowing better; and that of
// growing maps: lattices within lattices, from coarse to fine. It is
// arithmetic over positions; how one is computed is the caller's business.
//
// Adaptive drill-down (Krypton: Nakandala, Kumar, Papakonstantinou, SIGMOD 2019,
// section 5.2) computes a coarse heat map at a stride S1 above the wanted S2,
// enlarges it, and computes again, at S2, the share r of the positions with the
// largest values. Computing S2²/S1² of the positions and then r of them is
//
//	t = S1² / (S2² + r S1²)     so     S1 = √(t / (1 - r t)) S2
//
// times faster than all of them, which Stride inverts for a wanted t. That has a
// solution below the image's side W while
//
//	t < min(W² / (S2² + r W²), 1 / r)
//
// which Most gives. S1 is then rounded up to a multiple of S2, so that the coarse
// map's positions are positions of the fine one.
//
// # The lattice
//
// It takes every k-th column and row of a grid, and the last ones: the rim,
// whose distance may differ, and without which the map would end in a guess.
//
//	●───┬───┬───┬───●───┬───┬───┬───●──┐
//	├   ┼   ┼   ┼   ┼   ┼   ┼   ┼   ┼  ┤        ● the lattice, k = 4
//	├   ┼   ┼   ┼   ┼   ┼   ┼   ┼   ┼  ┤        ┼ enlarged: bilinear between
//	├   ┼   ┼   ┼   ┼   ┼   ┼   ┼   ┼  ┤          the four around it, by pixels
//	●───┴───┴───┴───●───┴───┴───┴───●──●
//
// A grid may have holes, where nothing is wanted. A corner in a hole counts for
// nothing: the weights of the others are scaled to one, and where none of those
// has a weight, the nearest counts alone. A block between lattice lines that has
// positions, but all corners in holes, gets its position nearest to the block's
// centre into the lattice, for the block's positions alone. So every position
// has a sample within a block's size, and an enlarged map has no gaps.
//
// # Levels
//
// Lattices of steps k, k/2, k/4, ..., 1 hold each other's lines, so whatever is known of
// a map can be seen from coarse to fine: the level of a position is the coarsest lattice
// that has it. Positions are computed level by level, and at any time the others are
// enlarged from those that are there, one level from the one above it:
//
//	0 3 2 3 1 3 2 3 0 3 2 3 1 3 2 3 0 3 0      levels of a row of 19, k = 8, and its rim
//
// So a known position counts for those around it that are finer than it is, and with a
// whole level known the map is that level's lattice, enlarged.
package lattice
