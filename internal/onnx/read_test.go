package onnx_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"runtime"
	"testing"

	"github.com/gomlx/compute-onnx/support/protos"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"occlude/internal/onnx"
	"occlude/internal/onnx/onnxtest"
)

// A file that is read is a file that is decoded, whatever its tensors are and
// wherever they are kept.
func TestReadIsDecode(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		m := onnxtest.New(13)
		switch rapid.SampledFrom([]string{"raw", "typed", "external"}).Draw(rt, "encoding") {
		case "typed":
			m.Typed()
		case "external":
			m.External("weights.bin")
		}
		m.Init("t", anyTensor(rt)).Output("t", onnx.Float32)
		want := map[string]*onnx.Tensor{}
		for i := range rapid.IntRange(0, 5).Draw(rt, "tensors") {
			name, x := fmt.Sprint("t", i), anyTensor(rt)
			switch rapid.SampledFrom([]string{"initializer", "constant", "function"}).Draw(rt, "place") {
			case "initializer":
				m.Init(name, x)
			case "constant":
				m.Node("Constant", "", name, onnxtest.Attrs{"value": x})
			case "function":
				m.Function("f", name, "", "y", nil, func(body *onnxtest.Model) {
					body.Node("Constant", "", "y", onnxtest.Attrs{"value": x})
				}).Node("f::"+name, "", name, nil)
			}
			want[name] = x
		}
		read, err := onnx.Read(context.Background(), m.File(t, dir, "model.onnx"))
		if err != nil {
			rt.Fatal(err)
		}
		decoded, err := onnx.Decode(m.Bytes(), dir)
		if err != nil {
			rt.Fatal(err)
		}
		if !reflect.DeepEqual(read, decoded) {
			rt.Fatalf("the model is %+v in a file and %+v in memory", read.Graph, decoded.Graph)
		}
		got := read.Graph.Initializers
		for _, n := range read.Graph.Nodes {
			got[n.Outputs[0]] = n.Tensor("value")
		}
		for name, x := range want {
			if y := got[name]; y.DType != x.DType || !reflect.DeepEqual(y.Dims, x.Dims) || !reflect.DeepEqual(y.Data, x.Data) {
				rt.Fatalf("%s %v %v came back as %s %v %v", x.DType, x.Dims, x.Data, y.DType, y.Dims, y.Data)
			}
		}
	})
}

// Tensors of every type that are larger than the buffers they go through.
func TestLargeTensors(t *testing.T) {
	const n = 20_011 // a prime
	rng := rand.New(rand.NewPCG(1, 2))
	for _, x := range []*onnx.Tensor{
		random(rng, n, func(r uint64) float32 { return float32(r) }),
		random(rng, n, func(r uint64) float64 { return float64(r) }),
		half(random(rng, n, func(r uint64) float32 { return float32(r % 60000) }).Data.([]float32)...),
		random(rng, n, func(r uint64) int8 { return int8(r) }),
		random(rng, n, func(r uint64) int16 { return int16(r) }),
		random(rng, n, func(r uint64) int32 { return int32(r) }),
		random(rng, n, func(r uint64) int64 { return int64(r) }),
		random(rng, n, func(r uint64) uint8 { return uint8(r) }),
		random(rng, n, func(r uint64) uint16 { return uint16(r) }),
		random(rng, n, func(r uint64) uint32 { return uint32(r) }),
		random(rng, n, func(r uint64) uint64 { return r }),
		random(rng, n, func(r uint64) bool { return r%2 == 0 }),
	} {
		for name, m := range map[string]*onnxtest.Model{"raw": onnxtest.New(13), "external": onnxtest.New(13).External("w")} {
			path := m.Init("x", x).Output("x", x.DType, n).File(t, t.TempDir(), "model.onnx")
			got, err := onnx.Read(context.Background(), path)
			if err != nil {
				t.Errorf("%s, %s: %v", x.DType, name, err)
			} else if !reflect.DeepEqual(got.Graph.Initializers["x"].Data, x.Data) {
				t.Errorf("%s, %s: other values came back", x.DType, name)
			}
		}
	}
}

func random[T onnx.Element](rng *rand.Rand, n int, element func(uint64) T) *onnx.Tensor {
	v := make([]T, n)
	for i := range v {
		v[i] = element(rng.Uint64())
	}
	return onnx.New([]int{n}, v)
}

// Reading a model allocates its weights once, and little besides.
func TestWeightsAreHeldOnce(t *testing.T) {
	const bytes = 8 << 20
	x := onnx.New([]int{bytes / 4}, make([]float32, bytes/4))
	constant := onnxtest.New(13).Node("Constant", "", "x", onnxtest.Attrs{"value": x})
	for name, m := range map[string]*onnxtest.Model{
		"raw":      onnxtest.New(13).Init("x", x),
		"external": onnxtest.New(13).External("w").Init("x", x),
		"constant": constant,
	} {
		path := m.Output("x", onnx.Float32).File(t, t.TempDir(), "model.onnx")
		taken, err := allocated(func() error { _, err := onnx.Read(context.Background(), path); return err })
		if err != nil {
			t.Fatal(err)
		}
		if taken < bytes || taken > bytes+bytes/8 {
			t.Errorf("%s: reading %d bytes of weights allocates %d", name, bytes, taken)
		}
	}
}

// A tensor that does not fit its shape is refused before it is read.
func TestMisfitIsNotRead(t *testing.T) {
	const bytes = 8 << 20
	data, err := proto.Marshal(&protos.TensorProto{DataType: 1, Dims: []int64{bytes}, RawData: make([]byte, bytes)})
	if err != nil {
		t.Fatal(err)
	}
	taken, err := allocated(func() error { _, err := onnx.DecodeTensor(data); return err })
	if err == nil || taken > bytes/8 {
		t.Errorf("the error is %v after %d bytes were allocated", err, taken)
	}
}

// allocated tells how many bytes f allocates.
func allocated(f func() error) (uint64, error) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err := f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc, err
}
