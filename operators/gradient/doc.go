// Package gradient computes, on the clean image, the gradient of a class's score
// with respect to every tensor of a network: one backward pass, at about the
// cost of an inference.
//
//	Program  the network with a rule for each layer; what rules need is made when
//	         it is first used and kept
//	Run      views and objectives in, Gradients out
//
// Approximate plans use it to first order: where a plan leaves out a change d of
// a tensor with the gradient G, the objective changes by about the sum over
// <G, d>.
//
// # The objective
//
// Of a softmax of logits z it is f = z_t - ln(sum of exp(z_j), j other than t),
// which is ln(p_t / (1 - p_t)). It is nearly linear in what the network computes
// where p itself is flat, and p comes back as 1 / (1 + exp(-f)). Its gradient is
// known at z,
//
//	df/dz_t = 1,   df/dz_j = -exp(z_j) / sum of exp(z_i), i other than t
//
// so nothing is divided by 1 - p_t, which may be 0 in float32. Objective lists
// what stands in its place for other networks.
//
// # How gradients go back
//
// A layer computes a = F(x_1, ..., x_n) of its inputs and y = act(a). With G the
// gradient with respect to y, taken layer by layer from the output down:
//
//	Pre    G_a   = G * act'(a), value by value
//	Edge   G_i   = J_i' G_a, J_i the derivative of F with respect to x_i
//	Out    G_x   = the sum of G_i over all edges that leave x
//
// A tensor that several layers read, as in a residual block, has one G_x and a
// share on every edge:
//
//	      ┌──────── G_1 ────── residual ◀── G_a
//	x ◀───┤                                  │
//	G_x   └─ G_2 ◀── conv ◀─ ... ◀── conv ◀──┘
//
// Compensation for what one layer crops takes that layer's share, for the
// others see all of the change. So the package keeps what is wanted of
// the three, per layer, and computes no more than that takes. Constants and what
// depends on them alone have no gradient.
//
// act' follows from y for most activations (for a relu, y > 0; for a sigmoid,
// y*(1 - y)), which the views hold. For the others (gelu, swish, hard swish, ...)
// a is computed again, for these layers only: such a network costs a second
// inference.
//
// # Linear layers
//
// Where F is linear in x_i its derivative is its transpose, whatever the values.
//
// Convolution. Output o reads input i = o*s - p + k*d with tap k (stride s, p
// cells of padding, dilation d; one axis, for axes are alike), so
//
//	dx[i] = sum over k with (i + p - k*d) mod s = 0 of W_k' g[(i + p - k*d) / s]
//
// For the inputs of one residue r = (i + p) mod s these are always the same taps:
// a correlation of stride 1 of g with those taps in reverse, inputs and outputs of
// the weights exchanged. A convolution of stride 2 has four such phases, small
// convolutions with a quarter of the multiply-adds each: together as many as the
// layer itself. They run through operators/cpu like any network. Where the input
// has few channels a convolution's kernel would be mostly idle: there g is
// multiplied by all taps at once, a 1x1 convolution, and the products are added up
// where they belong. A convolution's residual passes g on as it is.
//
// Average pool. A convolution with filters of ones, of g divided by the number
// of cells that each output is the mean of: only those in the map, or those in
// the padding as well.
//
// Fully connected. dx = W' g is a sum of rows of W, which stays as it is stored
// and is read once; rows whose g is 0 are left out.
//
// Moves. Concat, channels, slice, pad, flatten and their like copy values: each
// input gets the sum of what its copies got. An operator of the reference
// implementation that only moves elements is run on labels 1, 2, 3, ... once, which
// tells where each output comes from.
//
// Means and sums over places or channels share g evenly.
//
// # The others
//
//	max pool       the input that an output shows gets all of g: the first of equal
//	               ones; so with maxima over places, channels, and of two maps
//	multiply       dx = g*b, db = g*x; divide: dx = g/b, db = -g*x/b^2
//	power x^b      dx = g*b*x^(b-1), db = g*x^b*ln(x)
//	softmax y      dx = y*(g - <g, y>); its logarithm: dx = g - exp(y)*sum(g)
//	instance norm  h normalized, r its scale over the deviation:
//	               dx = r*(g - mean(g) - h*mean(g*h)) over the map of a channel
//	lrn            with s = Bias + Alpha/Size * sum of the neighbours' squares:
//	               dx_j = g_j*s_j^-Beta - 2*Alpha*Beta/Size * x_j *
//	               sum over c that have j as a neighbour of g_c*y_c/s_c
//
// An operand that was repeated along an axis gets the sum along it.
//
// At a kink the derivative is that of one side: 0 for a relu at 0. Functions that
// are constant but for jumps (floor, sign) have the derivative 0.
//
// # What a cover changes
//
// Taylor adds up, for any rectangle of the image, G * (cover - x): to first order
// what covering it does to the objective. It is a feature to predict a heat map
// from.
//
// # What has no derivative here
//
// A network.Function is an operator that no layer knows, as a closure. Those that
// move elements are told by name, of the others nothing is known: New returns an
// *UnknownError that names the layer, and approximate plans are not for that
// network.
//
// # Promises
//
//   - The result does not depend on the number of threads, nor on which objectives
//     go back together.
//   - Everything stops within about a tenth of a second once the context ends.
//   - Nothing of a Program that can be seen changes after it was made; several
//     goroutines may use it.
package gradient
