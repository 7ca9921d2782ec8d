// Package onnx reads ONNX model files into plain Go values.
//
// An ONNX file is a protobuf message: a graph of nodes, each an operator of a
// versioned operator set, named constants (initializers) and the declared
// inputs and outputs. The wire types are those of a public library; this
// package turns them into values that the rest of the engine can use without
// knowing protobuf:
//
//	file bytes ──Decode──▶ Model{Opset, Graph{Inputs, Nodes, Initializers, Outputs}}
//
// Tensors keep ONNX's element type (DType) and row-major order. The half
// precision types have no Go counterpart, so Float16 and BFloat16 hold their
// values widened to float32 and the operators that produce them round again
// (see Tensor.Round). gorgonia's Dense is not used here because ONNX needs what
// it lacks: half floats, zero-sized dimensions and rank-0 tensors of every
// type. Dense is the tensor of everything past the importer.
//
// Invariants of a decoded Model:
//   - every Tensor has exactly prod(Dims) elements, none of Dims is negative;
//   - nodes stand in an order in which every input is defined before it is used
//     (files that break this, or whose graph has a cycle, are refused);
//   - no value is defined twice;
//   - external data lies inside the model's own folder.
//
// Everything read from a file is hostile until checked: sizes are compared with
// the bytes present before anything is allocated.
package onnx
