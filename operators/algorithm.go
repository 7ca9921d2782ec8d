package operators

import (
	"occlude/internal/network"
	"occlude/operators/region"
)

// Algorithm is a way to compute a convolution.
type Algorithm string

// The algorithms. All give the same values but for rounding.
const (
	// Direct sums the products of the definition.
	Direct Algorithm = "direct"
	// Winograd2, Winograd4 and Winograd6 compute tiles of 2x2, 4x4 and 6x6 cells
	// with fewer multiplications, for windows of 3x3 2.25, 4 and 5.06 times (Lavin
	// and Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016).
	// Larger tiles round more.
	Winograd2 Algorithm = "F(2x2)"
	Winograd4 Algorithm = "F(4x4)"
	Winograd6 Algorithm = "F(6x6)"
	// WinogradLine2, WinogradLine4 and WinogradLine6 do so along the only axis on
	// which a window has more than one tap, for windows of 1x7 1.75, 2.8 and 3.5
	// times.
	WinogradLine2 Algorithm = "F(2)"
	WinogradLine4 Algorithm = "F(4)"
	WinogradLine6 Algorithm = "F(6)"
	// Tensor multiplies on a GPU's tensor cores: each product as three of numbers in
	// fp16, about as exact as Direct. See package gpu.
	Tensor Algorithm = "tensor"
)

// AllAlgorithms lists every algorithm of the processor, Direct first. Those of a GPU are
// gpu.AllAlgorithms.
func AllAlgorithms() []Algorithm {
	return []Algorithm{Direct, Winograd2, Winograd4, Winograd6, WinogradLine2, WinogradLine4, WinogradLine6}
}

// maxPoints are the most points at which tiles are evaluated along an axis: of
// windows with several taps on both axes, and on one of them. More lose too
// much precision.
const (
	maxPoints     = 8
	maxLinePoints = 12
)

// Algorithms lists the ways in which the processor can compute a layer, Direct first;
// none for layers that are no convolutions.
func Algorithms(l *network.Layer) []Algorithm {
	op, ok := l.Op.(network.Conv)
	if !ok {
		return nil
	}
	algorithms := []Algorithm{Direct}
	if op.Groups != 1 || op.X.Stride != 1 || op.Y.Stride != 1 || !simple(op.X) || !simple(op.Y) {
		return algorithms
	}
	candidates, points := []Algorithm{Winograd2, Winograd4, Winograd6}, maxPoints
	switch x, y := op.X.Kernel, op.Y.Kernel; {
	case x == 1 || y == 1:
		candidates, points = []Algorithm{WinogradLine2, WinogradLine4, WinogradLine6}, maxLinePoints
	case x != y:
		return algorithms
	}
	for _, a := range candidates {
		if taps := max(op.X.Kernel, op.Y.Kernel); taps > 1 && a.Tile()+taps-1 <= points {
			algorithms = append(algorithms, a)
		}
	}
	return algorithms
}

// simple tells whether a window's taps along an axis are next to each other and
// odd in number.
func simple(w region.Window) bool { return w.Kernel%2 == 1 && (w.Dilation == 1 || w.Kernel == 1) }

// Tile is the side of the output tiles that an algorithm computes at once.
func (a Algorithm) Tile() int {
	switch a {
	case Winograd2, WinogradLine2:
		return 2
	case Winograd4, WinogradLine4:
		return 4
	case Winograd6, WinogradLine6:
		return 6
	}
	return 1
}

// Points is the number of multiplications, for every input channel and filter,
// that compute a rectangle of h x w cells under a window of so many taps. The
// rectangle is cut into tiles from its top left on; what is left at its bottom
// and right takes smaller tiles, of the points that these need.
func (a Algorithm) Points(h, w, tapsY, tapsX int) int {
	if a.Tile() == 1 {
		return h * w * tapsY * tapsX
	}
	return a.linePoints(h, tapsY) * a.linePoints(w, tapsX)
}

// linePoints is the number of points along one axis.
func (a Algorithm) linePoints(cells, taps int) int {
	if taps == 1 {
		return cells
	}
	tiles := (cells + a.Tile() - 1) / a.Tile()
	return cells + tiles*(taps-1)
}
