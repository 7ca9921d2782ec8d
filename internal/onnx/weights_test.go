package onnx_test

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/gomlx/compute-onnx/support/protos"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"occlude/internal/onnx"
	"occlude/internal/onnx/onnxtest"
)

// anyTensor draws a tensor of any type, scalars and empty ones included.
func anyTensor(t *rapid.T) *onnx.Tensor {
	dims := rapid.SliceOfN(rapid.IntRange(0, 4), 0, 3).Draw(t, "dims")
	n, _ := onnx.Count(dims)
	switch d := onnx.DType(rapid.IntRange(int(onnx.Float32), int(onnx.String)).Draw(t, "type")); d {
	case onnx.Float32:
		return elements(t, dims, n, rapid.Float32())
	case onnx.Float64:
		return elements(t, dims, n, rapid.Float64())
	case onnx.Float16, onnx.BFloat16:
		x := elements(t, dims, n, rapid.Float32Range(-70000, 70000))
		x.DType = d
		x.Round()
		return x
	case onnx.Int8:
		return elements(t, dims, n, rapid.Int8())
	case onnx.Int16:
		return elements(t, dims, n, rapid.Int16())
	case onnx.Int32:
		return elements(t, dims, n, rapid.Int32())
	case onnx.Int64:
		return elements(t, dims, n, rapid.Int64())
	case onnx.Uint8:
		return elements(t, dims, n, rapid.Uint8())
	case onnx.Uint16:
		return elements(t, dims, n, rapid.Uint16())
	case onnx.Uint32:
		return elements(t, dims, n, rapid.Uint32())
	case onnx.Uint64:
		return elements(t, dims, n, rapid.Uint64())
	case onnx.Bool:
		return elements(t, dims, n, rapid.Bool())
	default:
		return elements(t, dims, n, rapid.String())
	}
}

func elements[T onnx.Element](t *rapid.T, dims []int, n int, g *rapid.Generator[T]) *onnx.Tensor {
	v := make([]T, n)
	for i := range v {
		v[i] = g.Draw(t, "element")
	}
	return onnx.New(dims, v)
}

// A tensor of any type and shape comes back from every encoding.
func TestEncodings(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		x := anyTensor(rt)
		m := onnxtest.New(13)
		switch rapid.SampledFrom([]string{"raw", "typed", "external"}).Draw(rt, "encoding") {
		case "typed":
			m.Typed()
		case "external":
			m.External("weights.bin")
		}
		m.Init("before", onnx.Scalar[float32](1)).Init("x", x).Output("x", x.DType, x.Dims...)
		m.WriteExternal(t, dir)
		got, err := onnx.Decode(m.Bytes(), dir)
		if err != nil {
			rt.Fatal(err)
		}
		y := got.Graph.Initializers["x"]
		if y.DType != x.DType || !reflect.DeepEqual(y.Dims, x.Dims) || !reflect.DeepEqual(y.Data, x.Data) {
			rt.Fatalf("%s %v %v came back as %s %v %v", x.DType, x.Dims, x.Data, y.DType, y.Dims, y.Data)
		}
	})
}

func TestDecodeTensor(t *testing.T) {
	x := onnx.New([]int{2, 2}, []float32{1, float32(math.Inf(-1)), 3, 4})
	x.Name = "x"
	got, err := onnx.ReadTensor(onnxtest.TensorFile(t, t.TempDir(), "input_0.pb", x))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, x) {
		t.Errorf("%v came back as %v", x, got)
	}
}

func TestBadTensors(t *testing.T) {
	const float, int8, str, double = 1, 3, 8, 11
	for _, c := range []struct {
		name string
		p    *protos.TensorProto
		want string
	}{
		{"no type", &protos.TensorProto{Dims: []int64{1}, RawData: make([]byte, 4)}, "no element type"},
		{"complex", &protos.TensorProto{DataType: 14}, "type complex64 is not supported"},
		{"float8", &protos.TensorProto{DataType: 17}, "type float8e4m3fn is not supported"},
		{"unknown type", &protos.TensorProto{DataType: 99}, "type number 99 is not supported"},
		{"negative dimension", &protos.TensorProto{DataType: float, Dims: []int64{2, -1}}, "dimension 1 of the tensor has size -1"},
		{"huge dimension", &protos.TensorProto{DataType: float, Dims: []int64{math.MaxInt64}}, "has size 9223372036854775807"},
		{"huge shape", &protos.TensorProto{DataType: float, Dims: []int64{1 << 20, 1 << 20}}, "more than"},
		{"large shape, no bytes", &protos.TensorProto{DataType: double, Dims: []int64{1 << 30}}, "0 elements where its shape needs 1073741824"},
		{"large shape, few bytes", &protos.TensorProto{DataType: double, Dims: []int64{1 << 30}, RawData: make([]byte, 8)}, "8 bytes where"},
		{"too many bytes", &protos.TensorProto{DataType: float, Dims: []int64{1}, RawData: make([]byte, 5)}, "5 bytes where 1 elements of float32 need 4"},
		{"raw strings", &protos.TensorProto{DataType: str, Dims: []int64{1}, RawData: []byte("a")}, "cannot have raw data"},
		{"too few elements", &protos.TensorProto{DataType: float, Dims: []int64{3}, FloatData: []float32{1, 2}}, "2 elements where its shape needs 3"},
		{"field of another type", &protos.TensorProto{DataType: float, Dims: []int64{1}, DoubleData: []float64{1}}, "needs 1 of float32"},
		{"two fields", &protos.TensorProto{DataType: float, Dims: []int64{1}, FloatData: []float32{1}, Int64Data: []int64{1}}, "2 elements where its shape needs 1"},
		{"raw and typed", &protos.TensorProto{DataType: float, Dims: []int64{1}, FloatData: []float32{1}, RawData: make([]byte, 4)}, "twice"},
		{"out of range", &protos.TensorProto{DataType: int8, Dims: []int64{2}, Int32Data: []int32{1, 200}}, "element 1 of the tensor is 200, outside of int8"},
		{"half out of range", &protos.TensorProto{DataType: 10, Dims: []int64{1}, Int32Data: []int32{-1}}, "outside of float16"},
		{"segment", &protos.TensorProto{DataType: float, Segment: &protos.TensorProto_Segment{}}, "segment"},
		{"external without a folder", external("w.bin", "", ""), "no folder"},
	} {
		t.Run(c.name, func(t *testing.T) {
			data, err := proto.Marshal(c.p)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := onnx.DecodeTensor(data); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("the error is %v, want one with %q", err, c.want)
			}
		})
	}
}

