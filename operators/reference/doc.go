// Package reference says what every ONNX operator that Occlude knows means, on
// whole tensors of any rank, in plain Go.
//
// It is the slow, obviously right twin of the kernels: their tests compare with
// it, the importer folds constants with it, `occlude check` runs conformance
// cases through it, and a layer without a kernel of its own falls back to it.
// What a reader should find here is the definition of an operator, stated once.
//
//	Eval      one node:   inputs ──▶ lookup(op, opset) ──▶ kernel ──▶ outputs
//	RunGraph  one model:  Eval in dependency order, values freed after last use
//
// One table (table.go) names the operators and the operator set versions for
// which each meaning holds; Softmax, for example, stands there twice, because
// version 13 changed its axis. There is one file per family:
//
//   - movement.go, padding.go, indexing.go: operators that only move elements. All of them
//     are one primitive, pick: a table of source offsets per output axis.
//   - elementwise.go, arithmetic.go, logic.go, activation.go: functions of
//     single elements, broadcast by one iterator, loop.
//   - convolution.go, pooling.go: sliding windows (window.go).
//   - matmul.go: products of matrices, on which convolution stands too.
//   - reduction.go, normalization.go, softmax.go: functions of many elements.
//   - shape.go, constant.go, cast.go, dropout.go: the rest.
//
// # Arithmetic
//
// A function of one or two elements is computed in float64, int64 or uint64 and
// then brought to the tensor's type, so integers wrap around as they do in C,
// and a float32 result is the exact one rounded once. Long sums are float64; the
// products of matrices of float32 add runs of 32 terms in float32 and those
// runs in float64, which keeps the error near 1e-7 at several times the speed.
// Half precision tensors are computed as float32 and rounded at the end of each
// operator. Results do not depend on the number of processors.
//
// # Invariants
//
//   - Inputs are never modified. An output may share its elements with an input
//     (Reshape, Identity): tensors are values, nobody may write to one.
//   - Sizes are checked before anything is allocated: no output is larger than
//     MaxOutput elements, whatever the attributes say; and a context made by
//     WithSteps bounds what evaluating a whole file may take.
//   - What lies outside the list is an *UnsupportedError; a node that breaks the
//     rules of its operator is another error. Nothing panics.
//   - A cancelled context ends any operator within a fraction of a second.
package reference
