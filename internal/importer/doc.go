// Package importer lowers an ONNX graph into the layer network that the engine
// plans and runs.
//
// The network's meaning is the model's on a single image. Lowering binds the
// input to 1 x C x H x W (or 1 x H x W x C), so every shape is known, and walks
// the nodes once in order. A node whose inputs are all constants is evaluated
// on the spot by operators/reference: that is how shape arithmetic, weights
// built from ConstantOfShape and the like disappear. Every other node becomes
// one or a few layers.
//
// # How axes are followed
//
// Layers store maps as HWC, ONNX thinks in axes. A value therefore carries its
// ONNX shape and an order that says how one maps onto the other:
//
//	chw   1 x (channel factors...) x H x W   the usual map; a channel shuffle's
//	                                         1 x g x C/g x H x W is one, too
//	hwc   1 x H x W x (channel factors...)   after a Transpose to channels last
//	flat  anything; the layer is a vector in ONNX's row-major order
//
// Reshapes and transposes that only regroup or permute channels, swap between
// the two map orders, or move ones about cost nothing; a permutation of channels
// is a Channels layer. Everything else goes through a vector in row-major order
// (Flatten, Unflatten), and an operator without a layer of its own becomes a
// Function that calls the reference operator on such vectors. So any graph of
// known operators is lowered correctly; the common ones are lowered well.
//
// # Weights once
//
// Weights are brought from ONNX's order into that of the layers, channels last:
// a convolution's filters, and the rows of a fully-connected layer that reads a
// flattened map, which then reads the map itself. Where nobody else reads them
// this happens in place, so that a large network, half of which may be one such
// layer, is in memory once. Import uses the ONNX model up for it.
//
// # What a file may ask for
//
// A kilobyte of ONNX can ask for constants of gigabytes, for their product, or for
// pads that no memory holds. limits bounds what is held and done for a file by
// numbers that no classifier comes near, and that grow with the file.
//
// # One image, one output
//
// Only what the chosen output needs is lowered: another head may use operators
// that nobody knows, and a Dropout's mask that nobody reads need not be made.
// Where the file insists on a batch of N, every value of the network has an Nth
// of the elements that the file's has, and shapes frozen into the file lose the
// N at their front.
//
// What cannot be a classifier of images (an input that is not one, a result
// that is still a map, operators nobody knows) is refused here with the node's
// name.
package importer
