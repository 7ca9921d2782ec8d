// Package heatmap draws occlusion heat maps: pictures for a page, and small ones
// for a terminal.
//
// # What is drawn
//
// A heat map says, for every place of a patch on a grid, what probability p a
// class keeps when the patch hides that part of the image. Next to it stands p0,
// the probability on the whole image. [Render] and [EncodePNG] put one panel per
// class on a page: the image, the map over it, a colour bar with numbers, the
// class and p0, and the pixels of the model's input along the edges, in which
// queries give their positions. [HalfBlocks] does the same with characters, for terminals;
// [Overlay] draws the map over the image alone, for those that draw pixels, and [Preview]
// fills in what is missing of a map that grows.
//
// A [Pair] is two figures side by side, for what differs between two models, images
// or fills: a row of three panels for each class, of which the first two share a
// scale and the third shows the difference.
//
// Nothing here knows queries, models or files; a [Figure] is plain data. The same
// figure gives the same bytes every time.
//
// # From positions to pixels
//
// A position's value belongs to the centre of its patch. Centres divide the image
// into cells whose borders lie half-way between neighbours, and the outermost
// cells reach to the image's edge, so the image is covered:
//
//	X:        0       4       8           14      left edges, patch 4, image 18 wide
//	centres:  +---*-------*-------*-----------*---+
//	cells:    |-------|-------|---------|---------|
//
// Between centres the value is interpolated bilinearly. A position that was not
// evaluated (NaN) leaves its whole cell without colour and has no part in its
// neighbours' interpolation. Because no change is without colour too, a line is
// drawn where the evaluated region ends, and the caption says what it means.
//
// # From values to colours
//
// The default colour map, coolwarm, shows p0 - p on a scale symmetric about zero:
// warm where the patch hid what supports the class, cold where it hid what speaks
// against it, and nothing where it made no difference. It is built in Oklab, a
// space in which equal steps look equal, out of two arms that are mirror images
// in lightness and chroma, and its colours are equally far apart by construction.
// Its opacity grows with the change. Colour covers the image's own sooner than
// its light and shade, so that what lies under the strongest colours can still be
// made out. The image is drawn in gray: colour only ever means the map. (What
// differs in colour alone is then lost; [Figure.Original] adds a panel that keeps it.)
//
//	coolwarm            p0 - p, from -m to m, m the largest change; over a gray image
//	viridis, hot, gray  p0 - p, from the least to the greatest change, zero included; over a gray image
//	jet                 p, from 0.75 p0 to min(1, 1.25 p0); half and half with the image in its colours
//
// Every map has a reversed twin (jet_r is what the pictures of Krypton look like).
// The ends of a bar are pointed when values lie beyond them. Every panel of a figure
// has a scale and a bar of its own, because classes differ in range by orders of
// magnitude and a common scale would blank the weaker ones; a scale never spans
// less than a millionth, so that rounding does not look like a finding.
package heatmap
