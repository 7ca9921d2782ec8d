// Package rewrite holds the rewrites of a network that always help: whatever
// the query, the device and the plan, the rewritten network computes the same
// function with less work. Everything that is a trade (incremental or full,
// direct or Winograd, approximate) is an alternative that cost decides and has
// no place here.
//
// # How a rewrite works
//
// A rule is a function that looks at one layer and what it reads, and when it
// recognises something, changes that layer in place:
//
//	conv ── affine ── relu          conv+affine ── relu          conv+affine+relu
//	           ▲                                    ▲                  ▲
//	     fold-batchnorm                      fuse-activation     reads conv's input
//
// It is always the later layer that takes over the work of the earlier one, and
// with it the earlier one's inputs and name. What it then reads lies further
// ahead in the order than what it read before, so
//
//   - the layers stay in topological order, and no rewrite can close a cycle;
//   - a layer's shape and its readers are untouched: an op that would make
//     another shape out of the new inputs is refused;
//   - a layer that lost its last reader this way is dropped at once, so "the
//     only reader" always means what it says.
//
// Most rules ask for that: folding a batch norm into a convolution that
// somebody else reads as well would need two convolutions.
//
// # Order
//
// Rules run one after the other, each over all layers, and the whole table
// again until a round changes nothing. Every rule removes a layer, replaces one
// by a simpler one or takes constants out of the graph, none undoes another's
// work, and there is a cap on the rounds besides. The order of the table
// matters where two rules want the same layer: a scale behind x*relu6(x+3) is a
// part of a hard swish, but just as well could go into the next convolution,
// after which nobody would recognise the hard swish. Such pairs are listed with
// their reason in mustPrecede, and a test holds the table to the list.
//
// # Same function
//
// Any subset of rules leaves a sound network with the same answer; that is what
// makes it safe to switch one off when hunting a difference. Folded weights are
// computed in float64 and rounded once, so answers agree to float32 rounding,
// not to the bit. A fold that would make an infinity or a NaN of finite weights
// does not happen.
package rewrite
