package reference

import (
	"context"
	"math"
	"testing"

	"occlude/internal/onnx"
)

func TestReduce(t *testing.T) {
	x := f32([]int{2, 3}, 1, -2, 3, 4, 5, -6)
	inf := float32(math.Inf(1))
	none := f32([]int{2, 0, 1})
	for _, c := range []struct {
		name, op string
		opset    int
		a        attrs
		in       []*onnx.Tensor
		want     *onnx.Tensor
	}{
		{"all", "ReduceSum", 13, nil, []*onnx.Tensor{x}, f32([]int{1, 1}, 5)},
		{"all to a scalar", "ReduceSum", 13, attrs{"keepdims": 0}, []*onnx.Tensor{x}, f32([]int{}, 5)},
		{"axis as input", "ReduceSum", 13, attrs{"keepdims": 0}, []*onnx.Tensor{x, i64(nil, 1)}, f32(nil, 2, 3)},
		{"axis as attribute", "ReduceSum", 11, attrs{"axes": []int{-2}}, []*onnx.Tensor{x}, f32([]int{1, 3}, 5, 3, -3)},
		{"no axes, nothing done", "ReduceSum", 13, attrs{"noop_with_empty_axes": 1}, []*onnx.Tensor{x, i64([]int{0})}, x},
		{"no axes, all", "ReduceSum", 13, nil, []*onnx.Tensor{x, i64([]int{0})}, f32([]int{1, 1}, 5)},
		{"no axes, still squared", "ReduceSumSquare", 18, attrs{"noop_with_empty_axes": 1}, []*onnx.Tensor{f32(nil, 2, 3)}, f32(nil, 4, 9)},
		{"outer axes", "ReduceSum", 13, attrs{"keepdims": 0}, []*onnx.Tensor{counting(2, 2, 2), i64(nil, 0, 2)}, f32(nil, 10, 18)},
		{"of a scalar", "ReduceMean", 13, nil, []*onnx.Tensor{f32([]int{}, 7)}, f32([]int{}, 7)},
		{"attribute until 17", "ReduceMean", 13, attrs{"axes": []int{1}, "keepdims": 0}, []*onnx.Tensor{x}, f32(nil, 2./3, 1)},
		{"input from 18", "ReduceMean", 18, attrs{"keepdims": 0}, []*onnx.Tensor{x, i64(nil, 1)}, f32(nil, 2./3, 1)},
		{"integers", "ReduceMean", 13, nil, []*onnx.Tensor{i32(nil, 1, 2, 4)}, i32(nil, 2)},
		{"rows", "ReduceMax", 13, attrs{"axes": []int{1}, "keepdims": 0}, []*onnx.Tensor{x}, f32(nil, 3, 5)},
		{"rows", "ReduceMin", 13, attrs{"axes": []int{1}, "keepdims": 0}, []*onnx.Tensor{x}, f32(nil, -2, -6)},
		{"truth", "ReduceMax", 20, attrs{"keepdims": 0}, []*onnx.Tensor{truth([]int{2, 2}, false, true, false, false), i64(nil, 1)}, truth(nil, true, false)},
		{"rows", "ReduceProd", 13, attrs{"axes": []int{1}, "keepdims": 0}, []*onnx.Tensor{x}, f32(nil, -6, -120)},
		{"rows", "ReduceL1", 13, attrs{"axes": []int{1}, "keepdims": 0}, []*onnx.Tensor{x}, f32(nil, 6, 15)},
		{"rows", "ReduceL2", 13, attrs{"axes": []int{1}, "keepdims": 0}, []*onnx.Tensor{f32([]int{1, 2}, 3, -4)}, f32(nil, 5)},
		{"rows", "ReduceSumSquare", 13, attrs{"axes": []int{1}, "keepdims": 0}, []*onnx.Tensor{x}, f32(nil, 14, 77)},
		{"all", "ReduceLogSum", 13, nil, []*onnx.Tensor{f32(nil, 1, 1)}, f32(nil, math.Ln2)},
		{"without overflow", "ReduceLogSumExp", 13, nil, []*onnx.Tensor{f32(nil, 1000, 1000)}, f32(nil, 1000+math.Ln2)},

		{"nothing", "ReduceSum", 13, nil, []*onnx.Tensor{none, i64(nil, 1)}, f32([]int{2, 1, 1}, 0, 0)},
		{"nothing", "ReduceProd", 18, nil, []*onnx.Tensor{none, i64(nil, 1)}, f32([]int{2, 1, 1}, 1, 1)},
		{"nothing", "ReduceMax", 20, nil, []*onnx.Tensor{none, i64(nil, 1)}, f32([]int{2, 1, 1}, -inf, -inf)},
		{"nothing", "ReduceMin", 20, nil, []*onnx.Tensor{none, i64(nil, 1)}, f32([]int{2, 1, 1}, inf, inf)},
		{"nothing of int32", "ReduceMax", 20, nil, []*onnx.Tensor{i32([]int{0})}, i32(nil, math.MinInt32)},
		{"nothing of bytes", "ReduceMin", 20, nil, []*onnx.Tensor{tensor([]int{0}, []uint8{})}, tensor(nil, []uint8{255})},
		{"nothing", "ReduceLogSum", 18, nil, []*onnx.Tensor{none, i64(nil, 1)}, f32([]int{2, 1, 1}, -inf, -inf)},
		{"nothing", "ReduceLogSumExp", 18, nil, []*onnx.Tensor{none, i64(nil, 1)}, f32([]int{2, 1, 1}, -inf, -inf)},
		{"another axis of nothing", "ReduceSum", 13, nil, []*onnx.Tensor{none, i64(nil, 2)}, f32([]int{2, 0, 1})},

		{"first", "ArgMax", 13, attrs{"axis": 1, "keepdims": 0}, []*onnx.Tensor{f32([]int{2, 3}, 1, 5, 5, 2, 2, 1)}, i64(nil, 1, 0)},
		{"last", "ArgMax", 13, attrs{"axis": 1, "select_last_index": 1}, []*onnx.Tensor{f32([]int{2, 3}, 1, 5, 5, 2, 2, 1)}, i64([]int{2, 1}, 2, 1)},
		{"first axis", "ArgMin", 13, attrs{"keepdims": 0}, []*onnx.Tensor{x}, i64(nil, 0, 0, 1)},
		{"large integers", "ArgMax", 13, nil, []*onnx.Tensor{i64(nil, 1<<62, 1<<62+1)}, i64(nil, 1)},
	} {
		t.Run(c.op+" "+c.name, func(t *testing.T) { same(t, eval(t, c.op, c.opset, c.a, c.in...), c.want, 1e-6) })
	}
}

