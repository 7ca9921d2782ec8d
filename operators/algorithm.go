package operators

import "occlude/internal/network"

// Algorithm is a way to compute a convolution.
type Algorithm string

// The algorithms. All give the same values but for rounding.
const (
	// Direct sums the products of the definition.
	Direct Algorithm = "direct"
	// Winograd2 and Winograd4 compute tiles of 2x2 and 4x4 cells with 2.25 and
	// 4 times fewer multiplications (Lavin and Gray, "Fast Algorithms for
	// Convolutional Neural Networks", CVPR 2016). The larger tile rounds more.
	Winograd2 Algorithm = "F(2x2)"
	Winograd4 Algorithm = "F(4x4)"
)

// Algorithms lists the ways in which a layer can be computed, Direct first;
// none for layers that are no convolutions.
func Algorithms(l *network.Layer) []Algorithm {
	op, ok := l.Op.(network.Conv)
	if !ok {
		return nil
	}
	if op.Groups == 1 && op.X.Kernel == 3 && op.Y.Kernel == 3 && op.X.Stride == 1 && op.Y.Stride == 1 &&
		op.X.Dilation == 1 && op.Y.Dilation == 1 {
		return []Algorithm{Direct, Winograd2, Winograd4}
	}
	return []Algorithm{Direct}
}

// Tile is the side of the output tiles that an algorithm computes at once.
func (a Algorithm) Tile() int {
	switch a {
	case Winograd2:
		return 2
	case Winograd4:
		return 4
	}
	return 1
}
