package reference

import (
	"context"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"occlude/internal/onnx"
)

func TestMovement(t *testing.T) {
	x := counting(2, 3)
	for _, c := range []struct {
		name, op string
		opset    int
		a        attrs
		in       []*onnx.Tensor
		want     *onnx.Tensor
	}{
		{"reverse", "Transpose", 13, nil, []*onnx.Tensor{x}, f32([]int{3, 2}, 0, 3, 1, 4, 2, 5)},
		{"scalar", "Transpose", 13, nil, []*onnx.Tensor{f32([]int{}, 7)}, f32([]int{}, 7)},
		{"rows", "Concat", 13, attrs{"axis": 0}, []*onnx.Tensor{x, f32([]int{1, 3}, 7, 8, 9)}, f32([]int{3, 3}, 0, 1, 2, 3, 4, 5, 7, 8, 9)},
		{"columns", "Concat", 13, attrs{"axis": -1}, []*onnx.Tensor{x, f32([]int{2, 1}, 7, 8)}, f32([]int{2, 4}, 0, 1, 2, 7, 3, 4, 5, 8)},
		{"old default", "Concat", 1, nil, []*onnx.Tensor{x, f32([]int{2, 1}, 7, 8)}, f32([]int{2, 4}, 0, 1, 2, 7, 3, 4, 5, 8)},
		{"with nothing", "Concat", 13, attrs{"axis": 0}, []*onnx.Tensor{f32([]int{0}), f32(nil, 1)}, f32(nil, 1)},
		{"strings", "Concat", 13, attrs{"axis": 0}, []*onnx.Tensor{tensor(nil, []string{"a"}), tensor(nil, []string{"b"})}, tensor(nil, []string{"a", "b"})},

		{"attributes", "Slice", 9, attrs{"starts": []int{0, 1}, "ends": []int{1, 1000}}, []*onnx.Tensor{x}, f32([]int{1, 2}, 1, 2)},
		{"named axis", "Slice", 9, attrs{"axes": []int{1}, "starts": []int{-2}, "ends": []int{-1}}, []*onnx.Tensor{x}, f32([]int{2, 1}, 1, 4)},
		{"inputs", "Slice", 13, nil, []*onnx.Tensor{x, i64(nil, 1), i64(nil, math.MaxInt64), i64(nil, -1)}, f32([]int{2, 2}, 1, 2, 4, 5)},
		{"every second", "Slice", 13, nil, []*onnx.Tensor{x, i64(nil, 0), i64(nil, 3), i64(nil, 1), i64(nil, 2)}, f32([]int{2, 2}, 0, 2, 3, 5)},
		{"backward", "Slice", 13, nil, []*onnx.Tensor{x, i64(nil, -1), i64(nil, math.MinInt64), i64(nil, 1), i64(nil, -2)}, f32([]int{2, 2}, 2, 0, 5, 3)},
		{"backward to an end", "Slice", 13, nil, []*onnx.Tensor{x, i64(nil, 20), i64(nil, 0), i64(nil, 1), i64(nil, -1)}, f32([]int{2, 2}, 2, 1, 5, 4)},
		{"nothing", "Slice", 13, nil, []*onnx.Tensor{x, i64(nil, 2), i64(nil, 1), i64(nil, 1)}, f32([]int{2, 0})},
		{"steps of int32", "Slice", 13, nil, []*onnx.Tensor{x, i32(nil, 0), i32(nil, 1)}, f32([]int{1, 3}, 0, 1, 2)},

		{"constant", "Pad", 13, nil, []*onnx.Tensor{f32(nil, 1, 2), i64(nil, 1, 2), f32([]int{}, 9)}, f32(nil, 9, 1, 2, 9, 9)},
		{"zero", "Pad", 13, nil, []*onnx.Tensor{x, i64(nil, 0, 1, 0, 0)}, f32([]int{2, 4}, 0, 0, 1, 2, 0, 3, 4, 5)},
		{"crop", "Pad", 13, nil, []*onnx.Tensor{x, i64(nil, -1, 0, 0, -1)}, f32([]int{1, 2}, 3, 4)},
		{"crop and edge", "Pad", 13, attrs{"mode": "edge"}, []*onnx.Tensor{f32(nil, 1, 2, 3), i64(nil, -1, 2)}, f32(nil, 2, 3, 3, 3)},
		{"edge", "Pad", 13, attrs{"mode": "edge"}, []*onnx.Tensor{f32(nil, 1, 2), i64(nil, 1, 2)}, f32(nil, 1, 1, 2, 2, 2)},
		{"reflect", "Pad", 13, attrs{"mode": "reflect"}, []*onnx.Tensor{f32(nil, 1, 2, 3), i64(nil, 2, 5)}, f32(nil, 3, 2, 1, 2, 3, 2, 1, 2, 3, 2)},
		{"reflect one", "Pad", 13, attrs{"mode": "reflect"}, []*onnx.Tensor{f32(nil, 1), i64(nil, 1, 1)}, f32(nil, 1, 1, 1)},
		{"wrap", "Pad", 19, attrs{"mode": "wrap"}, []*onnx.Tensor{f32(nil, 1, 2, 3), i64(nil, 2, 4)}, f32(nil, 2, 3, 1, 2, 3, 1, 2, 3, 1)},
		{"axes", "Pad", 18, nil, []*onnx.Tensor{x, i64(nil, 1, 0), nil, i64(nil, -1)}, f32([]int{2, 4}, 0, 0, 1, 2, 0, 3, 4, 5)},
		{"attributes", "Pad", 2, attrs{"pads": []int{1, 0}, "value": 5.0}, []*onnx.Tensor{f32(nil, 1)}, f32(nil, 5, 1)},
		{"oldest attribute", "Pad", 1, attrs{"paddings": []int{1, 0}}, []*onnx.Tensor{f32(nil, 1)}, f32(nil, 0, 1)},

		{"rows", "Gather", 13, nil, []*onnx.Tensor{x, i64(nil, 1, -2)}, f32([]int{2, 3}, 3, 4, 5, 0, 1, 2)},
		{"matrix of indices", "Gather", 13, attrs{"axis": 1}, []*onnx.Tensor{x, i64([]int{1, 2}, 2, 0)}, f32([]int{2, 1, 2}, 2, 0, 5, 3)},
		{"scalar index", "Gather", 13, attrs{"axis": 1}, []*onnx.Tensor{x, i32([]int{}, 1)}, f32([]int{2}, 1, 4)},
		{"of a shape", "Gather", 13, nil, []*onnx.Tensor{i64(nil, 5, 6, 7), i64([]int{}, 1)}, i64([]int{}, 6)},
		{"elements", "GatherElements", 13, attrs{"axis": 1}, []*onnx.Tensor{x, i64([]int{2, 2}, 0, 2, -1, 1)}, f32([]int{2, 2}, 0, 2, 5, 4)},
		{"tuples", "GatherND", 13, nil, []*onnx.Tensor{x, i64([]int{2, 2}, 0, 1, -1, -1)}, f32([]int{2}, 1, 5)},
		{"rows by tuples", "GatherND", 13, nil, []*onnx.Tensor{x, i64([]int{1, 1}, 1)}, f32([]int{1, 3}, 3, 4, 5)},
		{"in batches", "GatherND", 13, attrs{"batch_dims": 1}, []*onnx.Tensor{x, i64([]int{2, 1}, 2, 0)}, f32([]int{2}, 2, 3)},

		{"row", "Expand", 13, nil, []*onnx.Tensor{f32(nil, 1, 2), i64(nil, 2, 1)}, f32([]int{2, 2}, 1, 2, 1, 2)},
		{"tiles", "Tile", 13, nil, []*onnx.Tensor{f32([]int{1, 2}, 1, 2), i64(nil, 2, 2)}, f32([]int{2, 4}, 1, 2, 1, 2, 1, 2, 1, 2)},
		{"no tiles", "Tile", 13, nil, []*onnx.Tensor{f32(nil, 1, 2), i64(nil, 0)}, f32([]int{0})},
		{"choice", "Where", 16, nil, []*onnx.Tensor{truth([]int{2, 1}, true, false), f32(nil, 1, 2), f32([]int{}, 9)}, f32([]int{2, 2}, 1, 2, 9, 9)},
		{"blocks", "DepthToSpace", 13, attrs{"blocksize": 2}, []*onnx.Tensor{counting(1, 8, 1, 1)}, f32([]int{1, 2, 2, 2}, 0, 2, 4, 6, 1, 3, 5, 7)},
		{"blocks, channels first", "DepthToSpace", 13, attrs{"blocksize": 2, "mode": "CRD"}, []*onnx.Tensor{counting(1, 8, 1, 1)}, f32([]int{1, 2, 2, 2}, 0, 1, 2, 3, 4, 5, 6, 7)},
		{"blocks", "SpaceToDepth", 13, attrs{"blocksize": 2}, []*onnx.Tensor{counting(1, 1, 2, 4)}, f32([]int{1, 4, 1, 2}, 0, 2, 1, 3, 4, 6, 5, 7)},

		{"keep and infer", "Reshape", 13, nil, []*onnx.Tensor{counting(2, 3, 2), i64(nil, 0, -1)}, counting(2, 6)},
		{"to a scalar", "Reshape", 13, nil, []*onnx.Tensor{f32(nil, 1), i64([]int{0})}, f32([]int{}, 1)},
		{"a real zero", "Reshape", 14, attrs{"allowzero": 1}, []*onnx.Tensor{f32([]int{0, 3}), i64(nil, 3, 0)}, f32([]int{3, 0})},
		{"attribute", "Reshape", 1, attrs{"shape": []int{3, -1}}, []*onnx.Tensor{x}, counting(3, 2)},
		{"default", "Flatten", 13, nil, []*onnx.Tensor{counting(2, 3, 2)}, counting(2, 6)},
		{"all columns", "Flatten", 13, attrs{"axis": 0}, []*onnx.Tensor{x}, counting(1, 6)},
		{"all rows", "Flatten", 13, attrs{"axis": 2}, []*onnx.Tensor{x}, counting(6, 1)},
		{"from the end", "Flatten", 13, attrs{"axis": -1}, []*onnx.Tensor{counting(2, 3, 2)}, counting(6, 2)},
		{"all", "Squeeze", 13, nil, []*onnx.Tensor{counting(1, 2, 1)}, counting(2)},
		{"one", "Squeeze", 13, nil, []*onnx.Tensor{counting(1, 2, 1), i64(nil, -1)}, counting(1, 2)},
		{"attribute", "Squeeze", 11, attrs{"axes": []int{0}}, []*onnx.Tensor{counting(1, 2, 1)}, counting(2, 1)},
		{"places of the result", "Unsqueeze", 13, nil, []*onnx.Tensor{x, i64(nil, 0, -1)}, counting(1, 2, 3, 1)},
		{"attribute", "Unsqueeze", 11, attrs{"axes": []int{1}}, []*onnx.Tensor{x}, counting(2, 1, 3)},
		{"a scalar", "Unsqueeze", 13, nil, []*onnx.Tensor{i64([]int{}, 5), i64(nil, 0)}, i64(nil, 5)},

		{"all", "Shape", 13, nil, []*onnx.Tensor{x}, i64(nil, 2, 3)},
		{"of a scalar", "Shape", 13, nil, []*onnx.Tensor{f32([]int{}, 1)}, i64([]int{0})},
		{"part", "Shape", 15, attrs{"start": -1, "end": 100}, []*onnx.Tensor{x}, i64(nil, 3)},
		{"start after end", "Shape", 19, attrs{"start": 1, "end": 0}, []*onnx.Tensor{x}, i64([]int{0})},
		{"attributes came later", "Shape", 13, attrs{"start": 1}, []*onnx.Tensor{x}, i64(nil, 2, 3)},
		{"size", "Size", 13, nil, []*onnx.Tensor{x}, i64([]int{}, 6)},
		{"value", "ConstantOfShape", 9, attrs{"value": i64(nil, 7)}, []*onnx.Tensor{i64(nil, 2)}, i64(nil, 7, 7)},
		{"default", "ConstantOfShape", 9, nil, []*onnx.Tensor{i64([]int{0})}, f32([]int{}, 0)},
		{"value", "Constant", 13, attrs{"value": i64(nil, 7)}, nil, i64(nil, 7)},
		{"floats", "Constant", 13, attrs{"value_floats": []float32{1, 2}}, nil, f32(nil, 1, 2)},
		{"integer", "Constant", 13, attrs{"value_int": 3}, nil, i64([]int{}, 3)},
		{"down", "Range", 11, nil, []*onnx.Tensor{i32([]int{}, 10), i32([]int{}, 4), i32([]int{}, -3)}, i32(nil, 10, 7)},
		{"nothing", "Range", 11, nil, []*onnx.Tensor{f32([]int{}, 1), f32([]int{}, 0), f32([]int{}, 1)}, f32([]int{0})},
		{"diagonal", "EyeLike", 9, attrs{"k": 1, "dtype": 7}, []*onnx.Tensor{x}, i64([]int{2, 3}, 0, 1, 0, 0, 0, 1)},
	} {
		t.Run(c.op+" "+c.name, func(t *testing.T) { same(t, eval(t, c.op, c.opset, c.a, c.in...), c.want, 0) })
	}
}

