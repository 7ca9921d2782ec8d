package networktest

import (
	"fmt"
	"math"

	"occlude/internal/network"
)

// Eval runs a network on one image (HWC) and returns the value of every layer,
// in the network's order, each in HWC. It is the plainest reading of what the
// ops say they compute: one loop per definition, all in float64, no care for
// speed. Rewrites and kernels are compared with it.
func Eval(n *network.Network, image []float32) ([][]float64, error) {
	if len(image) != n.Input().Shape.Len() {
		return nil, fmt.Errorf("image of %d values for an input of %s", len(image), n.Input().Shape)
	}
	values := make(map[*network.Layer][]float64, len(n.Layers))
	all := make([][]float64, len(n.Layers))
	for i, l := range n.Layers {
		in := make([][]float64, len(l.In))
		for j, p := range l.In {
			v, ok := values[p]
			if !ok {
				return nil, fmt.Errorf("%s reads %s, which does not come before it", l, p)
			}
			in[j] = v
		}
		v, err := eval(l, in, image)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", l, err)
		}
		if len(v) != l.Shape.Len() {
			return nil, fmt.Errorf("%s made %d values, its shape is %s", l, len(v), l.Shape)
		}
		values[l], all[i] = v, v
	}
	return all, nil
}

// Output runs a network on one image and returns the value of its output layer.
func Output(n *network.Network, image []float32) ([]float64, error) {
	all, err := Eval(n, image)
	if err != nil {
		return nil, err
	}
	for i, l := range n.Layers {
		if l == n.Output {
			return all[i], nil
		}
	}
	return nil, fmt.Errorf("the output %s is not among the layers", n.Output)
}

// Layer is what a layer makes of its inputs' values, all in HWC.
func Layer(l *network.Layer, in [][]float64) ([]float64, error) {
	if _, ok := l.Op.(network.Input); ok {
		return nil, fmt.Errorf("%s has no inputs", l)
	}
	return eval(l, in, nil)
}

func eval(l *network.Layer, in [][]float64, image []float32) ([]float64, error) {
	switch op := l.Op.(type) {
	case network.Input:
		return wide(image), nil
	case network.Const:
		return wide(op.Value.Float32s()), nil
	case network.Pointwise:
		return mapped(in[0], func(x float64, _ int) float64 { return Apply(op.Act, x) }), nil
	case network.PRelu:
		c := len(op.Slope)
		return mapped(in[0], func(x float64, i int) float64 {
			return max(0, x) + float64(op.Slope[i%c])*min(0, x)
		}), nil
	case network.Affine:
		c := len(op.Scale)
		return mapped(in[0], func(x float64, i int) float64 {
			return Apply(op.Act, x*float64(op.Scale[i%c])+float64(op.Shift[i%c]))
		}), nil
	case network.Binary:
		return binary(op, l, in), nil
	case network.LRN:
		return lrn(op, l, in[0]), nil
	case network.Softmax:
		return softmax(op, l, in[0]), nil
	case network.ChannelReduce:
		return channelReduce(op, l, in[0]), nil
	case network.Concat:
		return concat(l, in), nil
	case network.Channels:
		return made(l, func(y, x, c int) float64 { return at(l.In[0], in[0], y, x, op.Index[c]) }), nil
	case network.Conv:
		return conv(op, l, in), nil
	case network.Pool:
		return pool(op, l, in[0]), nil
	case network.GlobalPool:
		return globalPool(op, l, in[0]), nil
	case network.InstanceNorm:
		return instanceNorm(op, l, in[0]), nil
	case network.Dense:
		return dense(op, in[0]), nil
	case network.Slice:
		return made(l, func(y, x, c int) float64 {
			return at(l.In[0], in[0], op.Y.Start+y*op.Y.Step, op.X.Start+x*op.X.Step, c)
		}), nil
	case network.Pad:
		return pad(op, l, in[0]), nil
	case network.Flatten:
		s := l.In[0].Shape
		return mapped(in[0], func(_ float64, i int) float64 {
			c, cell := i/s.Cells(), i%s.Cells()
			return in[0][cell*s.C+c]
		}), nil
	case network.Unflatten:
		return made(l, func(y, x, c int) float64 { return in[0][c*l.Shape.Cells()+y*l.Shape.W+x] }), nil
	case network.Reshaped:
		return in[0], nil
	case network.Function:
		return function(op, in)
	}
	return nil, fmt.Errorf("no definition of %T", l.Op)
}

