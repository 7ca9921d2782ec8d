// Package network is a convolutional network as data: a graph of layers, each
// with its hyper-parameters, its weights and the shape of what it makes.
//
// It stands between the file formats and the engine. The importer lowers an
// ONNX graph into it, the planner's rules rewrite it, the operators run it. It
// computes no activation itself; it answers the questions that planning asks of
// a layer, all of them about one image:
//
//	Shape    what comes out
//	Update   which rectangle of the output changes when these of the inputs do
//	Reads    which rectangle of an input is needed to compute this of the output
//	Work     what computing a rectangle costs (multiply-adds, element steps)
//
// # Shapes and layout
//
// There is no batch axis: a layer's value is one image's feature map of H rows,
// W columns and C channels, stored rows first and channels last (HWC), as
// float32. Vectors are maps of 1x1xC. ONNX's order (channels first) is gone at
// this point: where a graph flattens a map, a Flatten layer stands that brings
// the elements into ONNX's order, until a rule folds it into the weights of the
// fully-connected layer behind it.
//
// # Local and global layers
//
// A local layer computes an output cell from a window of input cells, so an
// update stays a rectangle (convolution, pools, element-wise layers, padding,
// slices, concatenation). A global one needs the whole map (global pools,
// instance normalization, fully-connected layers, Function): any change
// changes all of its output. Broadcasting a changed vector over a map, as
// squeeze-and-excitation blocks do, changes the whole map as well.
//
// # Invariants
//
//   - Layers are in topological order; Layers[i].Index == i after Sort.
//   - Exactly one Input layer, the first; Output is one of the layers.
//   - Ops are values that nobody changes once a layer holds them: a rewrite
//     makes a new op. So a Clone may share ops and weights with its original.
package network
