package cost

import (
	"math"

	"occlude/internal/network"
	"occlude/operators"
	"occlude/operators/region"
)

// Form is what an algorithm makes of a convolution: instead of a window for each
// cell it computes tiles of cells, each by products at a number of points
// between two transforms.
type Form struct {
	Algorithm operators.Algorithm
	// TileH and TileW are the cells of an output tile, TapsH and TapsW those of
	// the window, Points the products that a tile takes for each pair of an input
	// and an output channel. All are 1 for Direct.
	TileH, TileW, TapsH, TapsW, Points int
	// Depth is the points along the axes, added up: the products that it takes
	// to transform a value along one axis after the other, 0 for Direct.
	Depth int
	// Error is the rounding error of a layer, as a share of its values: the root
	// of the mean square of the differences from float64, over that of the
	// values.
	Error float64
}

// directError is the rounding error of sums of products, of up to 5000 of them.
// Measured by TestErrors on all sets of kernels.
const directError = 1e-6

// tileErrors are the rounding errors of Winograd's algorithms by the number of
// points along an axis: with tiles along both axes, and along one of them. An
// algorithm whose number of points is not in here is never chosen. Measured by
// TestErrors on all sets of kernels.
var tileErrors = []struct {
	points       int
	square, line float64
}{
	{4, 7e-7, 5e-7},
	{6, 2e-6, 9e-7},
	{8, 8e-6, 1.7e-6},
	{10, math.Inf(1), 4e-6},
	{12, math.Inf(1), 7e-6},
}

// Of gives the form in which an algorithm computes a convolution; every other
// layer is computed by its definition, which is Direct.
func Of(l *network.Layer, a operators.Algorithm) Form {
	f := Form{Algorithm: operators.Direct, TileH: 1, TileW: 1, TapsH: 1, TapsW: 1, Points: 1, Error: directError}
	op, ok := l.Op.(network.Conv)
	if tile := a.Tile(); ok && tile > 1 {
		f = Form{Algorithm: a, TileH: 1, TileW: 1, TapsH: op.Y.Kernel, TapsW: op.X.Kernel, Points: 1, Error: math.Inf(1)}
		y, x := op.Y.Kernel > 1, op.X.Kernel > 1
		along := func(tileSide *int, kernel int) {
			points := tile + kernel - 1
			*tileSide, f.Points, f.Depth = tile, f.Points*points, f.Depth+points
		}
		if y {
			along(&f.TileH, op.Y.Kernel)
		}
		if x {
			along(&f.TileW, op.X.Kernel)
		}
		for _, e := range tileErrors {
			switch points := tile + max(op.Y.Kernel, op.X.Kernel) - 1; {
			case points != e.points:
			case y && x:
				f.Error = e.square
			default:
				f.Error = e.line
			}
		}
	}
	return f
}

// Forms lists the forms in which a layer can be computed, Direct first; none for
// layers that are no convolutions.
func Forms(l *network.Layer) []Form {
	var all []Form
	for _, a := range operators.Algorithms(l) {
		if f := Of(l, a); !math.IsInf(f.Error, 1) {
			all = append(all, f)
		}
	}
	return all
}

// Products is the number of products that a rectangle takes for each pair of an
// input and an output channel. Tiles at the rectangle's rim take those that their
// cells need.
func (f Form) Products(r region.Rect) int64 {
	return int64(f.Algorithm.Points(r.H(), r.W(), f.TapsH, f.TapsW))
}

// Tiles is the number of tiles that cover a rectangle, laid from its top left.
func (f Form) Tiles(r region.Rect) int64 {
	return int64((r.H()+f.TileH-1)/f.TileH) * int64((r.W()+f.TileW-1)/f.TileW)
}

// Error is the expected error of the probabilities of a network whose layers are
// computed by the given algorithms, by Index: the root of the sum of the squares
// of the layers' errors, which are independent of each other. A chain of layers
// hands errors on without enlarging them, as long as each scales its input to
// values of about the size that it got.
//
// Measured on torchvision's VGG16 (2.6e-5 with tiles of 6x6), ResNet18,
// InceptionV3, GoogLeNet, DenseNet121 and SqueezeNet, the probabilities are off
// by a third of this at most, and by a seventh in the root of the mean square.
func Error(net *network.Network, algorithms []operators.Algorithm) float64 {
	sum := 0.0
	for i, l := range net.Layers {
		switch l.Op.(type) {
		case network.Conv, network.Dense: // others add up too little to count
			e := Of(l, algorithms[i]).Error
			sum += e * e
		}
	}
	return math.Sqrt(sum)
}