// Apply is the activation's value at x.
func Apply(a network.Activation, x float64) float64 {
	alpha, beta := float64(a.Alpha), float64(a.Beta)
	sigmoid := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
	softplus := func(x float64) float64 { return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }
	pick := func(yes bool, a, b float64) float64 {
		if yes {
			return a
		}
		return b
	}
	switch a.Fn {
	case network.None:
		return x
	case network.Relu:
		return max(0, x)
	case network.LeakyRelu:
		return pick(x < 0, alpha*x, x)
	case network.Elu:
		return pick(x < 0, alpha*math.Expm1(x), x)
	case network.Celu:
		return max(0, x) + min(0, alpha*math.Expm1(x/alpha))
	case network.Selu:
		return beta * pick(x < 0, alpha*math.Expm1(x), x)
	case network.Gelu:
		return x / 2 * (1 + math.Erf(x/math.Sqrt2))
	case network.GeluTanh:
		return x / 2 * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))
	case network.Sigmoid:
		return sigmoid(x)
	case network.HardSigmoid:
		return min(1, max(0, alpha*x+beta))
	case network.HardSwish:
		return x * min(1, max(0, alpha*x+beta))
	case network.Swish:
		return x * sigmoid(alpha*x)
	case network.Mish:
		return x * math.Tanh(softplus(x))
	case network.Tanh:
		return math.Tanh(x)
	case network.Softplus:
		return softplus(x)
	case network.Softsign:
		return x / (1 + math.Abs(x))
	case network.Clip:
		return min(beta, max(alpha, x))
	case network.Threshold:
		return pick(x > alpha, x, 0)
	case network.Exp:
		return math.Exp(x)
	case network.Log:
		return math.Log(x)
	case network.Sqrt:
		return math.Sqrt(x)
	case network.Reciprocal:
		return 1 / x
	case network.Abs:
		return math.Abs(x)
	case network.Neg:
		return -x
	case network.Erf:
		return math.Erf(x)
	case network.Power:
		return math.Pow(x, alpha)
	case network.Floor:
		return math.Floor(x)
	case network.Ceil:
		return math.Ceil(x)
	case network.Round:
		return math.RoundToEven(x)
	case network.Sign:
		return pick(x == 0, 0, math.Copysign(1, x))
	}
	return math.NaN()
}

func binary(op network.Binary, l *network.Layer, in [][]float64) []float64 {
	repeat := func(i, y, x, c int) float64 {
		s := l.In[i].Shape
		return at(l.In[i], in[i], min(y, s.H-1), min(x, s.W-1), min(c, s.C-1))
	}
	return made(l, func(y, x, c int) float64 {
		a, b := repeat(0, y, x, c), repeat(1, y, x, c)
		var r float64
		switch op.Fn {
		case network.Add:
			r = a + b
		case network.Sub:
			r = a - b
		case network.Mul:
			r = a * b
		case network.Div:
			r = a / b
		case network.Max:
			r = max(a, b)
		case network.Min:
			r = min(a, b)
		case network.Pow:
			r = math.Pow(a, b)
		default:
			r = math.NaN()
		}
		return Apply(op.Act, r)
	})
}

// lrn sums ONNX's neighbourhood: (Size-1)/2 channels before, the rest behind.
func lrn(op network.LRN, l *network.Layer, in []float64) []float64 {
	return made(l, func(y, x, c int) float64 {
		sum := 0.0
		from := c - (op.Size-1)/2
		for i := max(from, 0); i < min(from+op.Size, l.Shape.C); i++ {
			v := at(l.In[0], in, y, x, i)
			sum += v * v
		}
		return at(l.In[0], in, y, x, c) /
			math.Pow(float64(op.Bias)+float64(op.Alpha)/float64(op.Size)*sum, float64(op.Beta))
	})
}

func softmax(op network.Softmax, l *network.Layer, in []float64) []float64 {
	return made(l, func(y, x, c int) float64 {
		largest := math.Inf(-1)
		for i := range l.Shape.C {
			largest = max(largest, at(l.In[0], in, y, x, i))
		}
		sum := 0.0
		for i := range l.Shape.C {
			sum += math.Exp(at(l.In[0], in, y, x, i) - largest)
		}
		log := at(l.In[0], in, y, x, c) - largest - math.Log(sum)
		if op.Log {
			return log
		}
		return math.Exp(log)
	})
}

// reduce combines values by a reduction's name.
func reduce(fn string, v []float64) float64 {
	sum, largest := 0.0, math.Inf(-1)
	for _, x := range v {
		sum += x
		largest = max(largest, x)
	}
	switch fn {
	case network.Mean:
		return sum / float64(len(v))
	case network.Sum:
		return sum
	case network.Largest:
		return largest
	}
	return math.NaN()
}

func channelReduce(op network.ChannelReduce, l *network.Layer, in []float64) []float64 {
	n := l.In[0].Shape.C
	return made(l, func(y, x, _ int) float64 {
		cell := (y*l.Shape.W + x) * n
		return reduce(op.Fn, in[cell:cell+n])
	})
}

func globalPool(op network.GlobalPool, l *network.Layer, in []float64) []float64 {
	s := l.In[0].Shape
	return made(l, func(_, _, c int) float64 { return reduce(op.Fn, channel(s, in, c)) })
}

