// Package onnxtest builds small ONNX models inside Go tests, so that no test
// needs Python or a binary file in the repository:
//
//	m := onnxtest.New(13)
//	m.Input("x", onnx.Float32, 1, 3, 8, 8)
//	m.Init("w", onnx.New([]int{4, 3, 3, 3}, weights))
//	m.Node("Conv", "x w", "y", onnxtest.Attrs{"pads": []int{1, 1, 1, 1}})
//	m.Node("Relu", "y", "z", nil)
//	m.Output("z", onnx.Float32, 1, 4, 8, 8)
//	path := m.File(t, t.TempDir(), "model.onnx")
//
// Bytes gives the file's content, Model what onnx.Decode makes of it. The
// builder checks nothing: a test may build a graph with a cycle or with two
// values of one name to see it refused. Encoding goes through the public
// protobuf types, not through the decoder's own tables, so that a mistake there
// does not cancel out.
//
// Graph does the naming and knows in which form each operator set has an operator:
//
//	g, x := onnxtest.NewGraph(13, 1, 3, 8, 8)
//	g.Flat(g.Op("Relu", nil, g.BatchNorm(g.Conv(x, 3, 4), 4)))
//
// NewRandom writes a whole classifier with it, a chain of what published ones are made
// of: the same seed gives the same bytes.
//
// Tensors are written with raw bytes, as exporters do; Typed and External
// choose the other encodings. Proto hands out the message itself for what
// the builder has no word for (functions, sparse tensors, missing types).
package onnxtest
