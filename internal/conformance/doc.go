// Package conformance runs ONNX's own test cases: the engine of
// `occlude check PATH...`.
//
// Two kinds of case are found under the given paths, however deep:
//
//	test_relu/                        a folder, as onnx's backend tests and the model zoo have them
//	├── model.onnx                    (any name ending in .onnx)
//	└── test_data_set_0/              one or more; all must hold
//	    ├── input_0.pb                in the order of the graph's inputs
//	    └── output_0.pb
//
//	light_resnet50.onnx               a lone model, as the zoo's "light" ones:
//	light_resnet50_output_0.pb        run on inputs float32(i)/n, i = 0..n-1
//
// Each is one line of output: PASS, FAIL or SKIP, its name, the largest absolute
// and relative error over all outputs, and the reason where it did not pass. The
// last line counts them.
//
// # Pass, fail, skip
//
// A case passes when the model was run and every output has the type, the shape
// and the values of the one expected, and there are as many. It is skipped only
// when it uses an operator or a type that lies outside the engine's list
// (reference.Supported, and the types of listed), and the line says which.
// Everything else fails: a file that cannot be read, an operator of the list
// that does not know one of its forms, a crash. Nothing counts as passed that
// did not run.
//
// # Tolerance
//
// With want from the file and got ours, an element is right when
//
//	|got - want| <= 1e-7 + 1e-3 |want| + slack
//
// which is ONNX's own tolerance and, as slack, the rounding of the type: the
// files hold what one implementation made of the operator, and ours adds in
// another order. Rounding scales with the terms of a sum, not with its result,
// so slack is a few units in the last place of the largest element of the
// expected tensor (compare.go has the numbers). NaN equals NaN, an infinity
// only itself; integers, booleans and strings must be equal.
package conformance
