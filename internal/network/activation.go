package network

import "fmt"

// Function kinds of an Activation. Alpha and Beta are the parameters in the
// formulas; the definitions are ONNX's.
const (
	None        = ""             // x
	Relu        = "relu"         // max(0, x)
	LeakyRelu   = "leaky relu"   // x < 0 ? Alpha*x : x
	Elu         = "elu"          // x < 0 ? Alpha*(exp(x)-1) : x
	Celu        = "celu"         // max(0, x) + min(0, Alpha*(exp(x/Alpha)-1))
	Selu        = "selu"         // Beta * (x < 0 ? Alpha*(exp(x)-1) : x)
	Gelu        = "gelu"         // x/2 * (1 + erf(x/sqrt 2))
	GeluTanh    = "gelu tanh"    // the tanh approximation of Gelu
	Sigmoid     = "sigmoid"      // 1 / (1 + exp(-x))
	HardSigmoid = "hard sigmoid" // min(1, max(0, Alpha*x + Beta))
	HardSwish   = "hard swish"   // x * min(1, max(0, Alpha*x + Beta))
	Swish       = "swish"        // x * sigmoid(Alpha*x)
	Mish        = "mish"         // x * tanh(log(1 + exp(x)))
	Tanh        = "tanh"
	Softplus    = "softplus"  // log(1 + exp(x))
	Softsign    = "softsign"  // x / (1 + |x|)
	Clip        = "clip"      // min(Beta, max(Alpha, x))
	Threshold   = "threshold" // x > Alpha ? x : 0
	Exp         = "exp"
	Log         = "log"
	Sqrt        = "sqrt"
	Reciprocal  = "reciprocal"
	Abs         = "abs"
	Neg         = "neg"
	Erf         = "erf"
	Power       = "power" // x^Alpha
	Floor       = "floor"
	Ceil        = "ceil"
	Round       = "round" // to nearest, ties to even
	Sign        = "sign"
)

// Activation is a function of one number, applied to every value.
type Activation struct {
	Fn          string
	Alpha, Beta float32
}

// IsNone tells whether the activation leaves values as they are.
func (a Activation) IsNone() bool { return a.Fn == None }

// String names the activation with its parameters where it has any.
func (a Activation) String() string {
	switch a.Fn {
	case LeakyRelu, Elu, Celu, Power, Threshold:
		return fmt.Sprintf("%s %g", a.Fn, a.Alpha)
	case Swish:
		if a.Alpha != 1 {
			return fmt.Sprintf("%s %g", a.Fn, a.Alpha)
		}
	case Clip:
		if a.Alpha == 0 && a.Beta == 6 {
			return "relu6"
		}
		return fmt.Sprintf("%s %g..%g", a.Fn, a.Alpha, a.Beta)
	}
	return a.Fn
}

// then appends the activation to a description.
func (a Activation) then(detail string) string {
	switch {
	case a.IsNone():
		return detail
	case detail == "":
		return a.String()
	}
	return detail + ", " + a.String()
}
