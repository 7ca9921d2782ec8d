package onnxtest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"

	"github.com/gomlx/compute-onnx/support/protos"

	"occlude/internal/onnx"
)

// encoding says where the elements of a tensor go.
type encoding struct {
	typed    bool
	external *externalFile
}

// externalFile collects the bytes of external tensors.
type externalFile struct {
	name string
	data []byte
}

// protoType is written out here, apart from the decoder's table.
var protoType = map[onnx.DType]protos.TensorProto_DataType{
	onnx.Float32: 1, onnx.Uint8: 2, onnx.Int8: 3, onnx.Uint16: 4, onnx.Int16: 5, onnx.Int32: 6, onnx.Int64: 7,
	onnx.String: 8, onnx.Bool: 9, onnx.Float16: 10, onnx.Float64: 11, onnx.Uint32: 12, onnx.Uint64: 13, onnx.BFloat16: 16,
}

func (e encoding) tensor(t *onnx.Tensor) *protos.TensorProto {
	p := &protos.TensorProto{DataType: int32(protoType[t.DType])}
	for _, d := range t.Dims {
		p.Dims = append(p.Dims, int64(d))
	}
	switch {
	case t.DType == onnx.String || e.typed:
		setTyped(p, t)
	case e.external != nil:
		f, raw := e.external, rawBytes(t)
		p.DataLocation = protos.TensorProto_EXTERNAL
		p.ExternalData = []*protos.StringStringEntryProto{
			{Key: "location", Value: f.name},
			{Key: "offset", Value: strconv.Itoa(len(f.data))},
			{Key: "length", Value: strconv.Itoa(len(raw))},
		}
		f.data = append(f.data, raw...)
	default:
		p.RawData = rawBytes(t)
	}
	return p
}

// bits turns the widened values of a half type back into their 16 bits.
func bits(t *onnx.Tensor) []uint16 {
	v := t.Data.([]float32)
	out := make([]uint16, len(v))
	for i, x := range v {
		if t.DType == onnx.Float16 {
			out[i] = onnx.Float32ToHalf(x)
		} else {
			out[i] = onnx.Float32ToBFloat16(x)
		}
	}
	return out
}

func rawBytes(t *onnx.Tensor) []byte {
	data := t.Data
	if t.DType == onnx.Float16 || t.DType == onnx.BFloat16 {
		data = bits(t)
	}
	var b bytes.Buffer
	if err := binary.Write(&b, binary.LittleEndian, data); err != nil {
		panic(fmt.Sprintf("onnxtest: %v", err))
	}
	return b.Bytes()
}

func setTyped(p *protos.TensorProto, t *onnx.Tensor) {
	switch v := t.Data.(type) {
	case []float32:
		if t.DType == onnx.Float32 {
			p.FloatData = v
		} else {
			p.Int32Data = widen[int32](bits(t))
		}
	case []float64:
		p.DoubleData = v
	case []int8:
		p.Int32Data = widen[int32](v)
	case []int16:
		p.Int32Data = widen[int32](v)
	case []int32:
		p.Int32Data = v
	case []int64:
		p.Int64Data = v
	case []uint8:
		p.Int32Data = widen[int32](v)
	case []uint16:
		p.Int32Data = widen[int32](v)
	case []uint32:
		p.Uint64Data = widen[uint64](v)
	case []uint64:
		p.Uint64Data = v
	case []bool:
		for _, b := range v {
			var x int32
			if b {
				x = 1
			}
			p.Int32Data = append(p.Int32Data, x)
		}
	case []string:
		for _, s := range v {
			p.StringData = append(p.StringData, []byte(s))
		}
	}
}

type integer interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32 | ~uint64
}

func widen[To, From integer](v []From) []To {
	out := make([]To, len(v))
	for i, x := range v {
		out[i] = To(x)
	}
	return out
}

func (e encoding) attribute(name string, value any) *protos.AttributeProto {
	a := &protos.AttributeProto{Name: name}
	switch v := value.(type) {
	case int:
		a.Type, a.I = protos.AttributeProto_INT, int64(v)
	case int64:
		a.Type, a.I = protos.AttributeProto_INT, v
	case float32:
		a.Type, a.F = protos.AttributeProto_FLOAT, v
	case float64:
		a.Type, a.F = protos.AttributeProto_FLOAT, float32(v)
	case string:
		a.Type, a.S = protos.AttributeProto_STRING, []byte(v)
	case []int:
		a.Type, a.Ints = protos.AttributeProto_INTS, widen[int64](v)
	case []int64:
		a.Type, a.Ints = protos.AttributeProto_INTS, v
	case []float32:
		a.Type, a.Floats = protos.AttributeProto_FLOATS, v
	case []float64:
		a.Type = protos.AttributeProto_FLOATS
		for _, x := range v {
			a.Floats = append(a.Floats, float32(x))
		}
	case []string:
		a.Type = protos.AttributeProto_STRINGS
		for _, s := range v {
			a.Strings = append(a.Strings, []byte(s))
		}
	case *onnx.Tensor:
		a.Type, a.T = protos.AttributeProto_TENSOR, e.tensor(v)
	case *protos.GraphProto:
		a.Type, a.G = protos.AttributeProto_GRAPH, v
	case Ref:
		a.RefAttrName = string(v)
	default:
		panic(fmt.Sprintf("onnxtest: attribute %q of type %T", name, value))
	}
	return a
}
