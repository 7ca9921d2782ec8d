package cost

import "occlude/internal/network"

// Classes of layers that have a rate of their own.
const (
	Conv      = "conv"      // any convolution that is not one of the next
	ConvThin  = "conv thin" // few input channels (at most Thin), as in stems
	Depthwise = "depthwise"
	Dense     = "dense"
	Pool      = "pool"
	Cellwise  = "cellwise" // element-wise layers and layers that move values
	Global    = "global"   // global pools and normalizations
	Curve     = "curve"    // activations that need an exponential
	Function  = "function" // reference operators
)

// Classes of the parts of Winograd's algorithms.
const (
	// Product is the multiply-adds at the points of tiles.
	Product = "product"
	// Transform is the products of transforms: Form.Depth for each point and
	// channel of a tile, input and output alike.
	Transform = "transform"
)

// Thin is the number of input channels up to which a convolution is ConvThin.
const Thin = 4

// Class is the class of a layer.
func Class(l *network.Layer) string {
	switch op := l.Op.(type) {
	case network.Conv:
		switch {
		case op.Depthwise():
			return Depthwise
		case op.GroupIn() <= Thin:
			return ConvThin
		}
		return Conv
	case network.Dense:
		return Dense
	case network.Pool:
		return Pool
	case network.GlobalPool, network.InstanceNorm:
		return Global
	case network.Function:
		return Function
	case network.Softmax:
		return Curve
	case network.Pointwise:
		return activationClass(op.Act)
	}
	return Cellwise
}

func activationClass(a network.Activation) string {
	switch a.Fn {
	case network.None, network.Relu, network.LeakyRelu, network.Clip, network.HardSigmoid, network.HardSwish,
		network.Abs, network.Neg, network.Reciprocal, network.Sqrt, network.Threshold, network.Sign,
		network.Floor, network.Ceil, network.Round:
		return Cellwise
	}
	return Curve
}

// stored tells whether an activation is applied where a result is stored, which
// takes no time of its own: the clamps.
func stored(a network.Activation) bool {
	switch a.Fn {
	case network.None, network.Relu, network.Clip:
		return true
	}
	return false
}
