// Package networktest makes random networks and says what they compute, for
// tests of the planner's rules, of devices and of plans.
//
//	net := networktest.Random(rng, networktest.Options{})
//	want, err := networktest.Output(net, image)
//
// Eval and Output are the plainest reading of the ops, in float64.
//
// A network is a chain of random blocks, as the published architectures have
// them, and a head:
//
//	image ─▶ block ─▶ block ─▶ ... ─▶ head ─▶ softmax
//
// A block is a convolution with odd strides, pads and dilations, a pool, a
// residual, a branch, a concatenation, squeeze-and-excitation, a channel
// shuffle, and so on: taken over many seeds, every op of package network and
// every function of an Activation occurs. The maps are small and the weights
// scaled so that values stay near one and a change of the image is still seen
// in the probabilities at the end.
//
// The same seed gives the same network.
package networktest
