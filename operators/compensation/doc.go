// Package compensation estimates what an objective, such as a class's log odds,
// would be at a position of which an approximate plan leaves much out: exact in
// what the plan computes, to first order in what it does not.
//
//	Wanted  the gradients that it takes, for gradient.Program.Run
//	New     from them, for an image: what devices need to know
//
// A device adds up the terms while it computes a position, see
// operators.Update.Estimates:
//
//	estimate = Values + the patch's term + the terms of the layers
//
// # What a crop leaves out
//
// An occlusion changes each layer's output y by some d = now - clean. Projective
// field thresholding computes d in a rectangle only; outside of it the layer
// shows its view, as if d were 0 there:
//
//	clean ┌──────────────────────┐
//	      │  rim: J d_in is lost │     J   the layer's derivative at the clean image
//	      │  ┌────────────────┐  │     d_in the changes in front of it
//	      │  │ computed: d    │  │
//	      │  └────────────────┘  │
//	      └──────────────────────┘
//
// With the gradient G of the objective f with respect to the layer's output, what
// the rim would have done to f is, to first order, the sum of G * J d_in over the
// rim. To the objective of the cropped run these sums are to be added, for all
// layers. Computing J d_in is what the crop was to save; but it need not be
// computed.
//
// # The sum that telescopes
//
// G_j = J_j' G is the share of an edge: the gradient with respect to input j as
// this layer reads it. The shares of the edges that leave a tensor add up to its
// own gradient. So for whatever d the layers have, also for cropped ones,
//
//	sum over layers of (<G, d> - sum over inputs of <G_j, d_j>)
//	    = <G, d> at the last layer - <G, d> at the image
//
// for every tensor in between stands there twice. Now <G_j, d_j> = <G, J_j d_j>,
// and in each layer the products with G are taken over the rectangle and over the
// rim, where d is 0:
//
//	<G, d> - <G, J d_in>  =  <G, d - J d_in> in the rectangle - <G, J d_in> in the rim
//
// The last is what is wanted. With z the last values, to which the objective
// belongs, f(cropped run) + the sum over all rims is therefore
//
//	f(clean)
//	+ <G, d> at the image
//	+ the sum over layers of <G, d - J d_in> in the rectangle
//	+ f(z now) - f(z clean) - <G, d> at z
//
// No rim is left in it. A layer that is linear in what changes has d = J d_in in
// its rectangle and no term at all, however it was cropped: the estimate is the
// first-order change by the patch and, for every value that was computed, by how
// much the layer there departs from its tangent.
//
// Where nothing is cropped no approximation was made either: the estimate is then
// the objective of the output, but for rounding. It is right to first order for
// small changes whatever is cropped. In between nothing is promised: where the
// objective bends much in what was left out, estimates may be worse than
// none.
//
// # The terms
//
// Clean values are x, a and y, those of the cropped run x', a' and y'; G is the
// gradient behind the layer, G_a that before its activation. All sums are over
// computed values.
//
//	image                <G, x' - x> over the patch
//	activation           <G, act(a') - (act(a) + act'(a) * (a' - a))>
//	  a clamp, as relu   the tangent is a' itself where a is between the limits,
//	                     else the limit: for a relu, G * |a'| where the sign turns
//	  others             the tangent is slope * a' + offset, both kept
//	  prelu              as an activation
//	max pool             <G, y' - x' at the input that the clean image shows>
//	product of two maps  <G_a, (x_1' - x_1) * (x_2' - x_2)>
//	quotient by a map, power, maximum and minimum of two maps, lrn, softmax in the
//	middle, instance norm, maxima over channels or the whole map
//	                     <G, y' - y> - the sum over inputs of <G_j, x_j' - x_j>
//	last values          f(z') - f(z) - <G, z' - z>
//	all others           none: convolutions, fully connected, average pools, sums,
//	                     concat, scaling, moves
//
// An activation that a layer applies has its term beside the layer's own. The
// general form needs the layer to compute all that its inputs change, which holds
// for those listed: each works cell by cell or on the whole map, and thresholding
// crops neither.
//
// A final softmax or sigmoid belongs to the objective, which is a function of what
// it is given: its log odds are nearly linear there, and known precisely
// where probabilities are nearly 0 or 1.
//
// # What it costs
//
// The backward pass once for an image. Then, for clamps, reading one gradient for
// every value that is computed: it tells its tangent by its two lowest bits, so
// that nothing else is read, and the loop that clamps adds up the term. A layer
// runs without its activation then, which follows as long as its results are in
// the cache. Convolutions do hundreds of multiplications for each of these values;
// where they have a single tap it shows more.
//
// # What to crop
//
// The rectangles are those of network.TraceThresholded. To compute the rims of
// depthwise convolutions, which is cheap, does not help: what lies behind crops
// them, and in the networks that were tried the estimates became worse. Cropping
// max pools or not made no difference.
//
// # Promises
//
//   - Estimates do not depend on the batch, the worker or the number of threads,
//     nor on the other objectives.
//   - The output is the same with and without them.
//   - Nothing of a Compensation changes after it was made; what it needs of the
//     views it holds, so that they may be dropped.
package compensation
