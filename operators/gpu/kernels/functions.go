package kernels

import "occlude/internal/network"

// Functions are the activations of an Ending, each at its number. The first leaves
// values as they are; Relu and Clip are bounds.
var Functions = []string{
	network.None, network.LeakyRelu, network.Elu, network.Celu, network.Selu, network.Gelu, network.GeluTanh,
	network.Sigmoid, network.HardSigmoid, network.HardSwish, network.Swish, network.Mish, network.Tanh, network.Softplus,
	network.Softsign, network.Threshold, network.Exp, network.Log, network.Sqrt, network.Reciprocal, network.Abs,
	network.Neg, network.Erf, network.Power, network.Floor, network.Ceil, network.Round, network.Sign,
}

// Arithmetic are the functions of binary, Reductions those of channel_reduce and
// global_pool, PadModes the modes of pad, each at its number.
var (
	Arithmetic = []string{network.Add, network.Sub, network.Mul, network.Div, network.Max, network.Min, network.Pow}
	Reductions = []string{network.Mean, network.Sum, network.Largest}
	PadModes   = []string{network.PadConstant, network.PadEdge, network.PadReflect}
)

// Modes of rearrange: a map into ONNX's order, the same backwards, and a map of
// another shape in stored order.
const (
	Flatten = iota
	Unflatten
	Reshape
)
