package onnx

import (
	"math"
	"slices"
	"strings"
	"testing"
)

func TestCount(t *testing.T) {
	for _, c := range []struct {
		dims []int
		want int
		err  string
	}{
		{nil, 1, ""},
		{[]int{}, 1, ""},
		{[]int{2, 3, 4}, 24, ""},
		{[]int{0}, 0, ""},
		{[]int{7, 0, 3}, 0, ""},
		{[]int{math.MaxInt32}, math.MaxInt32, ""},
		{[]int{2, -1}, 0, "negative dimension in shape 2x-1"},
		{[]int{0, -1}, 0, "negative"},
		{[]int{1 << 16, 1 << 16}, 0, "more than"},
		{[]int{math.MaxInt, math.MaxInt, math.MaxInt}, 0, "more than"},
		{[]int{math.MaxInt, math.MaxInt, 0}, 0, "more than"},
	} {
		got, err := Count(c.dims)
		if c.err == "" && (err != nil || got != c.want) {
			t.Errorf("Count(%v) = %d, %v, want %d", c.dims, got, err, c.want)
		}
		if c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
			t.Errorf("Count(%v) = %d, %v, want an error with %q", c.dims, got, err, c.err)
		}
	}
}

func TestConversions(t *testing.T) {
	for _, x := range []*Tensor{
		New([]int{2}, []float32{1, 2}), New([]int{2}, []float64{1, 2}), New([]int{2}, []int8{1, 2}),
		New([]int{2}, []int16{1, 2}), New([]int{2}, []int32{1, 2}), New([]int{2}, []int64{1, 2}),
		New([]int{2}, []uint8{1, 2}), New([]int{2}, []uint16{1, 2}), New([]int{2}, []uint32{1, 2}),
		New([]int{2}, []uint64{1, 2}),
	} {
		if v, err := x.Float32s(); err != nil || !slices.Equal(v, []float32{1, 2}) {
			t.Errorf("%s: Float32s = %v, %v", x.DType, v, err)
		}
		if v, err := x.Float64s(); err != nil || !slices.Equal(v, []float64{1, 2}) {
			t.Errorf("%s: Float64s = %v, %v", x.DType, v, err)
		}
		v, err := x.Ints()
		if x.DType.IsFloat() != (err != nil) {
			t.Errorf("%s: Ints gives the error %v", x.DType, err)
		}
		if err == nil && !slices.Equal(v, []int{1, 2}) {
			t.Errorf("%s: Ints = %v", x.DType, v)
		}
	}
	if v, err := New([]int{2}, []bool{true, false}).Int64s(); err != nil || !slices.Equal(v, []int64{1, 0}) {
		t.Errorf("bool: Int64s = %v, %v", v, err)
	}
	if _, err := Scalar("1").Float32s(); err == nil {
		t.Error("a string was read as a number")
	}
}

// The numbers of the types in files are ONNX's.
func TestCodes(t *testing.T) {
	for d, want := range map[DType]int{
		Float32: 1, Uint8: 2, Int8: 3, Uint16: 4, Int16: 5, Int32: 6, Int64: 7, String: 8, Bool: 9,
		Float16: 10, Float64: 11, Uint32: 12, Uint64: 13, BFloat16: 16,
	} {
		if d.Code() != want {
			t.Errorf("%s has code %d, want %d", d, d.Code(), want)
		}
		if back, err := DTypeOf(want); err != nil || back != d {
			t.Errorf("DTypeOf(%d) = %s, %v, want %s", want, back, err, d)
		}
	}
	for code, name := range map[int]string{14: "complex64", 17: "float8e4m3fn", 22: "int4", 99: "number 99", -1: "number -1", 1<<32 + 1: "number"} {
		if _, err := DTypeOf(code); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("DTypeOf(%d) gives the error %v, want one with %q", code, err, name)
		}
	}
}