func TestSplit(t *testing.T) {
	x := counting(5)
	for _, c := range []struct {
		name  string
		opset int
		a     attrs
		want  int
		in    []*onnx.Tensor
		sizes []int // nil: an error
	}{
		{"attribute", 11, attrs{"split": []int{1, 4}}, 2, []*onnx.Tensor{x}, []int{1, 4}},
		{"input", 13, nil, 2, []*onnx.Tensor{x, i64(nil, 5, 0)}, []int{5, 0}},
		{"even", 13, nil, 5, []*onnx.Tensor{x}, []int{1, 1, 1, 1, 1}},
		{"uneven", 18, attrs{"num_outputs": 3}, 3, []*onnx.Tensor{x}, []int{2, 2, 1}},
		{"uneven too early", 13, nil, 2, []*onnx.Tensor{x}, nil},
		{"too much", 13, nil, 2, []*onnx.Tensor{x, i64(nil, 5, 1)}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, err := Eval(context.Background(), node("Split", c.want, c.a), c.opset, c.in)
			if c.sizes == nil {
				if err == nil {
					t.Fatal("no error")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var sizes []int
			for _, y := range out {
				sizes = append(sizes, y.Dims[0])
			}
			if !slices.Equal(sizes, c.sizes) {
				t.Fatalf("parts %v, want %v", sizes, c.sizes)
			}
			same(t, eval(t, "Concat", 13, attrs{"axis": 0}, out...), x, 0)
		})
	}
}

// TestTransposeByIndex checks every element against the definition.
func TestTransposeByIndex(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dims := rapid.SliceOfN(rapid.IntRange(1, 4), 1, 5).Draw(t, "dims")
		perm := rapid.Permutation(steps(len(dims), 1)).Draw(t, "perm")
		x := counting(dims...)
		y := eval(t, "Transpose", 13, attrs{"perm": perm}, x)
		from, to := stridesOf(x.Dims), stridesOf(y.Dims)
		for i, v := range y.Data.([]float32) {
			offset := 0
			for a, p := range perm {
				offset += i / to[a] % y.Dims[a] * from[p]
			}
			if float32(offset) != v {
				t.Fatalf("element %d is %g, want %d", i, v, offset)
			}
		}
	})
}