func instanceNorm(op network.InstanceNorm, l *network.Layer, in []float64) []float64 {
	return made(l, func(y, x, c int) float64 {
		v := channel(l.Shape, in, c)
		mean := reduce(network.Mean, v)
		variance := reduce(network.Mean, mapped(v, func(x float64, _ int) float64 { return (x - mean) * (x - mean) }))
		return float64(op.Scale[c])*(at(l, in, y, x, c)-mean)/math.Sqrt(variance+float64(op.Epsilon)) + float64(op.Shift[c])
	})
}

func concat(l *network.Layer, in [][]float64) []float64 {
	var out []float64
	for cell := range l.Shape.Cells() {
		for i, p := range l.In {
			out = append(out, in[i][cell*p.Shape.C:(cell+1)*p.Shape.C]...)
		}
	}
	return out
}

func conv(op network.Conv, l *network.Layer, in [][]float64) []float64 {
	from := l.In[0]
	w := op.Weights.Float32s()
	perGroup, groupIn := op.Filters()/op.Groups, op.GroupIn()
	return made(l, func(y, x, f int) float64 {
		sum := 0.0
		if op.Bias != nil {
			sum = float64(op.Bias[f])
		}
		for ky := range op.Y.Kernel {
			for kx := range op.X.Kernel {
				iy := y*op.Y.Stride - op.Y.Pad + ky*op.Y.Dilation
				ix := x*op.X.Stride - op.X.Pad + kx*op.X.Dilation
				if !inside(from.Shape, iy, ix) {
					continue
				}
				for c := range groupIn {
					k := w[((f*op.Y.Kernel+ky)*op.X.Kernel+kx)*groupIn+c]
					sum += float64(k) * at(from, in[0], iy, ix, f/perGroup*groupIn+c)
				}
			}
		}
		if op.Residual {
			sum += at(l, in[1], y, x, f)
		}
		return Apply(op.Act, sum)
	})
}

func pool(op network.Pool, l *network.Layer, in []float64) []float64 {
	s := l.In[0].Shape
	return made(l, func(y, x, c int) float64 {
		sum, largest, count := 0.0, math.Inf(-1), 0
		for ky := range op.Y.Kernel {
			for kx := range op.X.Kernel {
				iy := y*op.Y.Stride - op.Y.Pad + ky*op.Y.Dilation
				ix := x*op.X.Stride - op.X.Pad + kx*op.X.Dilation
				switch {
				case inside(s, iy, ix):
					v := at(l.In[0], in, iy, ix, c)
					sum += v
					largest = max(largest, v)
					count++
				case op.CountPad && iy < s.H+op.After.Y && ix < s.W+op.After.X:
					count++
				}
			}
		}
		if op.Max {
			return largest
		}
		return sum / float64(count)
	})
}

func dense(op network.Dense, in []float64) []float64 {
	w := op.Weights.Float32s()
	out := make([]float64, op.Weights.Shape()[0])
	for o := range out {
		if op.Bias != nil {
			out[o] = float64(op.Bias[o])
		}
		for i, x := range in {
			out[o] += float64(w[o*len(in)+i]) * x
		}
		out[o] = Apply(op.Act, out[o])
	}
	return out
}

func pad(op network.Pad, l *network.Layer, in []float64) []float64 {
	s := l.In[0].Shape
	return made(l, func(y, x, c int) float64 {
		iy, ix := op.Source(y, s.H, op.Top), op.Source(x, s.W, op.Left)
		if iy < 0 || ix < 0 {
			return float64(op.Value)
		}
		return at(l.In[0], in, iy, ix, c)
	})
}

func function(op network.Function, in [][]float64) ([]float64, error) {
	args := make([][]float32, len(in))
	for i, v := range in {
		args[i] = make([]float32, len(v))
		for j, x := range v {
			args[i][j] = float32(x)
		}
	}
	out, err := op.Call(args)
	return wide(out), err
}

// made fills a layer's output cell by cell.
func made(l *network.Layer, value func(y, x, c int) float64) []float64 {
	out := make([]float64, 0, l.Shape.Len())
	for y := range l.Shape.H {
		for x := range l.Shape.W {
			for c := range l.Shape.C {
				out = append(out, value(y, x, c))
			}
		}
	}
	return out
}

func mapped(in []float64, f func(x float64, i int) float64) []float64 {
	out := make([]float64, len(in))
	for i, x := range in {
		out[i] = f(x, i)
	}
	return out
}

// at is the value of a layer at a place, given all its values.
func at(l *network.Layer, v []float64, y, x, c int) float64 {
	return v[(y*l.Shape.W+x)*l.Shape.C+c]
}

func inside(s network.Shape, y, x int) bool { return y >= 0 && y < s.H && x >= 0 && x < s.W }

func channel(s network.Shape, v []float64, c int) []float64 {
	out := make([]float64, s.Cells())
	for i := range out {
		out[i] = v[i*s.C+c]
	}
	return out
}

func wide(v []float32) []float64 {
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = float64(x)
	}
	return out
}