// external is a tensor of two floats kept in another file.
func external(location, offset, length string) *protos.TensorProto {
	p := &protos.TensorProto{DataType: 1, Dims: []int64{2}, DataLocation: protos.TensorProto_EXTERNAL}
	for _, kv := range [][2]string{{"location", location}, {"offset", offset}, {"length", length}} {
		if kv[1] != "" {
			p.ExternalData = append(p.ExternalData, &protos.StringStringEntryProto{Key: kv[0], Value: kv[1]})
		}
	}
	return p
}

func withInit(tensors ...*protos.TensorProto) *onnxtest.Model {
	m := onnxtest.New(13).Output("w0", onnx.Float32, 2)
	for i, p := range tensors {
		p.Name = fmt.Sprintf("w%d", i)
		m.Proto.Graph.Initializer = append(m.Proto.Graph.Initializer, p)
	}
	return m
}

func TestExternalData(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "model")
	x := onnx.New([]int{4}, []float32{1, 2, 3, 4})
	onnxtest.New(13).External("sub/w.bin").Init("x", x).WriteExternal(t, dir)
	onnxtest.New(13).External("secret.bin").Init("x", x).WriteExternal(t, root)
	links := symlink(t, "../secret.bin", filepath.Join(dir, "escape.bin")) &&
		symlink(t, "..", filepath.Join(dir, "up")) &&
		symlink(t, "sub/w.bin", filepath.Join(dir, "inside.bin"))

	for _, c := range []struct {
		name   string
		tensor *protos.TensorProto
		want   string // of the error; "" where 3, 4 is read
		link   bool
	}{
		{"whole description", external("sub/w.bin", "8", "8"), "", false},
		{"length left out", external("sub/w.bin", "8", ""), "", false},
		{"dots inside", external("./sub/../sub/w.bin", "8", "8"), "", false},
		{"link inside", external("inside.bin", "8", "8"), "", true},
		{"missing", external("none.bin", "", ""), `external data "none.bin": no such file`, false},
		{"no location", external("", "0", "8"), "no file is named", false},
		{"folder", external("sub", "", ""), "not a regular file", false},
		{"parent", external("../secret.bin", "", ""), "outside of the model's folder", false},
		{"parent in the middle", external("sub/../../secret.bin", "", ""), "outside of the model's folder", false},
		{"absolute", external(filepath.Join(root, "secret.bin"), "", ""), "outside of the model's folder", false},
		{"link to a file outside", external("escape.bin", "", ""), "escape", true},
		{"link to a folder outside", external("up/secret.bin", "", ""), "escape", true},
		{"beyond the end", external("sub/w.bin", "12", ""), "outside of the file's 16", false},
		{"offset beyond the end", external("sub/w.bin", "17", ""), "outside of the file's 16", false},
		{"negative offset", external("sub/w.bin", "-8", ""), "outside of the file's 16", false},
		{"offset overflows", external("sub/w.bin", "9223372036854775807", ""), "outside of the file's 16", false},
		{"offset is no number", external("sub/w.bin", "x", ""), `offset "x" is not a number`, false},
		{"wrong length", external("sub/w.bin", "0", "12"), "12 bytes are given where 2 elements of float32 need 8", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.link && !links {
				t.Skip("no symbolic links here")
			}
			m, err := onnx.Read(context.Background(), withInit(c.tensor).File(t, dir, "model.onnx"))
			switch {
			case c.want != "":
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("the error is %v, want one with %q", err, c.want)
				}
			case err != nil:
				t.Error(err)
			default:
				if got := m.Graph.Initializers["w0"].Data; !reflect.DeepEqual(got, []float32{3, 4}) {
					t.Errorf("read %v, want 3, 4", got)
				}
			}
		})
	}
}

// Many tensors over the same bytes of a file must not fill the memory.
func TestExternalReuse(t *testing.T) {
	dir := t.TempDir()
	onnxtest.New(13).External("w.bin").Init("x", onnx.New([]int{2}, []float32{1, 2})).WriteExternal(t, dir)
	var tensors []*protos.TensorProto
	for range 4 {
		tensors = append(tensors, external("w.bin", "", ""))
	}
	if _, err := onnx.Decode(withInit(tensors...).Bytes(), dir); err != nil {
		t.Errorf("four tied weights: %v", err)
	}
	for range 100 {
		tensors = append(tensors, external("w.bin", "", ""))
	}
	if _, err := onnx.Decode(withInit(tensors...).Bytes(), dir); err == nil || !strings.Contains(err.Error(), "larger than the file") {
		t.Errorf("a hundred tensors over one file give the error %v", err)
	}
}
