package reference

import (
	"context"
	"math"
	"testing"

	"pgregory.net/rapid"

	"occlude/internal/onnx"
)

func TestMaxPool(t *testing.T) {
	square := counting(1, 1, 4, 4)
	for _, c := range []struct {
		name string
		a    attrs
		x    *onnx.Tensor
		want *onnx.Tensor
	}{
		{"stride", attrs{"kernel_shape": []int{2, 2}, "strides": []int{2, 2}}, square, f32([]int{1, 1, 2, 2}, 5, 7, 13, 15)},
		{"floor", attrs{"kernel_shape": []int{3, 3}, "strides": []int{2, 2}}, square, f32([]int{1, 1, 1, 1}, 10)},
		{"ceil", attrs{"kernel_shape": []int{3, 3}, "strides": []int{2, 2}, "ceil_mode": 1}, square, f32([]int{1, 1, 2, 2}, 10, 11, 14, 15)},
		{"dilation", attrs{"kernel_shape": []int{2, 2}, "dilations": []int{2, 2}}, square, f32([]int{1, 1, 2, 2}, 10, 11, 14, 15)},
		{"padding is no zero", attrs{"kernel_shape": []int{2, 2}, "strides": []int{2, 2}, "pads": []int{1, 1, 1, 1}},
			eval(t, "Neg", 13, nil, square), f32([]int{1, 1, 3, 3}, 0, -1, -3, -4, -5, -7, -12, -13, -15)},
		{"same lower", attrs{"kernel_shape": []int{2}, "auto_pad": "SAME_LOWER"}, counting(1, 1, 3), f32([]int{1, 1, 3}, 0, 1, 2)},
		{"same upper", attrs{"kernel_shape": []int{2}, "auto_pad": "SAME_UPPER"}, counting(1, 1, 3), f32([]int{1, 1, 3}, 1, 2, 2)},
		{"valid", attrs{"kernel_shape": []int{2}, "auto_pad": "VALID", "pads": []int{1, 1}}, counting(1, 1, 3), f32([]int{1, 1, 2}, 1, 2)},
		// Without the rule, a third window would start at 4, in the padding.
		{"ceil drops the window in the padding", attrs{"kernel_shape": []int{1}, "strides": []int{2}, "pads": []int{0, 1}, "ceil_mode": 1},
			counting(1, 1, 3), f32([]int{1, 1, 2}, 0, 2)},
		{"bytes", attrs{"kernel_shape": []int{2}}, tensor([]int{1, 1, 3}, []uint8{200, 3, 4}), tensor([]int{1, 1, 2}, []uint8{200, 4})},
		{"signed bytes", attrs{"kernel_shape": []int{2}}, tensor([]int{1, 1, 3}, []int8{-100, -3, -4}), tensor([]int{1, 1, 2}, []int8{-3, -3})},
		{"only padding", attrs{"kernel_shape": []int{1}, "pads": []int{1, 0}}, f32([]int{1, 1, 1}, 2), f32([]int{1, 1, 2}, float32(math.Inf(-1)), 2)},
	} {
		t.Run(c.name, func(t *testing.T) { same(t, eval(t, "MaxPool", 12, c.a, c.x), c.want, 0) })
	}
}

func TestMaxPoolIndices(t *testing.T) {
	x := f32([]int{1, 2, 2, 3}, 1, 5, 5, 4, 2, 0, 0, 0, 9, 9, 0, 0)
	for _, c := range []struct {
		order int
		want  *onnx.Tensor
	}{
		{0, i64([]int{1, 2, 1, 2}, 1, 1, 9, 8)}, // offsets into the whole tensor, row by row
		{1, i64([]int{1, 2, 1, 2}, 2, 2, 7, 10)},
	} {
		out, err := Eval(context.Background(), node("MaxPool", 2, attrs{"kernel_shape": []int{2, 2}, "storage_order": c.order}), 12, []*onnx.Tensor{x})
		if err != nil {
			t.Fatal(err)
		}
		same(t, out[0], f32([]int{1, 2, 1, 2}, 5, 5, 9, 9), 0)
		same(t, out[1], c.want, 0)
	}
}

