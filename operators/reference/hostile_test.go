package reference

import (
	"context"
	"errors"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"occlude/internal/onnx"
)

// nasty are numbers that break naive arithmetic: tiny ones are likely to be
// valid, the huge ones overflow sums and products. None lies between, where a
// valid result would be slow to compute.
var nasty = []int64{
	0, 1, 2, 3, -1, -2, -3, 5, 1 << 31, 1<<31 - 1, -1 << 31, 1 << 40, 1 << 62,
	math.MaxInt64, math.MinInt64, math.MaxInt64 - 1, math.MinInt64 + 1,
}

var attrNames = map[string]string{
	"axis": "int", "axes": "ints", "perm": "ints", "starts": "ints", "ends": "ints", "steps": "ints", "pads": "ints",
	"paddings": "ints", "strides": "ints", "dilations": "ints", "kernel_shape": "ints", "group": "int", "num_groups": "int",
	"ceil_mode": "int", "count_include_pad": "int", "storage_order": "int", "keepdims": "int", "blocksize": "int",
	"split": "ints", "num_outputs": "int", "shape": "ints", "start": "int", "end": "int", "batch_dims": "int", "k": "int",
	"size": "int", "p": "int", "to": "int", "dtype": "int", "broadcast": "int", "transA": "int", "transB": "int",
	"allowzero": "int", "value_ints": "ints", "value_int": "int", "noop_with_empty_axes": "int", "fmod": "int",
	"training_mode": "int", "spatial": "int", "seed": "int",
}

// TestNeverPanics throws nodes with absurd attributes and inputs at every
// operator. What comes back is a result that is in order or an error that is
// not the recovery of a panic.
func TestNeverPanics(t *testing.T) {
	names := slices.Sorted(maps.Keys(attrNames))
	rapid.Check(t, func(t *rapid.T) {
		op := rapid.SampledFrom(Ops()).Draw(t, "op")
		number := rapid.SampledFrom(nasty)
		n := node(op, rapid.IntRange(0, 3).Draw(t, "outputs"), nil)
		for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom(names), 0, 12, rapid.ID[string]).Draw(t, "attributes") {
			if attrNames[name] == "int" {
				n.Attrs[name] = onnx.Attr{Value: number.Draw(t, name)}
			} else {
				n.Attrs[name] = onnx.Attr{Value: rapid.SliceOfN(number, 0, 6).Draw(t, name)}
			}
		}
		if rapid.Bool().Draw(t, "auto") {
			n.Attrs["auto_pad"] = onnx.Attr{Value: rapid.SampledFrom([]string{"SAME_UPPER", "SAME_LOWER", "VALID", "NOTSET", "?"}).Draw(t, "auto_pad")}
		}
		if rapid.Bool().Draw(t, "padded") {
			n.Attrs["mode"] = onnx.Attr{Value: rapid.SampledFrom([]string{"constant", "edge", "reflect", "wrap", "?"}).Draw(t, "mode")}
		}
		var in []*onnx.Tensor
		for range rapid.IntRange(0, 5).Draw(t, "inputs") {
			in = append(in, nastyTensor(t))
		}
		opset := rapid.IntRange(0, 22).Draw(t, "opset")
		out, err := Eval(context.Background(), n, opset, in)
		if err != nil {
			if strings.Contains(err.Error(), "internal error") {
				t.Fatalf("opset %d: %v", opset, err)
			}
			return
		}
		for i, y := range out {
			if y == nil {
				continue
			}
			if count, err := onnx.Count(y.Dims); err != nil || lengthOf(y) != count {
				t.Fatalf("%s, output %d: %d elements of %s for shape %v", op, i, lengthOf(y), y.DType, y.Dims)
			}
		}
	})
}

func nastyTensor(t *rapid.T) *onnx.Tensor {
	dims := rapid.SliceOfN(rapid.SampledFrom([]int{1, 2, 3, 4, 0}), 0, 5).Draw(t, "dims")
	n := product(dims)
	switch rapid.IntRange(0, 6).Draw(t, "type") {
	case 0:
		return nil
	case 1:
		return onnx.New(dims, rapid.SliceOfN(rapid.SampledFrom(nasty), n, n).Draw(t, "int64"))
	case 2:
		return onnx.New(dims, rapid.SliceOfN(rapid.Int32(), n, n).Draw(t, "int32"))
	case 3:
		return onnx.New(dims, rapid.SliceOfN(rapid.Bool(), n, n).Draw(t, "bool"))
	case 4:
		return onnx.New(dims, rapid.SliceOfN(rapid.Uint8(), n, n).Draw(t, "uint8"))
	}
	return onnx.New(dims, rapid.SliceOfN(rapid.Float32(), n, n).Draw(t, "float32"))
}

