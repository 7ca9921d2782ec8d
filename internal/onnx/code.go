package onnx

import (
	"fmt"
	"strings"

	"github.com/gomlx/compute-onnx/support/protos"
)

// codes pairs the element types with their numbers in ONNX files.
var codes = map[DType]protos.TensorProto_DataType{
	Float32:  protos.TensorProto_FLOAT,
	Float64:  protos.TensorProto_DOUBLE,
	Float16:  protos.TensorProto_FLOAT16,
	BFloat16: protos.TensorProto_BFLOAT16,
	Int8:     protos.TensorProto_INT8,
	Int16:    protos.TensorProto_INT16,
	Int32:    protos.TensorProto_INT32,
	Int64:    protos.TensorProto_INT64,
	Uint8:    protos.TensorProto_UINT8,
	Uint16:   protos.TensorProto_UINT16,
	Uint32:   protos.TensorProto_UINT32,
	Uint64:   protos.TensorProto_UINT64,
	Bool:     protos.TensorProto_BOOL,
	String:   protos.TensorProto_STRING,
}

var dtypeByCode = func() map[protos.TensorProto_DataType]DType {
	m := make(map[protos.TensorProto_DataType]DType, len(codes))
	for d, c := range codes {
		m[c] = d
	}
	return m
}()

// Code is the type's number in ONNX files, 0 for Undefined.
func (d DType) Code() int { return int(codes[d]) }

// DTypeOf gives the element type with the number that ONNX files use, as in the
// attribute "to" of Cast. Types that this package does not hold (complex
// numbers, 8-bit floats, 4-bit integers) are an *UnsupportedError.
func DTypeOf(code int) (DType, error) {
	if int(int32(code)) == code {
		if d, ok := dtypeByCode[protos.TensorProto_DataType(code)]; ok {
			return d, nil
		}
	}
	return Undefined, &UnsupportedError{Kind: "type", Name: codeName(code)}
}

// codeName names an element type that is none of ours.
func codeName(code int) string {
	if name, ok := protos.TensorProto_DataType_name[int32(code)]; ok && int(int32(code)) == code {
		return strings.ToLower(name)
	}
	return fmt.Sprintf("number %d", code)
}
