// Package model is an image classifier as a user means it: a network, how a
// picture becomes its input, what its output says, and the names of its classes.
//
// Load reads an ONNX file and makes of it a network whose output is a vector of
// probabilities (or raw scores, when the user says so): where the file ends in
// logits, a softmax layer is added. Whether it does is decided by the last
// operator of the graph, never by looking at values.
//
// A Model never changes after it was loaded; its Hash names the content of the
// file, so that what is learnt about a model can be kept under it.
package model
