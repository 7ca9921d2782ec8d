package reference

import (
	"context"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"occlude/internal/onnx"
)

// naiveConv is the textbook's sum for two spatial axes, straight from the
// definition.
func naiveConv(x, w, bias *onnx.Tensor, group int, strides, dilations, pads []int) *onnx.Tensor {
	in, weights := x.Data.([]float32), w.Data.([]float32)
	channels, height, width := x.Dims[1], x.Dims[2], x.Dims[3]
	filters, depth, kh, kw := w.Dims[0], w.Dims[1], w.Dims[2], w.Dims[3]
	oh := (height+pads[0]+pads[2]-(kh-1)*dilations[0]-1)/strides[0] + 1
	ow := (width+pads[1]+pads[3]-(kw-1)*dilations[1]-1)/strides[1] + 1
	var out []float32
	for n := range x.Dims[0] {
		for f := range filters {
			for y := range oh {
				for z := range ow {
					sum := 0.0
					if bias != nil {
						sum = float64(bias.Data.([]float32)[f])
					}
					for c := range depth {
						for i := range kh {
							for j := range kw {
								row, col := y*strides[0]-pads[0]+i*dilations[0], z*strides[1]-pads[1]+j*dilations[1]
								if row < 0 || row >= height || col < 0 || col >= width {
									continue
								}
								ch := f/(filters/group)*depth + c
								sum += float64(weights[((f*depth+c)*kh+i)*kw+j]) *
									float64(in[((n*channels+ch)*height+row)*width+col])
							}
						}
					}
					out = append(out, float32(sum))
				}
			}
		}
	}
	return f32([]int{x.Dims[0], filters, oh, ow}, out...)
}

// magnitudes is a tensor of the magnitudes of t's elements; nil for nil.
func magnitudes(t *onnx.Tensor) *onnx.Tensor {
	if t == nil {
		return nil
	}
	v := slices.Clone(t.Data.([]float32))
	for i := range v {
		v[i] = max(v[i], -v[i])
	}
	return onnx.New(t.Dims, v)
}

// sums compares a convolution with naiveConv's. What float32 may be off by goes
// with the magnitudes of a sum's terms, not with the sum: terms that cancel leave
// their rounding behind. So the tolerance of each element is 1e-6 of the sum of its
// terms' magnitudes, some sixteen roundings: a wrong or missing term is far more.
func sums(t tester, got, x, w, bias *onnx.Tensor, group int, strides, dilations, pads []int) {
	t.Helper()
	want := naiveConv(x, w, bias, group, strides, dilations, pads)
	size := naiveConv(magnitudes(x), magnitudes(w), magnitudes(bias), group, strides, dilations, pads)
	if onnx.FormatDims(got.Dims) != onnx.FormatDims(want.Dims) {
		t.Fatalf("got %s, want %s", onnx.FormatDims(got.Dims), onnx.FormatDims(want.Dims))
	}
	g, v, s := got.Data.([]float32), want.Data.([]float32), size.Data.([]float32)
	for i := range v {
		if off := math.Abs(float64(g[i]) - float64(v[i])); !(off <= 1e-6*float64(s[i])) {
			t.Fatalf("element %d is %g, want %g: off by %g of terms of %g", i, g[i], v[i], off, s[i])
		}
	}
}

func TestConvEqualsDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		small := func(name string, lo, hi int) int { return rapid.IntRange(lo, hi).Draw(t, name) }
		group := small("group", 1, 3)
		depth, filters := small("depth", 1, 5), group*small("filters", 1, 4)
		kernel := []int{small("kh", 1, 5), small("kw", 1, 5)}
		strides := []int{small("sh", 1, 4), small("sw", 1, 4)}
		dilations := []int{small("dh", 1, 3), small("dw", 1, 3)}
		pads := []int{small("top", 0, 7), small("left", 0, 7), small("bottom", 0, 7), small("right", 0, 7)}
		height := max(1, (kernel[0]-1)*dilations[0]+1-pads[0]-pads[2]) + small("h", 0, 12)
		width := max(1, (kernel[1]-1)*dilations[1]+1-pads[1]-pads[3]) + small("w", 0, 40)
		x := wavy(small("images", 1, 2), group*depth, height, width)
		w := wavy(filters, depth, kernel[0], kernel[1])
		var bias *onnx.Tensor
		if rapid.Bool().Draw(t, "bias") {
			bias = wavy(filters)
		}
		got := eval(t, "Conv", 11, attrs{
			"group": group, "strides": strides, "dilations": dilations, "pads": pads,
		}, x, w, bias)
		sums(t, got, x, w, bias, group, strides, dilations, pads)
	})
}

// TestConvLarge crosses the borders of all blocks in which products are cut.
func TestConvLarge(t *testing.T) {
	x, w := wavy(1, 40, 21, 19), wavy(70, 40, 3, 3)
	ones, pads := []int{1, 1}, []int{1, 1, 1, 1}
	got := eval(t, "Conv", 11, attrs{"pads": pads}, x, w)
	sums(t, got, x, w, nil, 1, ones, ones, pads)
}

