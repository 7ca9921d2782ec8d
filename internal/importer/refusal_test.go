package importer

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/gomlx/compute-onnx/support/protos"

	"occlude/internal/memory/memorytest"
	"occlude/internal/onnx"
	"occlude/internal/onnx/onnxtest"
)

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

// refused checks that a model is refused with a message that says all of this,
// soon.
func refused(t *testing.T, m *onnxtest.Model, opts Options, says ...string) {
	t.Helper()
	start := time.Now()
	_, err := Import(t.Context(), m.Model(t), opts)
	if err == nil {
		t.Errorf("was accepted, want a refusal that says %q", says)
		return
	}
	for _, s := range says {
		if !strings.Contains(err.Error(), s) {
			t.Errorf("the refusal %q does not say %q", err, s)
		}
	}
	if strings.Contains(err.Error(), "internal error") {
		t.Errorf("a slip was caught at the last moment: %v", err)
	}
	if name, _, ok := strings.Cut(err.Error(), ": "); ok && strings.Count(err.Error(), name) > 1 {
		t.Errorf("the refusal %q repeats itself", err)
	}
	if d := time.Since(start); d > 20*time.Second {
		t.Errorf("took %v to refuse", d)
	}
}

func TestUnknownOperators(t *testing.T) {
	for _, op := range []string{"ConvTranspose", "LSTM", "NonMaxSuppression", "Resize", "Upsample", "Einsum", "Loop", "If", "TopK", "Nonsense", "com.microsoft::FusedConv", "ai.onnx.ml::ZipMap"} {
		g, x := onnxtest.NewGraph(13, 1, 3, 6, 5)
		g.Node(op, x, "y", nil)
		g.Proto.Graph.Node[0].Name = "culprit"
		g.Output("y", onnx.Float32)
		_, bare, domain := strings.Cut(op, "::")
		if !domain {
			bare = op
		}
		refused(t, g.Model, Options{}, `"culprit"`, bare, "not supported")
	}
}

func TestRefusedInputs(t *testing.T) {
	model := func(d onnx.DType, dims ...int) *onnxtest.Model {
		m := onnxtest.New(13)
		return m.Input("picture", d, dims...).Node("Relu", "picture", "y", nil).Node("GlobalMaxPool", "y", "z", nil).Output("z", d)
	}
	refused(t, model(onnx.Float32, 1, 3, 6), Options{}, `input "picture" has 3 axes`, "4 (NxCxHxW)")
	refused(t, model(onnx.Float32, 1, 3, 6, 6, 6), Options{}, "5 axes")
	refused(t, model(onnx.Float32), Options{}, "0 axes")
	refused(t, model(onnx.Uint8, 1, 3, 6, 6), Options{}, "uint8", "floating point")
	refused(t, model(onnx.Int64, 1, 3, 6, 6), Options{}, "int64", "floating point")
	refused(t, model(onnx.Float32, 1, 4, 6, 6), Options{}, "has 4 channels, images have 1 or 3")
	refused(t, model(onnx.Float32, 1, 3, 6, 6), Options{Layout: "nhwc"}, "has 6 channels")
	refused(t, model(onnx.Float32, 1, 3, 6, 6), Options{Height: 7, Width: 7}, "height of 6, it cannot be set to 7")
	refused(t, model(onnx.Float32, 1, 3, 60000, 60000), Options{}, "60000x60000", "limit")
	refused(t, model(onnx.Float32, 1, 3, -1, -1), Options{Height: 60000, Width: 60000}, "limit")
	refused(t, model(onnx.Float32, 1, 3, 16000, 16000), Options{}, "16000x16000x3", "limit")

	two := onnxtest.New(13).Input("left", onnx.Float32, 1, 3, 6, 6).Input("right", onnx.Float32, 1, 3, 6, 6)
	two.Node("Add", "left right", "y", nil).Output("y", onnx.Float32)
	refused(t, two, Options{}, "one input", `"left" "right"`)

	sequence := model(onnx.Float32, 1, 3, 6, 6)
	sequence.Proto.Graph.Input[0].Type = &protos.TypeProto{Value: &protos.TypeProto_SequenceType{SequenceType: &protos.TypeProto_Sequence{}}}
	refused(t, sequence, Options{}, `input "picture" is of type sequence`)
}