func TestMatMul(t *testing.T) {
	for _, c := range []struct {
		name    string
		a, b, y *onnx.Tensor
	}{
		{"matrices", counting(2, 2), f32([]int{2, 1}, 1, 10), f32([]int{2, 1}, 10, 32)},
		{"vectors", f32(nil, 1, 2), f32(nil, 3, 4), f32([]int{}, 11)},
		{"row vector", f32(nil, 1, 10), counting(2, 2), f32(nil, 20, 31)},
		{"column vector", counting(2, 2), f32(nil, 1, 10), f32(nil, 10, 32)},
		{"stack by matrix", counting(2, 1, 2), counting(2, 2), f32([]int{2, 1, 2}, 2, 3, 6, 11)},
		{"stacks broadcast", counting(2, 1, 1, 1), counting(2, 1, 1), f32([]int{2, 2, 1, 1}, 0, 0, 0, 1)},
		{"nothing to add", f32([]int{2, 0}), f32([]int{0, 2}), f32([]int{2, 2}, 0, 0, 0, 0)},
		{"no rows", f32([]int{0, 2}), counting(2, 2), f32([]int{0, 2})},
		{"integers", i64([]int{1, 1}, 1<<40), i64([]int{1, 1}, 1<<20+1), i64([]int{1, 1}, 1<<60+1<<40)},
	} {
		t.Run(c.name, func(t *testing.T) { same(t, eval(t, "MatMul", 13, nil, c.a, c.b), c.y, 0) })
	}
	x, y := wavy(70, 150), wavy(150, 131) // more than one block each way
	want := make([]float64, 70*131)
	for i := range 70 {
		for j := range 131 {
			for k := range 150 {
				want[i*131+j] += float64(x.Data.([]float32)[i*150+k]) * float64(y.Data.([]float32)[k*131+j])
			}
		}
	}
	exact := onnx.New([]int{70, 131}, want)
	const single = 3e-6 // the sums reach 20, where float32 itself is 1e-6 off
	same(t, castTo(t, eval(t, "MatMul", 13, nil, x, y), onnx.Float64), exact, single)
	same(t, eval(t, "MatMul", 13, nil, castTo(t, x, onnx.Float64), castTo(t, y, onnx.Float64)), exact, 1e-13)
	back := eval(t, "Gemm", 13, attrs{"transA": 1, "transB": 1}, eval(t, "Transpose", 13, nil, x), eval(t, "Transpose", 13, nil, y))
	same(t, castTo(t, back, onnx.Float64), exact, single)
}