func TestConvRanks(t *testing.T) {
	// A 1-D convolution is a 2-D one over a height of 1; a 3-D one with a
	// kernel of depth 1 is a 2-D one of each slice.
	x, w := wavy(1, 2, 9), wavy(3, 2, 4)
	line := eval(t, "Conv", 11, attrs{"strides": []int{2}, "pads": []int{1, 2}}, x, w)
	plane := eval(t, "Conv", 11, attrs{"strides": []int{1, 2}, "pads": []int{0, 1, 0, 2}},
		reshaped(x, []int{1, 2, 1, 9}), reshaped(w, []int{3, 2, 1, 4}))
	same(t, line, reshaped(plane, line.Dims), 0)

	x, w = wavy(1, 1, 4, 5, 6), wavy(2, 1, 1, 3, 3)
	got := eval(t, "Conv", 11, attrs{"auto_pad": "SAME_UPPER"}, x, w)
	images := eval(t, "Transpose", 11, attrs{"perm": []int{2, 0, 1, 3, 4}}, x)
	planes := eval(t, "Conv", 11, attrs{"pads": []int{1, 1, 1, 1}}, reshaped(images, []int{4, 1, 5, 6}), reshaped(w, []int{2, 1, 3, 3}))
	want := eval(t, "Transpose", 11, attrs{"perm": []int{1, 0, 2, 3}}, planes)
	same(t, got, reshaped(want, []int{1, 2, 4, 5, 6}), 0)
}

func TestConvAutoPad(t *testing.T) {
	x, w := counting(1, 1, 5, 5), f32([]int{1, 1, 2, 2}, 1, 1, 1, 1)
	for _, c := range []struct {
		mode string
		pads []int
	}{
		{"SAME_UPPER", []int{0, 0, 1, 1}},
		{"SAME_LOWER", []int{1, 1, 0, 0}},
		{"VALID", []int{0, 0, 0, 0}},
	} {
		t.Run(c.mode, func(t *testing.T) {
			for _, stride := range []int{1, 2} {
				strides := []int{stride, stride}
				got := eval(t, "Conv", 11, attrs{"auto_pad": c.mode, "strides": strides}, x, w)
				same(t, got, naiveConv(x, w, nil, 1, strides, []int{1, 1}, c.pads), 0)
			}
		})
	}
}

func TestConvTypes(t *testing.T) {
	x, w := wavy(1, 3, 5, 5), wavy(2, 3, 3, 3)
	want := eval(t, "Conv", 11, nil, x, w)
	for _, c := range []struct {
		dtype     onnx.DType
		tolerance float64
	}{{onnx.Float64, 1e-6}, {onnx.Float16, 2e-3}, {onnx.BFloat16, 2e-2}} {
		a, b := castTo(t, x, c.dtype), castTo(t, w, c.dtype)
		got := eval(t, "Conv", 11, nil, a, b)
		if got.DType != c.dtype {
			t.Fatalf("got %s, want %s", got.DType, c.dtype)
		}
		rounded := like(got, got.Dims, nil)
		if v, ok := got.Data.([]float32); ok {
			rounded.Data = append([]float32{}, v...)
			rounded.Round()
			same(t, got, rounded, 0)
		}
		same(t, castTo(t, got, onnx.Float32), want, c.tolerance)
	}
}

func castTo(t tester, x *onnx.Tensor, to onnx.DType) *onnx.Tensor {
	t.Helper()
	return eval(t, "Cast", 13, attrs{"to": to.Code()}, x)
}

func TestConvEmpty(t *testing.T) {
	got := eval(t, "Conv", 11, nil, counting(0, 2, 5, 5), counting(3, 2, 3, 3))
	same(t, got, counting(0, 3, 3, 3), 0)

	// A kernel of 2^30 places that no weights pay for is no reason to list them.
	pad := 1 << 14
	got = eval(t, "Conv", 11, attrs{"pads": []int{pad, pad, pad, pad}}, f32([]int{1, 0, 4, 4}), f32([]int{1, 0, 2 * pad, 2 * pad}), f32(nil, 7))
	same(t, got, eval(t, "Expand", 13, nil, f32([]int{}, 7), i64(nil, 1, 1, 5, 5)), 0)
}

// TestLongSums adds a million terms: the error stays near float32's own.
func TestLongSums(t *testing.T) {
	n := 1 << 20
	v := make([]float32, n)
	exact := 0.0
	for i := range v {
		v[i] = 0.1 + float32(i%7)*1e-3
		exact += float64(v[i]) * float64(v[i])
	}
	x := f32([]int{1, n}, v...)
	got := eval(t, "MatMul", 13, nil, x, reshaped(x, []int{n, 1})).Data.([]float32)[0]
	if e := math.Abs(float64(got)-exact) / exact; e > 1e-6 {
		t.Errorf("relative error %g", e)
	}
}

// TestSameForAnyProcessors checks that the work's division among processors
// does not show.
func TestSameForAnyProcessors(t *testing.T) {
	x, w := wavy(1, 64, 17, 23), wavy(96, 64, 3, 3)
	want := eval(t, "Conv", 11, nil, x, w)
	results := make(chan *onnx.Tensor, 4)
	for range cap(results) {
		go func() { // crowd the scheduler so that tasks interleave anew
			out, err := Eval(context.Background(), node("Conv", 1, nil), 11, []*onnx.Tensor{x, w})
			if err != nil {
				t.Error(err)
				results <- want
				return
			}
			results <- out[0]
		}()
	}
	for range cap(results) {
		same(t, <-results, want, 0)
	}
}