func TestRefusedOutputs(t *testing.T) {
	g, x := onnxtest.NewGraph(13, 1, 3, 6, 5)
	h := g.Conv(x, 3, 4)
	g.Output(h, onnx.Float32)
	g.Node("Mul", g.Num(1)+" "+g.Num(2), "constant", nil).Output("constant", onnx.Float32)
	g.Node("Shape", x, "shape", nil).Output("shape", onnx.Int64)
	g.Output(x, onnx.Float32)
	refused(t, g.Model, Options{}, fmt.Sprintf("output %q is 1x4x6x5", h), "one score per class")
	refused(t, g.Model, Options{Output: "constant"}, "not depend on any input")
	refused(t, g.Model, Options{Output: "shape"}, `output "shape" does not depend on the image`)
	refused(t, g.Model, Options{Output: x}, "1x3x6x5")
}

// TestRefusedForms: what is wrong with a node is said with its name.
func TestRefusedForms(t *testing.T) {
	type build = func(g *graph, x string) string
	for name, c := range map[string]struct {
		build build
		says  string
	}{
		"3-D convolution": {func(g *graph, x string) string {
			return g.Op("Conv", nil, g.Reshape(x, 1, 3, 2, 4, 5), g.Normal(2, 3, 1, 1, 1))
		}, "slides over 3 axes"},
		"1-D convolution": {func(g *graph, x string) string {
			return g.Op("Conv", nil, g.Reshape(x, 1, 3, 40), g.Normal(2, 3, 1))
		}, "slides over 1 axes"},
		"1-D pool": {func(g *graph, x string) string {
			return g.Op("MaxPool", attrs{"kernel_shape": []int{2}}, g.Reshape(x, 1, 3, 40))
		}, "slides over 1 axes"},
		"weights for other channels": {func(g *graph, x string) string { return g.Conv(x, 4, 2) }, "do not fit 3 input channels"},
		"groups that do not divide":  {func(g *graph, x string) string { return g.Op("Conv", attrs{"group": 2}, x, g.Normal(4, 1, 1, 1)) }, "2 groups"},
		"biases too few": {func(g *graph, x string) string {
			return g.Op("Conv", nil, x, g.Normal(4, 3, 1, 1), g.Normal(3))
		}, "3 biases for 4 filters"},
		"window above the map": {func(g *graph, x string) string { return g.Op("Conv", nil, x, g.Normal(1, 3, 20, 1)) }, "larger than"},
		"kernel shape": {func(g *graph, x string) string {
			return g.Op("Conv", attrs{"kernel_shape": []int{2, 2}}, x, g.Normal(1, 3, 3, 3))
		}, "kernel_shape"},
		"stride of zero": {func(g *graph, x string) string {
			return g.Op("Conv", attrs{"strides": []int{0, 1}}, x, g.Normal(1, 3, 1, 1))
		}, "at least 1"},
		"absurd stride": {func(g *graph, x string) string {
			return g.Op("Conv", attrs{"strides": []int{1 << 62, 1 << 62}}, x, g.Normal(1, 3, 1, 1))
		}, "beyond any image"},
		"absurd dilation": {func(g *graph, x string) string {
			return g.Op("Conv", attrs{"dilations": []int{1 << 62, 1 << 62}}, x, g.Normal(1, 3, 3, 3))
		}, "beyond any image"},
		"absurd pads": {func(g *graph, x string) string {
			return g.Op("Conv", attrs{"pads": []int{1 << 60, 0, 0, 0}}, x, g.Normal(1, 3, 1, 1))
		}, "beyond any image"},
		"pads that no memory holds": {func(g *graph, x string) string {
			return g.Op("Conv", attrs{"pads": []int{16000, 16000, 16000, 16000}}, x, g.Normal(64, 3, 1, 1))
		}, "limit"},
		"padding that no memory holds": {func(g *graph, x string) string {
			return g.Pad(x, "constant", 0, 0, 0, 16000, 16000, 0, 0, 16000, 16000)
		}, "limit"},
		"absurd padding": {func(g *graph, x string) string {
			return g.Pad(x, "constant", 0, 0, 0, 1<<61, 0, 0, 0, 0, 0)
		}, "beyond any image"},
		"absurd cropping": {func(g *graph, x string) string {
			return g.Pad(x, "constant", 0, 0, 0, -1<<63, 0, 0, 0, 0, 0)
		}, "beyond any image"},
		"absurd padding of channels": {func(g *graph, x string) string {
			return g.Pad(g.Pad(x, "constant", 0, 0, 0, 3000, 3000, 0, 0, 3000, 3000), "constant", 0, 0, 16000, 0, 0, 0, 0, 0, 0)
		}, "limit"},
		"reflection of more than there is": {func(g *graph, x string) string {
			return g.Pad(x, "reflect", 0, 0, 0, 20, 0, 0, 0, 0, 0)
		}, "reflect"},
		"absurd window": {func(g *graph, x string) string {
			return g.Op("MaxPool", attrs{"kernel_shape": []int{1 << 40, 1 << 40}}, x)
		}, "beyond any image"},
		"window in the padding": {func(g *graph, x string) string {
			return g.Op("MaxPool", attrs{"kernel_shape": []int{2, 2}, "pads": []int{3, 3, 3, 3}}, x)
		}, "not smaller than its window"},
		"no window": {func(g *graph, x string) string { return g.Op("AveragePool", nil, x) }, "kernel of 0 axes"},
		"unknown padding": {func(g *graph, x string) string {
			return g.Op("MaxPool", attrs{"kernel_shape": []int{2, 2}, "auto_pad": "FULL"}, x)
		}, "FULL"},
		"absurd expansion": {func(g *graph, x string) string {
			return g.Op("Expand", nil, g.Op("GlobalMaxPool", nil, x), g.Ints(1, 3, 1<<20, 1<<20))
		}, "Expand"},
		"absurd tiling":              {func(g *graph, x string) string { return g.Op("Tile", nil, x, g.Ints(1, 1, 1<<31, 1<<31)) }, "Tile"},
		"absurd reshape":             {func(g *graph, x string) string { return g.Reshape(x, 1<<62, 1<<62, -1) }, "cannot make"},
		"reshape to another number":  {func(g *graph, x string) string { return g.Reshape(x, 1, 121) }, "cannot make"},
		"two rests":                  {func(g *graph, x string) string { return g.Reshape(x, -1, -1) }, "target shape"},
		"squeeze of an axis":         {func(g *graph, x string) string { return g.Squeeze(x, 1) }, "Squeeze"},
		"axis that is not there":     {func(g *graph, x string) string { return g.Squeeze(x, 9) }, "Squeeze"},
		"flatten axis":               {func(g *graph, x string) string { return g.Op("Flatten", attrs{"axis": 9}, x) }, "axis of 9"},
		"permutation":                {func(g *graph, x string) string { return g.Transpose(x, 0, 0, 1, 2) }, "permutation"},
		"unsqueeze twice":            {func(g *graph, x string) string { return g.Unsqueeze(x, 1, 1) }, "axes of [1 1]"},
		"concat of sizes":            {func(g *graph, x string) string { return g.Op("Concat", attrs{"axis": 1}, x, g.Normal(1, 3, 2, 2)) }, "Concat"},
		"shapes that do not match":   {func(g *graph, x string) string { return g.Op("Add", nil, x, g.Normal(4, 1, 1)) }, "Add"},
		"channel that is not there":  {func(g *graph, x string) string { return g.Op("Gather", attrs{"axis": 1}, x, g.Ints(3)) }, "element 3 of an axis of 3"},
		"split into too much":        {func(g *graph, x string) string { return g.Split(x, 1, 2, 2, 2)[0] }, "splits 3 elements"},
		"split into too little":      {func(g *graph, x string) string { return g.Split(x, 1, 2, 1, 1)[0] }, "splits 3 elements"},
		"split that does not divide": {func(g *graph, x string) string { return g.Split(x, 1, 2)[0] }, "Split"},
		"gemm of other sizes": {func(g *graph, x string) string {
			return g.Op("Gemm", nil, g.Op("Flatten", nil, x), g.Normal(60, 4))
		}, "Gemm"},
		"gemm with biases on end": {func(g *graph, x string) string {
			return g.Op("Gemm", nil, g.Op("Flatten", nil, x), g.Normal(120, 4), g.Normal(4, 1))
		}, "Gemm"},
		"matmul of other sizes":        {func(g *graph, x string) string { return g.Op("MatMul", nil, x, g.Normal(4, 4)) }, "MatMul"},
		"batch norm of other channels": {func(g *graph, x string) string { return g.BatchNorm(x, 4) }, "4 parameters for 3 channels"},
		"instance norm of other channels": {func(g *graph, x string) string {
			return g.Op("InstanceNormalization", nil, x, g.Normal(2), g.Normal(2))
		}, "InstanceNormalization"},
		"dropout in training mode": {func(g *graph, x string) string {
			return g.Op("Dropout", nil, x, g.Num(.5), g.Constant(onnx.Scalar(true)))
		}, "training mode"},
		"comparison":         {func(g *graph, x string) string { return g.Op("Greater", nil, x, g.Num(0)) }, "bool"},
		"cast to integers":   {func(g *graph, x string) string { return g.Op("Cast", attrs{"to": 7}, x) }, "int64"},
		"a slice of nothing": {func(g *graph, x string) string { return g.Slice(x, []int{2}, []int{1}, []int{2}) }, "nothing of the image"},
		"missing input":      {func(g *graph, x string) string { return g.Op("Add", nil, x) }, "input 1 is missing"},
		"absent input":       {func(g *graph, x string) string { return g.Op("InstanceNormalization", nil, x, "-", g.Normal(3)) }, "input 1 is missing"},
		"absent term":        {func(g *graph, x string) string { return g.Op("Sum", nil, x, "-") }, "Sum"},
		"a shape that the image makes": {func(g *graph, x string) string {
			return g.Op("Reshape", nil, x, g.Op("Cast", attrs{"to": 7}, g.Reduce("ReduceMax", x, 0, 0, 1, 2, 3)))
		}, "int64"},
		"whole numbers for weights": {func(g *graph, x string) string {
			return g.Op("Conv", nil, x, g.Constant(onnx.New([]int{1, 3, 1, 1}, []int8{1, 2, 3})))
		}, "weights of int8"},
		"normalization over everything": {func(g *graph, x string) string {
			return g.Op("LRN", attrs{"size": 1 << 40}, x)
		}, "normalizes over 1099511627776 channels"},
		"pads that a stride hides": {func(g *graph, x string) string {
			return g.Op("Conv", attrs{"auto_pad": "SAME_UPPER", "strides": []int{16384, 16384}, "dilations": []int{16384, 16384}}, x, g.Normal(2, 3, 3, 3))
		}, "beyond the limit of 16 times"},
		"windows of padding": {func(g *graph, x string) string {
			return g.Op("MaxPool", attrs{"kernel_shape": []int{8000, 8000}, "pads": []int{7999, 7999, 7999, 7999}}, x)
		}, "beyond the limit of 16 times"},
		"an output that the operator has not": {func(g *graph, x string) string { return g.Ops(2, "Relu", nil, x)[1] }, "output"},
		"indices of a pool":                   {func(g *graph, x string) string { return g.Ops(2, "MaxPool", attrs{"kernel_shape": []int{2, 2}}, x)[1] }, "int64"},
	} {
		t.Run(name, func(t *testing.T) {
			g, x := onnxtest.NewGraph(13, 1, 3, 8, 5)
			g.Output(c.build(g, x), onnx.Float32)
			last := g.Proto.Graph.Node[len(g.Proto.Graph.Node)-1]
			refused(t, g.Model, Options{}, c.says)
			if says := fmt.Sprintf("%s node", last.OpType); !strings.Contains(c.says, "int64") {
				refused(t, g.Model, Options{}, says)
			}
		})
	}
}