func TestCast(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	for _, c := range []struct {
		name string
		x    *onnx.Tensor
		want *onnx.Tensor
	}{
		{"fractions", f32(nil, -1.9, 1.9), i64(nil, -1, 1)},
		{"beyond int64", f32(nil, inf, -inf, nan), i64(nil, math.MaxInt64, math.MinInt64, 0)},
		{"wrapping", i64(nil, 300, -1), tensor(nil, []uint8{44, 255})},
		{"large unsigned", f32(nil, 1<<63), tensor(nil, []uint64{1 << 63})},
		{"truth", f32(nil, 0, 0.5, nan), truth(nil, false, true, true)},
		{"of truth", truth(nil, true, false), f32(nil, 1, 0)},
		{"to double", f32(nil, 0.5), tensor(nil, []float64{0.5})},
		{"kept", i32(nil, 5), i32(nil, 5)},
		{"exact int64", i64(nil, 1<<62+1), tensor(nil, []uint64{1<<62 + 1})},
	} {
		t.Run(c.name, func(t *testing.T) {
			same(t, castTo(t, c.x, c.want.DType), c.want, 0)
			same(t, eval(t, "CastLike", 15, nil, c.x, c.want), c.want, 0)
		})
	}
	same(t, eval(t, "Cast", 1, attrs{"to": "INT32"}, f32(nil, 1.5)), i32(nil, 1), 0)
}
