package conformance

import (
	"errors"
	"fmt"

	"occlude/internal/onnx"
	"occlude/operators/reference"
)

// listed are the element types that check promises; an operator of the list
// that refuses one of them fails its case. Others are run where they can be.
var listed = map[onnx.DType]bool{
	onnx.Float32: true, onnx.Float16: true, onnx.Float64: true, onnx.Int32: true, onnx.Int64: true,
}

// checkListed looks over a model before it is run: the error is an
// *onnx.UnsupportedError naming the first operator or type outside the list.
func checkListed(m *onnx.Model) error {
	for _, n := range m.Graph.Nodes {
		switch {
		case n.Domain != "":
			return &onnx.UnsupportedError{Kind: "operator", Name: n.Domain + "::" + n.Op}
		case !reference.Supported(n.Op):
			return &onnx.UnsupportedError{Kind: "operator", Name: n.Op}
		}
	}
	for _, list := range [][]onnx.ValueInfo{m.Graph.Inputs, m.Graph.Outputs} {
		for _, v := range list {
			if v.Type != "" {
				return &onnx.UnsupportedError{Kind: "type", Name: v.Type}
			}
		}
	}
	return nil
}

// verdictOf tells whether an error of reading or running the model skips the
// case or fails it. m is nil where it could not be read.
func verdictOf(err error, m *onnx.Model) result {
	var file *onnx.UnsupportedError
	if errors.As(err, &file) && file.Kind != "opset" {
		return result{verdict: skipped, reason: fmt.Sprintf("%s %s is not on the list", file.Kind, file.Name)}
	}
	var run *reference.UnsupportedError
	if errors.As(err, &run) {
		if d := run.Type; d != onnx.Undefined && !listed[d] {
			return result{verdict: skipped, reason: fmt.Sprintf("type %s is not on the list (%s)", d, run.Op)}
		}
		// A form of an operator that only values of another type can ask for.
		if d := unlistedInput(m); run.Type == onnx.Undefined && d != onnx.Undefined {
			return result{verdict: skipped, reason: fmt.Sprintf("type %s is not on the list (%v)", d, run)}
		}
	}
	return result{verdict: failed, reason: err.Error()}
}

// unlistedInput is the type of an input that is outside the list, Undefined if
// there is none.
func unlistedInput(m *onnx.Model) onnx.DType {
	if m != nil {
		for _, v := range m.Graph.Inputs {
			if !listed[v.DType] {
				return v.DType
			}
		}
	}
	return onnx.Undefined
}