// TestConstantsAreBounded: a file of a few bytes cannot make the importer hold
// gigabytes, or compute for hours.
func TestConstantsAreBounded(t *testing.T) {
	for name, c := range map[string]struct {
		times int
		make  func(g *graph) string
		says  string
	}{
		"at once":    {1, func(g *graph) string { return g.Op("ConstantOfShape", nil, g.Ints(1<<27+1)) }, "ConstantOfShape node"},
		"bit by bit": {200, func(g *graph) string { return g.Op("Expand", nil, g.Num(1), g.Ints(1<<14)) }, "too many values of constants"},
		"again and again": {3000, func(g *graph) string {
			if len(g.Proto.Graph.Node) == 0 {
				return g.Op("ConstantOfShape", nil, g.Ints(1<<12))
			}
			return g.Proto.Graph.Node[0].Output[0]
		}, "takes too long"},
		"multiplied": {1, func(g *graph) string {
			x := g.Op("ConstantOfShape", nil, g.Ints(128, 128))
			return g.Op("MatMul", nil, x, x)
		}, "MatMul node"},
		"pooled": {1, func(g *graph) string {
			x := g.Op("ConstantOfShape", nil, g.Ints(1, 1, 100, 100))
			return g.Op("MaxPool", attrs{"kernel_shape": []int{50, 50}, "pads": []int{0, 0, 0, 0}}, x)
		}, "MaxPool node"},
	} {
		g, x := onnxtest.NewGraph(13, 1, 3, 8, 8)
		for range c.times {
			x = g.Op("Add", nil, x, g.Op("ReduceMax", attrs{"keepdims": 0}, c.make(g)))
		}
		g.Flat(x)
		m := g.Model.Model(t)
		before := memorytest.Allocated()
		_, err := ImportSmall(t.Context(), m, Options{})
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want an error with %q", name, err, c.says)
		}
		if n := memorytest.Allocated() - before; n > 32<<20 {
			t.Errorf("%s: took %d bytes", name, n)
		}
	}
}

