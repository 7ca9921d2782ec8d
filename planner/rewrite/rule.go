package rewrite

import (
	"fmt"
	"slices"

	"occlude/internal/network"
)

// Rule is one rewrite.
type Rule struct {
	Name string
	Doc  string // what it does, in one line
	// apply rewrites wherever it can and returns the names of the layers it
	// changed or dropped.
	apply func(*graph) []string
}

// Fired tells what a rule did to a network.
type Fired struct {
	Rule   string
	Count  int
	Layers []string // the layers that were dropped or that hold the result
}

// table holds the rules in the order in which they run.
var table = []Rule{
	{"prune-dead", "drop layers that the output does not need", pruneDead},
	{"drop-noops", "drop layers that change nothing", each(dropNoop)},
	{"share-equal", "compute equal layers of equal inputs once", shareEqual},
	{"fold-constants", "compute arithmetic of constants now", each(foldConstants)},
	{"recognise-clip", "maximum and minimum with a number become a clip", each(recogniseClip)},
	{"merge-clips", "relu and clips in a row become one", each(mergeClips)},
	{"recognise-leaky-relu", "a prelu with one slope becomes a leaky relu", each(recogniseLeakyRelu)},
	{"recognise-hard-sigmoid", "clip(a*x + b) between 0 and 1 becomes a hard sigmoid", each(recogniseHardSigmoid)},
	{"recognise-swish", "x * sigmoid(a*x) becomes a swish", each(recogniseGate(swish))},
	{"recognise-hard-swish", "x * clip(x + 3, 0, 6) / 6 becomes a hard swish", each(recogniseGate(hardSwish))},
	{"recognise-gelu", "x/2 * (1 + erf(x/sqrt 2)) becomes a gelu", each(recogniseGate(gelu))},
	{"recognise-mish", "x * tanh(softplus(x)) becomes a mish", each(recogniseGate(mish))},
	{"affine-from-constants", "arithmetic with a number per channel becomes an affine layer", each(affineFromConstants)},
	{"merge-affines", "two affine layers in a row become one", each(mergeAffines)},
	{"concat-affines", "affine layers under a concat become one behind it", each(concatAffines)},
	{"merge-channels", "pick channels once, and straight from where they come", each(mergeChannels)},
	{"merge-concats", "a concat inside a concat joins it", each(mergeConcats)},
	{"merge-pad", "a padding layer becomes the pads of the window behind it", each(mergePad)},
	{"merge-flatten", "a flatten is folded into the order of a fully-connected layer's weights", each(mergeFlatten)},
	{"fold-batchnorm", "an affine layer goes into the weights of the layer before it", each(foldBatchNorm)},
	{"affine-into-next", "an affine layer goes into the weights of the layer behind it", each(affineIntoNext)},
	{"dense-from-conv", "a convolution whose filters cover the whole map becomes fully connected", each(denseFromConv)},
	{"fuse-residual", "an addition becomes part of the convolution before it", each(fuseResidual)},
	{"fuse-activation", "an activation becomes part of the layer before it", each(fuseActivation)},
}

// mustPrecede lists the pairs of rules that want the same layer, where the
// second, going first, would leave nothing for the other to recognise. For each
// a test shows what swapping the two costs.
var mustPrecede = []struct{ first, then, because string }{
	{"prune-dead", "fuse-activation", "a gate that a dead head reads as well is not recognised, and its erf is fused away"},
	{"recognise-clip", "merge-clips", "max(min(x, 6), 0) is two clips"},
	{"merge-clips", "recognise-hard-sigmoid", "it looks for one clip"},
	{"recognise-clip", "recognise-hard-swish", "relu6 may come as a minimum"},
	{"recognise-hard-sigmoid", "merge-affines", "a batch norm before it would swallow the 3 that it adds"},
	{"recognise-hard-sigmoid", "fold-batchnorm", "the layer before it would swallow the 3 that it adds"},
	{"recognise-hard-sigmoid", "fuse-activation", "the clip would go into the layer that adds 3"},
	{"recognise-swish", "fuse-activation", "the sigmoid would go into the layer that multiplies by a"},
	{"recognise-hard-swish", "merge-affines", "a batch norm behind it would swallow the division by 6"},
	{"recognise-hard-swish", "affine-into-next", "the next convolution would swallow the division by 6"},
	{"recognise-hard-swish", "fuse-activation", "the clip would go into the layer that adds 3"},
	{"recognise-gelu", "merge-affines", "a batch norm behind it would swallow the factor 1/2"},
	{"recognise-gelu", "affine-into-next", "the next convolution would swallow the factor 1/2"},
	{"recognise-gelu", "fuse-activation", "the erf would go into the layer that divides by sqrt 2"},
	{"affine-from-constants", "fuse-residual", "a number added to each channel is a bias, not a residual"},
}

// Rules returns the rules in the order in which they run.
func Rules() []Rule { return slices.Clone(table) }

// Names returns the names of the rules in the order in which they run.
func Names() []string {
	names := make([]string, len(table))
	for i, r := range table {
		names[i] = r.Name
	}
	return names
}

// maxRounds bounds the passes over the table. Networks settle in two or three.
const maxRounds = 50

// Optimize rewrites a copy of the network with the rules that are enabled (all
// of them when enabled is nil) until none fires any more, and tells which did.
// The copy shares weights with the original. Its layers are in topological
// order and numbered, and its shapes have been inferred again.
func Optimize(n *network.Network, enabled func(rule string) bool) (*network.Network, []Fired, error) {
	rules := table
	if enabled != nil {
		rules = slices.DeleteFunc(Rules(), func(r Rule) bool { return !enabled(r.Name) })
	}
	return run(rules, n)
}

func run(rules []Rule, n *network.Network) (*network.Network, []Fired, error) {
	g := newGraph(n.Clone())
	layers := make([][]string, len(rules))
	for range maxRounds {
		changed := false
		for i, r := range rules {
			names := r.apply(g)
			layers[i] = append(layers[i], names...)
			changed = changed || len(names) > 0
		}
		g.compact()
		if !changed {
			break
		}
	}
	if err := g.net.Infer(); err != nil {
		return nil, nil, fmt.Errorf("rewritten network: %w", err)
	}
	var fired []Fired
	for i, r := range rules {
		if n := len(layers[i]); n > 0 {
			fired = append(fired, Fired{r.Name, n, layers[i]})
		}
	}
	return g.net, fired, nil
}
