package reference

import (
	"math"
	"slices"

	"occlude/internal/onnx"
)

// operator is one meaning of an operator: its name, the operator set versions
// since and until (0: to this day) which it has it, how many inputs must be
// there, which types the first input may have, and the kernel.
type operator struct {
	name         string
	since, until int
	required     int
	types        typeSet
	eval         func(*call) ([]*onnx.Tensor, error)
}

// one adapts the kernel of an operator with a single output.
func one(kernel func(*call) (*onnx.Tensor, error)) func(*call) ([]*onnx.Tensor, error) {
	return func(c *call) ([]*onnx.Tensor, error) {
		t, err := kernel(c)
		if err != nil {
			return nil, err
		}
		return []*onnx.Tensor{t}, nil
	}
}

// operators is the list. Versions that differ only in types or in attributes
// that are told apart by their presence share a line.
var operators = []operator{
	// Functions of single elements.
	{"Abs", 1, 0, 1, numbers, one(pointwise(absolute))},
	{"Acos", 7, 0, 1, floats, one(floatFunc(math.Acos))},
	{"Acosh", 9, 0, 1, floats, one(floatFunc(math.Acosh))},
	{"Asin", 7, 0, 1, floats, one(floatFunc(math.Asin))},
	{"Asinh", 9, 0, 1, floats, one(floatFunc(math.Asinh))},
	{"Atan", 7, 0, 1, floats, one(floatFunc(math.Atan))},
	{"Atanh", 9, 0, 1, floats, one(floatFunc(math.Atanh))},
	{"Ceil", 1, 0, 1, floats, one(floatFunc(math.Ceil))},
	{"Celu", 12, 0, 1, floats, one(activation(celu))},
	{"Clip", 1, 0, 1, numbers, one(clip)},
	{"Cos", 7, 0, 1, floats, one(floatFunc(math.Cos))},
	{"Cosh", 9, 0, 1, floats, one(floatFunc(math.Cosh))},
	{"Elu", 1, 0, 1, floats, one(activation(elu))},
	{"Erf", 9, 0, 1, floats, one(floatFunc(math.Erf))},
	{"Exp", 1, 0, 1, floats, one(floatFunc(math.Exp))},
	{"Floor", 1, 0, 1, floats, one(floatFunc(math.Floor))},
	{"Gelu", 20, 0, 1, floats, one(activation(gelu))},
	{"HardSigmoid", 1, 0, 1, floats, one(activation(hardSigmoid))},
	{"HardSwish", 14, 0, 1, floats, one(floatFunc(hardSwish))},
	{"IsInf", 10, 0, 1, floats, one(isInf)},
	{"IsNaN", 9, 0, 1, floats, one(isNaN)},
	{"LeakyRelu", 1, 0, 1, floats, one(activation(leakyRelu))},
	{"Log", 1, 0, 1, floats, one(floatFunc(math.Log))},
	{"Mish", 18, 0, 1, floats, one(floatFunc(mish))},
	{"Neg", 1, 0, 1, floats | signed, one(pointwise(negative))},
	{"Not", 1, 0, 1, bools, one(not)},
	{"PRelu", 1, 0, 2, numbers, one(prelu)},
	{"Reciprocal", 1, 0, 1, floats, one(floatFunc(reciprocal))},
	{"Relu", 1, 0, 1, floats | signed, one(pointwise(reluOf))},
	{"Round", 11, 0, 1, floats, one(floatFunc(math.RoundToEven))},
	{"Selu", 1, 0, 1, floats, one(activation(selu))},
	{"Shrink", 9, 0, 1, floats, one(activation(shrink))},
	{"Sigmoid", 1, 0, 1, floats, one(floatFunc(sigmoid))},
	{"Sign", 9, 0, 1, numbers, one(pointwise(sign))},
	{"Sin", 7, 0, 1, floats, one(floatFunc(math.Sin))},
	{"Sinh", 9, 0, 1, floats, one(floatFunc(math.Sinh))},
	{"Softplus", 1, 0, 1, floats, one(floatFunc(softplus))},
	{"Softsign", 1, 0, 1, floats, one(floatFunc(softsign))},
	{"Sqrt", 1, 0, 1, floats, one(floatFunc(math.Sqrt))},
	{"Swish", 24, 0, 1, floats, one(activation(swish))},
	{"Tan", 7, 0, 1, floats, one(floatFunc(math.Tan))},
	{"Tanh", 1, 0, 1, floats, one(floatFunc(math.Tanh))},
	{"ThresholdedRelu", 1, 0, 1, floats, one(activation(thresholdedRelu))},

	// Functions of several elements, broadcast.
	{"Add", 1, 0, 2, numbers, one(arith(add))},
	{"And", 1, 0, 2, bools, one(logical(func(a, b bool) bool { return a && b }))},
	{"Div", 1, 0, 2, numbers, one(div)},
	{"Equal", 1, 0, 2, anything, one(compare(isEqual))},
	{"Greater", 1, 0, 2, numbers, one(compare(isGreater))},
	{"GreaterOrEqual", 12, 0, 2, numbers, one(compare(isAtLeast))},
	{"Less", 1, 0, 2, numbers, one(compare(isLess))},
	{"LessOrEqual", 12, 0, 2, numbers, one(compare(isAtMost))},
	{"Max", 1, 0, 1, numbers, one(variadic(larger))},
	{"Mean", 1, 0, 1, floats, one(mean)},
	{"Min", 1, 0, 1, numbers, one(variadic(smaller))},
	{"Mod", 10, 0, 2, numbers, one(mod)},
	{"Mul", 1, 0, 2, numbers, one(arith(mul))},
	{"Or", 1, 0, 2, bools, one(logical(func(a, b bool) bool { return a || b }))},
	{"Pow", 1, 0, 2, numbers, one(pow)},
	{"Sub", 1, 0, 2, numbers, one(arith(sub))},
	{"Sum", 1, 0, 1, floats, one(variadic(add))},
	{"Where", 9, 0, 3, bools, one(where)},
	{"Xor", 1, 0, 2, bools, one(logical(func(a, b bool) bool { return a != b }))},

	// Moving elements.
	{"Concat", 1, 0, 1, anything, one(concat)},
	{"DepthToSpace", 1, 0, 1, anything, one(depthToSpace)},
	{"Expand", 8, 0, 2, anything, one(expand)},
	{"Flatten", 1, 0, 1, anything, one(flatten)},
	{"Gather", 1, 0, 2, anything, one(gather)},
	{"GatherElements", 11, 0, 2, anything, one(gatherElements)},
	{"GatherND", 11, 0, 2, anything, one(gatherND)},
	{"Identity", 1, 0, 1, anything, one(identity)},
	{"Pad", 1, 0, 1, anything, one(pad)},
	{"Reshape", 1, 0, 1, anything, one(reshape)},
	{"Slice", 1, 0, 1, anything, one(sliceOp)},
	{"SpaceToDepth", 1, 0, 1, anything, one(spaceToDepth)},
	{"Split", 1, 0, 1, anything, split},
	{"Squeeze", 1, 0, 1, anything, one(squeeze)},
	{"Tile", 1, 0, 2, anything, one(tile)},
	{"Transpose", 1, 0, 1, anything, one(transpose)},
	{"Unsqueeze", 1, 0, 1, anything, one(unsqueeze)},

	// Sliding windows and products of matrices.
	{"AveragePool", 1, 0, 1, floats, one(averagePool)},
	{"Conv", 1, 0, 2, floats, one(conv)},
	{"Gemm", 1, 0, 2, numbers, one(gemm)},
	{"GlobalAveragePool", 1, 0, 1, floats, one(global(meanOf))},
	{"GlobalMaxPool", 1, 0, 1, floats, one(global(maxOf))},
	{"LpPool", 1, 0, 1, floats, one(lpPool)},
	{"MatMul", 1, 0, 2, numbers, one(matmul)},
	{"MaxPool", 1, 0, 1, numbers, maxPool},

	// Functions of many elements.
	{"ArgMax", 1, 0, 1, numbers, one(argExtreme(1))},
	{"ArgMin", 1, 0, 1, numbers, one(argExtreme(-1))},
	{"BatchNormalization", 1, 0, 5, floats, batchNormalization},
	{"GroupNormalization", 18, 0, 3, floats, one(groupNormalization)},
	{"Hardmax", 1, 12, 1, floats, one(flattenedAt(hardmax))},
	{"Hardmax", 13, 0, 1, floats, one(alongAxis(hardmax))},
	{"InstanceNormalization", 1, 0, 3, floats, one(instanceNormalization)},
	{"LRN", 1, 0, 1, floats, one(lrn)},
	{"LayerNormalization", 17, 0, 2, floats, layerNormalization},
	{"LogSoftmax", 1, 12, 1, floats, one(flattenedAt(logSoftmax))},
	{"LogSoftmax", 13, 0, 1, floats, one(alongAxis(logSoftmax))},
	{"LpNormalization", 1, 0, 1, floats, one(lpNormalization)},
	{"MeanVarianceNormalization", 9, 0, 1, floats, one(meanVarianceNormalization)},
	{"ReduceL1", 1, 0, 1, numbers, one(reduction(18, absoluteSumOf))},
	{"ReduceL2", 1, 0, 1, numbers, one(reduction(18, normOf))},
	{"ReduceLogSum", 1, 0, 1, numbers, one(reduction(18, logSumOf))},
	{"ReduceLogSumExp", 1, 0, 1, numbers, one(reduction(18, logSumExpOf))},
	{"ReduceMax", 1, 0, 1, numbers | bools, one(reduction(18, maxOf))},
	{"ReduceMean", 1, 0, 1, numbers, one(reduction(18, meanOf))},
	{"ReduceMin", 1, 0, 1, numbers | bools, one(reduction(18, minOf))},
	{"ReduceProd", 1, 0, 1, numbers, one(reduction(18, productOf))},
	{"ReduceSum", 1, 0, 1, numbers, one(reduction(13, sumOf))},
	{"ReduceSumSquare", 1, 0, 1, numbers, one(reduction(18, squaresOf))},
	{"Softmax", 1, 12, 1, floats, one(flattenedAt(softmax))},
	{"Softmax", 13, 0, 1, floats, one(alongAxis(softmax))},

	// Constants, shapes and types.
	{"Cast", 1, 0, 1, numbers | bools, one(cast)},
	{"CastLike", 15, 0, 2, numbers | bools, one(castLike)},
	{"Constant", 1, 0, 0, anything, one(constant)},
	{"ConstantOfShape", 9, 0, 1, signed, one(constantOfShape)},
	{"Dropout", 1, 0, 1, floats, dropout},
	{"EyeLike", 9, 0, 1, numbers | bools, one(eyeLike)},
	{"Range", 11, 0, 3, numbers, one(rangeOp)},
	{"Shape", 1, 0, 1, anything, one(shape)},
	{"Size", 1, 0, 1, anything, one(size)},
}

var byName = func() map[string][]*operator {
	m := map[string][]*operator{}
	for i := range operators {
		o := &operators[i]
		m[o.name] = append(m[o.name], o)
	}
	return m
}()

// lookup finds the meaning that a node's operator has in an operator set.
func lookup(n *onnx.Node, opset int) (*operator, error) {
	if n.Domain != "" && n.Domain != "ai.onnx" {
		return nil, &UnsupportedError{Op: n.Domain + "." + n.Op}
	}
	versions := byName[n.Op]
	for _, o := range versions {
		if opset >= o.since && (o.until == 0 || opset <= o.until) {
			return o, nil
		}
	}
	if len(versions) == 0 {
		return nil, &UnsupportedError{Op: n.Op}
	}
	return nil, &UnsupportedError{Op: n.Op, Reason: "not in this version of the operator set"}
}

// Supported tells whether the package knows an operator of the default domain,
// in whatever version.
func Supported(op string) bool { return len(byName[op]) > 0 }

// Ops lists the operators by name.
func Ops() []string {
	names := make([]string, 0, len(byName))
	for name := range byName {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