func TestGemm(t *testing.T) {
	a, b := counting(2, 2), f32([]int{2, 2}, 1, 10, 100, 1000)
	plain := []float32{100, 1000, 302, 3020}
	for _, c := range []struct {
		name string
		a    attrs
		bias *onnx.Tensor
		want []float32
	}{
		{"plain", nil, nil, plain},
		{"scaled", attrs{"alpha": 0.5, "beta": 2.0}, f32(nil, 1, 2), []float32{52, 504, 153, 1514}},
		{"row", nil, f32(nil, 1, 2), []float32{101, 1002, 303, 3022}},
		{"column", nil, f32([]int{2, 1}, 1, 2), []float32{101, 1001, 304, 3022}},
		{"scalar", nil, f32([]int{}, 1), []float32{101, 1001, 303, 3021}},
		{"transposed", attrs{"transA": 1}, nil, []float32{200, 2000, 301, 3010}},
		{"transposed", attrs{"transB": 1}, nil, []float32{10, 1000, 32, 3200}},
	} {
		t.Run(c.name, func(t *testing.T) {
			same(t, eval(t, "Gemm", 13, c.a, a, b, c.bias), f32([]int{2, 2}, c.want...), 1e-6)
		})
	}
	same(t, eval(t, "Gemm", 11, nil, i32([]int{1, 1}, 1<<20), i32([]int{1, 1}, 1<<20), i32([]int{}, 5)), i32([]int{1, 1}, 5), 0)
}

func TestSoftmaxByVersion(t *testing.T) {
	x := f32([]int{1, 2, 2}, 0, math.Ln2, 0, math.Ln2)
	third, sixth := float32(1./3), float32(1./6)
	// Before version 13 the default axis is 1 and everything after it one line.
	same(t, eval(t, "Softmax", 12, nil, x), f32(x.Dims, sixth, third, sixth, third), 1e-7)
	same(t, eval(t, "Softmax", 13, nil, x), f32(x.Dims, third, 2*third, third, 2*third), 1e-7)
	same(t, eval(t, "Softmax", 13, attrs{"axis": 1}, x), f32(x.Dims, 0.5, 0.5, 0.5, 0.5), 1e-7)
	same(t, eval(t, "Softmax", 12, attrs{"axis": 0}, f32([]int{2, 1}, 1, 1)), f32([]int{2, 1}, 0.5, 0.5), 1e-7)
	same(t, eval(t, "Softmax", 13, nil, f32(nil, 1e30, 0)), f32(nil, 1, 0), 0)
	same(t, eval(t, "LogSoftmax", 13, nil, f32(nil, 1000, 1000)), f32(nil, -math.Ln2, -math.Ln2), 1e-7)
	same(t, eval(t, "LogSoftmax", 11, nil, x), eval(t, "Log", 13, nil, eval(t, "Softmax", 11, nil, x)), 1e-6)
	same(t, eval(t, "Hardmax", 13, nil, f32(nil, 1, 3, 3)), f32(nil, 0, 1, 0), 0)
	same(t, eval(t, "Softmax", 13, nil, f32([]int{0, 3})), f32([]int{0, 3}), 0)
	same(t, eval(t, "LpNormalization", 1, nil, f32(nil, 3, 4)), f32(nil, 0.6, 0.8), 1e-7)
}

func TestBatchNormalization(t *testing.T) {
	x := f32([]int{1, 2, 2}, 1, 3, 10, 30)
	scale, bias, mean, variance := f32(nil, 2, 1), f32(nil, 0, 5), f32(nil, 1, 10), f32(nil, 4, 100)
	in := []*onnx.Tensor{x, scale, bias, mean, variance}
	want := f32(x.Dims, 0, 2, 5, 7)
	for _, opset := range []int{6, 7, 9, 14, 15} {
		same(t, eval(t, "BatchNormalization", opset, attrs{"epsilon": 0.0}, in...), want, 1e-6)
	}

	perPlace := []*onnx.Tensor{f32([]int{1, 2, 1}, 3, 4), f32([]int{2, 1}, 1, 2), f32([]int{2, 1}, 0, 0), f32([]int{2, 1}, 1, 2), f32([]int{2, 1}, 1, 4)}
	same(t, eval(t, "BatchNormalization", 7, attrs{"epsilon": 0.0, "spatial": 0}, perPlace...), f32([]int{1, 2, 1}, 2, 2), 1e-6)

	out, err := Eval(context.Background(), node("BatchNormalization", 3, attrs{"training_mode": 1, "epsilon": 0.0, "momentum": 0.5}), 15, in)
	if err != nil {
		t.Fatal(err)
	}
	same(t, out[0], f32(x.Dims, -2, 2, 4, 6), 1e-6)
	same(t, out[1], f32(nil, 1.5, 15), 1e-6)
	same(t, out[2], f32(nil, 2.5, 100), 1e-6)
}

