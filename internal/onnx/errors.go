package onnx

import "fmt"

// UnsupportedError tells that a file is sound but uses a part of ONNX that the
// engine leaves out. Everything else that Decode returns is a fault of the file.
type UnsupportedError struct {
	Kind string // "operator", "type" or "opset"
	Name string // which one: "If", "complex64", "23"
	Why  string // more for people, may be empty
}

func (e *UnsupportedError) Error() string {
	s := fmt.Sprintf("%s %s is not supported", e.Kind, e.Name)
	if e.Why != "" {
		s += " (" + e.Why + ")"
	}
	return s
}