// TestAbsurdSizes names what is asked for instead of allocating it.
func TestAbsurdSizes(t *testing.T) {
	image := counting(1, 1, 4, 4)
	for _, c := range []struct {
		name string
		op   string
		a    attrs
		in   []*onnx.Tensor
		want string
	}{
		{"huge constant", "ConstantOfShape", nil, []*onnx.Tensor{i64(nil, 1<<20, 1<<20)}, "more than"},
		{"huge expansion", "Expand", nil, []*onnx.Tensor{f32(nil, 1), i64(nil, 1<<30)}, "too large"},
		{"huge tiling", "Tile", nil, []*onnx.Tensor{f32(nil, 1), i64(nil, 1<<29)}, "repeats"},
		{"huge range", "Range", nil, []*onnx.Tensor{i64([]int{}, 0), i64([]int{}, 1<<40), i64([]int{}, 1)}, "range of"},
		{"endless range", "Range", nil, []*onnx.Tensor{f32([]int{}, 0), f32([]int{}, float32(math.Inf(1))), f32([]int{}, 1)}, "range of"},
		{"huge padding", "Pad", nil, []*onnx.Tensor{f32(nil, 1), i64(nil, 1<<60, 1<<60)}, "pads of"},
		{"huge conv pads", "Conv", attrs{"pads": []int{1 << 27, 1 << 27, 1 << 27, 1 << 27}}, []*onnx.Tensor{image, counting(1, 1, 1, 1)}, "more than"},
		{"negative stride", "Conv", attrs{"strides": []int{-1, 1}}, []*onnx.Tensor{image, counting(1, 1, 1, 1)}, "strides"},
		{"zero stride", "MaxPool", attrs{"kernel_shape": []int{1, 1}, "strides": []int{0, 1}}, []*onnx.Tensor{image}, "strides"},
		{"zero dilation", "MaxPool", attrs{"kernel_shape": []int{1, 1}, "dilations": []int{0, 1}}, []*onnx.Tensor{image}, "dilations"},
		{"no kernel", "MaxPool", nil, []*onnx.Tensor{image}, "kernel_shape"},
		{"empty kernel", "MaxPool", attrs{"kernel_shape": []int{0, 1}}, []*onnx.Tensor{image}, "kernel of 0"},
		{"window too large", "MaxPool", attrs{"kernel_shape": []int{9, 9}}, []*onnx.Tensor{image}, "larger than"},
		{"group mismatch", "Conv", attrs{"group": 3}, []*onnx.Tensor{image, counting(1, 1, 1, 1)}, "groups"},
		{"bias mismatch", "Conv", nil, []*onnx.Tensor{image, counting(1, 1, 1, 1), counting(2)}, "bias"},
		{"parts of nothing", "Split", attrs{"num_outputs": 1 << 20}, []*onnx.Tensor{f32([]int{0})}, "parts"},
		{"parts beyond", "Split", attrs{"num_outputs": 1 << 40}, []*onnx.Tensor{f32(nil, 1, 2)}, "parts"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Eval(context.Background(), node(c.op, 1, c.a), 18, c.in)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got error %v, want one about %q", err, c.want)
			}
			if !strings.Contains(err.Error(), c.op+` node "n"`) {
				t.Errorf("error %q does not name the node", err)
			}
		})
	}
}

// TestCancel stops operators that would run for minutes.
func TestCancel(t *testing.T) {
	square := onnx.New([]int{3000, 3000}, make([]float32, 9e6))
	for _, c := range []struct {
		op string
		a  attrs
		in []*onnx.Tensor
	}{
		{"MatMul", nil, []*onnx.Tensor{square, square}},
		{"Conv", nil, []*onnx.Tensor{reshaped(square, []int{1, 1, 3000, 3000}), counting(1, 1, 1000, 1000)}},
		{"AveragePool", attrs{"kernel_shape": []int{1501, 1501}, "pads": []int{750, 750, 750, 750}},
			[]*onnx.Tensor{reshaped(square, []int{1, 1, 3000, 3000})}},
	} {
		t.Run(c.op, func(t *testing.T) {
			ctx, stop := context.WithTimeout(context.Background(), 20*time.Millisecond)
			defer stop()
			if _, err := Eval(ctx, node(c.op, 1, c.a), 18, c.in); !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("got %v", err)
			}
		})
	}
}