func TestAveragePool(t *testing.T) {
	line := f32([]int{1, 1, 5}, 1, 2, 3, 4, 5)
	for _, c := range []struct {
		name string
		a    attrs
		want *onnx.Tensor
	}{
		{"plain", attrs{"kernel_shape": []int{2}}, f32([]int{1, 1, 4}, 1.5, 2.5, 3.5, 4.5)},
		{"padding is not counted", attrs{"kernel_shape": []int{3}, "pads": []int{1, 1}}, f32([]int{1, 1, 5}, 1.5, 2, 3, 4, 4.5)},
		{"padding is counted", attrs{"kernel_shape": []int{3}, "pads": []int{1, 1}, "count_include_pad": 1}, f32([]int{1, 1, 5}, 1, 2, 3, 4, 3)},
		{"ceil", attrs{"kernel_shape": []int{2}, "strides": []int{2}, "ceil_mode": 1}, f32([]int{1, 1, 3}, 1.5, 3.5, 5)},
		// The last window hangs over the input: that place is no padding.
		{"ceil, padding is counted", attrs{"kernel_shape": []int{2}, "strides": []int{2}, "ceil_mode": 1, "count_include_pad": 1},
			f32([]int{1, 1, 3}, 1.5, 3.5, 5)},
		// -1..2, 2..5: the last has the padding at 5 and nothing beyond.
		{"ceil and padding", attrs{"kernel_shape": []int{4}, "strides": []int{3}, "pads": []int{1, 1}, "ceil_mode": 1, "count_include_pad": 1},
			f32([]int{1, 1, 2}, 1.5, 3)},
		{"dilation", attrs{"kernel_shape": []int{2}, "dilations": []int{3}}, f32([]int{1, 1, 2}, 2.5, 3.5)},
		{"same upper", attrs{"kernel_shape": []int{2}, "strides": []int{2}, "auto_pad": "SAME_UPPER"}, f32([]int{1, 1, 3}, 1.5, 3.5, 5)},
	} {
		t.Run(c.name, func(t *testing.T) { same(t, eval(t, "AveragePool", 19, c.a, line), c.want, 1e-7) })
	}
}

// TestAveragePoolIsConv compares with a convolution by a constant kernel.
func TestAveragePoolIsConv(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		small := func(name string, lo, hi int) int { return rapid.IntRange(lo, hi).Draw(t, name) }
		k, pads := []int{small("kh", 1, 4), small("kw", 1, 4)}, []int{small("top", 0, 3), small("left", 0, 3), small("bottom", 0, 3), small("right", 0, 3)}
		a := attrs{"strides": []int{small("sh", 1, 3), small("sw", 1, 3)}, "pads": pads}
		x := wavy(1, 1, small("h", 4, 10), small("w", 4, 10))
		w := make([]float32, k[0]*k[1])
		for i := range w {
			w[i] = 1
		}
		sums := eval(t, "Conv", 11, a, x, f32([]int{1, 1, k[0], k[1]}, w...))
		counts := eval(t, "Conv", 11, a, eval(t, "Expand", 13, nil, f32([]int{}, 1), eval(t, "Shape", 13, nil, x)), f32([]int{1, 1, k[0], k[1]}, w...))
		a["kernel_shape"] = k
		a["count_include_pad"] = 1
		same(t, eval(t, "AveragePool", 11, a, x), eval(t, "Div", 13, nil, sums, f32([]int{}, float32(len(w)))), 1e-6)
		a["count_include_pad"] = 0
		want := sums.Data.([]float32)
		for i, n := range counts.Data.([]float32) {
			if n > 0 {
				want[i] /= n
			}
		}
		same(t, eval(t, "AveragePool", 11, a, x), sums, 1e-6)
	})
}

func TestGlobalPools(t *testing.T) {
	x := counting(2, 1, 2, 2)
	same(t, eval(t, "GlobalAveragePool", 1, nil, x), f32([]int{2, 1, 1, 1}, 1.5, 5.5), 0)
	same(t, eval(t, "GlobalMaxPool", 1, nil, x), f32([]int{2, 1, 1, 1}, 3, 7), 0)
	same(t, eval(t, "LpPool", 18, attrs{"kernel_shape": []int{2}}, f32([]int{1, 1, 3}, 3, -4, 0)), f32([]int{1, 1, 2}, 5, 4), 1e-6)
}
