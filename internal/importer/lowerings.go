package importer

import "occlude/internal/onnx"

// lowering turns a node with at least one input that depends on the image into
// layers. The inputs that it must have are there, and the first depends on the
// image unless the operator takes its inputs in any order. It returns
// errNoLayer for forms that only the reference operator knows, and any other
// error for what is wrong with the model.
type lowering struct {
	inputs   int  // that the node must have
	anyOrder bool // the first input may be a constant
	lower    func(b *builder, n *onnx.Node, in []value) ([]value, error)
}

// lowerings is the one place where an ONNX operator gets its layers.
var lowerings map[string]lowering

// single adapts the lowering of an operator with one output.
func single(inputs int, f func(*builder, *onnx.Node, []value) (value, error)) lowering {
	return lowering{inputs: inputs, lower: func(b *builder, n *onnx.Node, in []value) ([]value, error) {
		v, err := f(b, n, in)
		return []value{v}, err
	}}
}

// mixed is single for operators that take their inputs in any order.
func mixed(inputs int, f func(*builder, *onnx.Node, []value) (value, error)) lowering {
	l := single(inputs, f)
	l.anyOrder = true
	return l
}

func init() {
	lowerings = map[string]lowering{
		"Conv":        single(2, (*builder).conv),
		"MaxPool":     single(1, (*builder).maxPool),
		"AveragePool": single(1, (*builder).averagePool),

		"GlobalAveragePool": single(1, (*builder).globalAverage),
		"GlobalMaxPool":     single(1, (*builder).globalMax),
		"ReduceMean":        single(1, (*builder).reduceMean),
		"ReduceSum":         single(1, (*builder).reduceSum),
		"ReduceMax":         single(1, (*builder).reduceMax),

		"BatchNormalization":    single(5, (*builder).batchNorm),
		"InstanceNormalization": single(3, (*builder).instanceNorm),
		"LayerNormalization":    single(2, (*builder).layerNorm),
		"LRN":                   single(1, (*builder).lrn),
		"Softmax":               single(1, (*builder).softmax),
		"LogSoftmax":            single(1, (*builder).softmax),

		"Gemm":   single(2, (*builder).gemm),
		"MatMul": single(2, (*builder).matMul),

		"Add": mixed(2, (*builder).binary), "Sub": mixed(2, (*builder).binary),
		"Mul": mixed(2, (*builder).binary), "Div": mixed(2, (*builder).binary),
		"Sum": mixed(1, (*builder).variadic), "Mean": mixed(1, (*builder).variadic),
		"Max": mixed(1, (*builder).variadic), "Min": mixed(1, (*builder).variadic),
		"Pow":    mixed(2, (*builder).pow),
		"PRelu":  single(2, (*builder).prelu),
		"Clip":   single(1, (*builder).clip),
		"Expand": single(2, (*builder).expand),

		"Concat": mixed(1, (*builder).concat),
		"Slice":  single(1, (*builder).slice),
		"Split":  {inputs: 1, lower: (*builder).split},
		"Gather": single(2, (*builder).gather),
		"Pad":    single(1, (*builder).pad),

		"Reshape":   single(1, (*builder).reshape),
		"Flatten":   single(1, (*builder).flatten),
		"Transpose": single(1, (*builder).transpose),
		"Squeeze":   single(1, (*builder).squeeze),
		"Unsqueeze": single(1, (*builder).unsqueeze),
		"Identity":  single(1, (*builder).identity),
		"Dropout":   single(1, (*builder).dropout),
		"Cast":      single(1, (*builder).cast),
		"CastLike":  single(2, (*builder).castLike),
		"Shape":     single(1, (*builder).shape),
		"Size":      single(1, (*builder).size),
	}
	for op := range activations {
		lowerings[op] = single(1, (*builder).activation)
	}
}