func TestNormalizations(t *testing.T) {
	x := f32([]int{1, 4, 2}, 1, 3, 10, 30, 5, 5, 0, 8)
	four := f32(nil, 1, 1, 1, 2)
	same(t, eval(t, "InstanceNormalization", 6, attrs{"epsilon": 1e-9}, x, four, f32(nil, 0, 0, 7, 0)),
		f32(x.Dims, -1, 1, -1, 1, 7, 7, -2, 2), 1e-5)
	// Two groups of two channels: 5 5 0 8 has mean 4.5 and variance 8.25.
	y := eval(t, "GroupNormalization", 21, attrs{"num_groups": 2, "epsilon": 0.0}, x, four, f32(nil, 0, 0, 0, 0))
	d := float32(1 / math.Sqrt(8.25))
	same(t, eval(t, "Slice", 13, nil, y, i64(nil, 2), i64(nil, 4), i64(nil, 1)), f32([]int{1, 2, 2}, .5*d, .5*d, -9*d, 7*d), 1e-5)
	old := eval(t, "GroupNormalization", 18, attrs{"num_groups": 2, "epsilon": 0.0}, x, f32(nil, 1, 1), f32(nil, 0, 1))
	same(t, eval(t, "Slice", 13, nil, old, i64(nil, 2), i64(nil, 4), i64(nil, 1)), f32([]int{1, 2, 2}, .5*d+1, .5*d+1, -4.5*d+1, 3.5*d+1), 1e-5)

	out, err := Eval(context.Background(), node("LayerNormalization", 3, attrs{"epsilon": 0.0}), 17, []*onnx.Tensor{f32([]int{2, 2}, 1, 3, 10, 30), f32(nil, 1, 2), f32(nil, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	same(t, out[0], f32([]int{2, 2}, -1, 3, -1, 3), 1e-6)
	same(t, out[1], f32([]int{2, 1}, 2, 20), 1e-6)
	same(t, out[2], f32([]int{2, 1}, 1, 0.1), 1e-6)

	same(t, eval(t, "MeanVarianceNormalization", 13, nil, f32([]int{2, 1, 1, 1}, 1, 3)), f32([]int{2, 1, 1, 1}, -1, 1), 1e-6)
	// Neighbours 0..1, 0..2, 1..2 of three channels, by the power of one half.
	y = eval(t, "LRN", 13, attrs{"size": 3, "alpha": 3.0, "beta": 0.5, "bias": 0.0}, f32([]int{1, 3, 1, 1}, 3, 4, 0))
	same(t, y, f32([]int{1, 3, 1, 1}, 0.6, 0.8, 0), 1e-6)
	// An even size has one more neighbour after than before.
	y = eval(t, "LRN", 13, attrs{"size": 2, "alpha": 2.0, "beta": 0.5, "bias": 0.0}, f32([]int{1, 2, 1, 1}, 3, 4))
	same(t, y, f32([]int{1, 2, 1, 1}, 0.6, 1), 1e-6)
}

func TestDropout(t *testing.T) {
	x := f32(nil, 1, 2, 3, 4, 5, 6)
	all := truth(nil, true, true, true, true, true, true)
	ratio, training := f32([]int{}, 0.5), truth([]int{}, true)
	for _, c := range []struct {
		name  string
		opset int
		a     attrs
		in    []*onnx.Tensor
		y     *onnx.Tensor
		mask  *onnx.Tensor
	}{
		{"inference", 13, nil, []*onnx.Tensor{x}, x, all},
		{"attribute", 10, attrs{"ratio": 0.9}, []*onnx.Tensor{x}, x, all},
		{"mask of numbers", 7, nil, []*onnx.Tensor{x}, x, f32(nil, 1, 1, 1, 1, 1, 1)},
		{"no ratio", 13, nil, []*onnx.Tensor{x, f32([]int{}, 0), training}, x, all},
		// numpy's RandomState(0).uniform: .549 .715 .603 .545 .424 .646
		{"training", 13, attrs{"seed": 0}, []*onnx.Tensor{x, ratio, training}, f32(nil, 2, 4, 6, 8, 0, 12), truth(nil, true, true, true, true, false, true)},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, err := Eval(context.Background(), node("Dropout", 2, c.a), c.opset, c.in)
			if err != nil {
				t.Fatal(err)
			}
			same(t, out[0], c.y, 0)
			same(t, out[1], c.mask, 0)
		})
	}
}