// TestManyInputs: what a node reads is not held once more for each time that it does.
func TestManyInputs(t *testing.T) {
	large, x := onnxtest.NewGraph(13, 1, 3, 8000, 8000)
	large.Output(large.Op("Sin", nil, x), onnx.Float32)
	m, start := large.Model.Model(t), memorytest.Allocated()
	if _, err := Import(t.Context(), m, Options{}); err == nil || !strings.Contains(err.Error(), "1x3x8000x8000 is too large") {
		t.Errorf("an operator without a layer over everything: %v", err)
	}
	if n := memorytest.Allocated() - start; n > 32<<20 {
		t.Errorf("an operator without a layer over everything: took %d bytes", n)
	}
	for name, build := range map[string]func(g *graph, x string) string{
		"zeros of a call": func(g *graph, x string) string {
			x = g.Op("Expand", nil, x, g.Ints(1, 3, 64, 64))
			in := make([]string, 2000)
			for i := range in {
				in[i] = x
			}
			return g.Op("Mean", nil, g.Op("Concat", attrs{"axis": 0}, in...))
		},
		"indices of slices": func(g *graph, x string) string {
			x = g.Op("Flatten", nil, g.Op("Expand", nil, x, g.Ints(1, 3, 64, 64)))
			for range 500 {
				x = g.Slice(x, []int{0}, []int{1 << 40}, []int{1})
			}
			return x
		},
		"axes": func(g *graph, x string) string {
			axes := make([]int, 20_000)
			for i := range axes {
				axes[i] = i
			}
			many := g.Ints(axes...)
			for range 100 {
				g.Output(g.Op("Unsqueeze", nil, x, many), onnx.Float32)
			}
			return g.Op("Unsqueeze", nil, x, many)
		},
	} {
		g, x := onnxtest.NewGraph(13, 1, 3, 1, 1)
		g.Output(build(g, x), onnx.Float32)
		m := g.Model.Model(t)
		before := memorytest.Allocated()
		if _, err := ImportSmall(t.Context(), m, Options{}); err == nil {
			t.Errorf("%s: was accepted", name)
		}
		if n := memorytest.Allocated() - before; n > 32<<20 {
			t.Errorf("%s: took %d bytes", name, n)
		}
	}
}

// TestCopiesAreCounted: a constant that many layers read in an order of their own is
// copied for each, and counts as often.
func TestCopiesAreCounted(t *testing.T) {
	g, x := onnxtest.NewGraph(13, 1, 3, 8, 8)
	c := g.Normal(1, 3, 8, 8)
	for range 1000 {
		x = g.Op("Add", nil, x, c)
	}
	g.Flat(x)
	if _, err := ImportSmall(t.Context(), g.Model.Model(t), Options{}); err == nil || !strings.Contains(err.Error(), "too many values of constants") {
		t.Errorf("a thousand copies: %v", err)
	}
	if _, err := Import(t.Context(), g.Model.Model(t), Options{}); err != nil {
		t.Error(err)
	}
}

func TestCancelledImport(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	cancel(why)
	if _, err := Import(ctx, small(13, 1, 3, 6, 6).Model.Model(t), Options{}); !errors.Is(err, why) {
		t.Errorf("the error is %v", err)
	}
}
