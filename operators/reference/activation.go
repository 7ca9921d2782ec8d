package reference

import (
	"math"

	"occlude/internal/onnx"
)

// activation makes the kernel of a function of single real numbers that has
// parameters in the node's attributes.
func activation(of func(c *call) func(x float64) float64) func(*call) (*onnx.Tensor, error) {
	return func(c *call) (*onnx.Tensor, error) { return c.apply(c.in[0], unary{float: of(c)}) }
}

// param reads a float attribute with its default.
func (c *call) param(name string, def float64) float64 {
	if !c.Has(name) {
		return def
	}
	return float64(c.Float(name, float32(def)))
}

var reluOf = unary{
	float: func(x float64) float64 {
		if x < 0 {
			return 0
		}
		return x // NaN stays NaN
	},
	signed: func(x int64) int64 { return max(x, 0) },
}

func swish(c *call) func(float64) float64 {
	alpha := c.param("alpha", 1)
	return func(x float64) float64 { return x * sigmoid(alpha*x) }
}

func leakyRelu(c *call) func(float64) float64 {
	alpha := c.param("alpha", 0.01)
	return func(x float64) float64 {
		if x < 0 {
			return alpha * x
		}
		return x
	}
}

func thresholdedRelu(c *call) func(float64) float64 {
	alpha := c.param("alpha", 1)
	return func(x float64) float64 {
		if x > alpha {
			return x
		}
		return 0
	}
}

func elu(c *call) func(float64) float64 {
	alpha := c.param("alpha", 1)
	return func(x float64) float64 {
		if x < 0 {
			return alpha * math.Expm1(x)
		}
		return x
	}
}

func selu(c *call) func(float64) float64 {
	alpha := c.param("alpha", 1.67326319217681884765625)
	gamma := c.param("gamma", 1.05070102214813232421875)
	if c.opset < 6 { // version 1 rounded its defaults
		alpha, gamma = c.param("alpha", 1.6732), c.param("gamma", 1.0507)
	}
	return func(x float64) float64 {
		if x <= 0 {
			return gamma * alpha * math.Expm1(x)
		}
		return gamma * x
	}
}

func celu(c *call) func(float64) float64 {
	alpha := c.param("alpha", 1)
	return func(x float64) float64 {
		return math.Max(0, x) + math.Min(0, alpha*math.Expm1(x/alpha))
	}
}

// gelu is x times the normal distribution's mass below x, or the well known
// approximation of it by tanh.
func gelu(c *call) func(float64) float64 {
	if c.Str("approximate", "none") == "tanh" {
		return func(x float64) float64 {
			return x / 2 * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))
		}
	}
	return func(x float64) float64 { return x / 2 * (1 + math.Erf(x/math.Sqrt2)) }
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

func hardSigmoid(c *call) func(float64) float64 {
	alpha, beta := c.param("alpha", 0.2), c.param("beta", 0.5)
	return func(x float64) float64 { return math.Max(0, math.Min(1, alpha*x+beta)) }
}

func hardSwish(x float64) float64 { return x * math.Max(0, math.Min(1, x/6+0.5)) }

// softplus is log(1 + exp(x)), written so that exp does not overflow.
func softplus(x float64) float64 { return math.Max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }

func softsign(x float64) float64 { return x / (1 + math.Abs(x)) }

func mish(x float64) float64 { return x * math.Tanh(softplus(x)) }

func shrink(c *call) func(float64) float64 {
	lambd, bias := c.param("lambd", 0.5), c.param("bias", 0)
	return func(x float64) float64 {
		switch {
		case x < -lambd:
			return x + bias
		case x > lambd:
			return x - bias
		}
		return 0
	}
}

// prelu multiplies negative values with a slope that broadcasts to the input.
// Before version 7 the slope is one number or one per channel.
func prelu(c *call) (*onnx.Tensor, error) {
	x, slope := c.in[0], c.in[1]
	if c.opset < 7 && slope.Rank() == 1 && x.Rank() > 2 {
		dims := []int{slope.Dims[0]}
		for range x.Rank() - 2 {
			dims = append(dims, 1)
		}
		slope = reshaped(slope, dims)
	}
	y, err := c.combine(x, slope, binary{
		float: func(x, slope float64) float64 {
			if x < 0 {
				return x * slope
			}
			return x
		},
		signed: func(x, slope int64) int64 {
			if x < 0 {
				return x * slope
			}
			return x
		},
		unsigned: func(x, _ uint64) uint64 { return x },
	})
	if err != nil {
		return nil, err
	}
	return y, sameShape(y, x)
}
