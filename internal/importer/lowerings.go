package importer

import "occlude/internal/onnx"

// lowering turns a node with at least one input that depends on the image into
// layers. It returns errNoLayer for forms that only the reference operator
// knows, and any other error for what is wrong with the model.
type lowering func(b *builder, n *onnx.Node, in []value) (value, error)

// lowerings is the one place where an ONNX operator gets its layers.
var lowerings map[string]lowering

func init() {
	lowerings = map[string]lowering{
		"Conv":        (*builder).conv,
		"MaxPool":     (*builder).maxPool,
		"AveragePool": (*builder).averagePool,

		"GlobalAveragePool": (*builder).globalAverage,
		"GlobalMaxPool":     (*builder).globalMax,
		"ReduceMean":        (*builder).reduceMean,
		"ReduceSum":         (*builder).reduceSum,
		"ReduceMax":         (*builder).reduceMax,

		"BatchNormalization":    (*builder).batchNorm,
		"InstanceNormalization": (*builder).instanceNorm,
		"LRN":                   (*builder).lrn,
		"Softmax":               (*builder).softmax,
		"LogSoftmax":            (*builder).softmax,

		"Gemm":   (*builder).gemm,
		"MatMul": (*builder).matMul,

		"Add": (*builder).binary, "Sub": (*builder).binary, "Mul": (*builder).binary, "Div": (*builder).binary,
		"Pow": (*builder).pow,
		"Sum": (*builder).variadic, "Mean": (*builder).variadic, "Max": (*builder).variadic, "Min": (*builder).variadic,
		"PRelu": (*builder).prelu,
		"Clip":  (*builder).clip,

		"Concat": (*builder).concat,
		"Slice":  (*builder).slice,
		"Gather": (*builder).gather,
		"Pad":    (*builder).pad,

		"Reshape":   (*builder).reshape,
		"Flatten":   (*builder).flatten,
		"Transpose": (*builder).transpose,
		"Squeeze":   (*builder).squeeze,
		"Unsqueeze": (*builder).unsqueeze,
		"Identity":  (*builder).identity,
		"Dropout":   (*builder).dropout,
		"Cast":      (*builder).cast,
		"Shape":     (*builder).shape,
		"Size":      (*builder).size,
	}
	for op := range activations {
		lowerings[op] = (*builder).activation
	}
}
