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
// Weights are most of a file, and are in memory once: before the message is
// unmarshalled they are cut out of it (see strip), and each tensor's bytes are
// then read from the file into the slice that holds them as Go values.
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
//   - nodes stand in an order in which every input is defined before it is used:
//     files that break this are sorted, and refused if the graph has a cycle;
//   - no value is defined twice, and none is used that is not defined;
//   - Inputs are what the user must give: an initializer that is also listed as an
//     input, as all were before IR version 4, is a constant;
//   - calls of the model's own functions are replaced by their bodies, so that
//     every Node is an operator of the domain it names ("" for ONNX's own);
//   - external data lies inside the model's own folder.
//
// Which operators can be run is decided where they are run, not here. But sound
// files may hold what these values cannot express: graphs inside nodes (If,
// Loop), sparse tensors, complex numbers, a newer operator set. Those are an
// *UnsupportedError, to be told apart from a damaged file.
//
// Everything read from a file is hostile until checked: sizes are compared with
// the bytes present before anything is allocated, and the ways in which a few
// bytes could stand for many are bounded: empty messages by the million,
// functions that call functions, external data read again and again.
package onnx
