package rewrite

import (
	"fmt"
	"slices"
	"strings"

	"occlude/internal/network"
)

// pruneDead drops the layers that the output does not need: auxiliary heads,
// and everything behind the output that was chosen. The input always stays.
func pruneDead(g *graph) []string {
	live := make(map[*network.Layer]bool, len(g.net.Layers))
	for stack := []*network.Layer{g.net.Output}; len(stack) > 0; {
		l := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if !live[l] {
			live[l] = true
			stack = append(stack, l.In...)
		}
	}
	live[g.net.Input()] = true
	var dead []*network.Layer
	var names []string
	for _, l := range g.net.Layers {
		if !live[l] && !g.gone[l] {
			dead = append(dead, l)
			names = append(names, l.Name)
		}
	}
	// The last has no readers, and takes with it what only it has read.
	for _, l := range slices.Backward(dead) {
		g.release(l)
	}
	return names
}

// dropNoop drops a layer whose output is its input. What looks like one and is
// not: a pool of one cell that skips cells, an affine layer with an activation
// (which becomes that activation), a slice or pick that leaves something out or
// changes the order, a flatten of a map with both places and channels.
func dropNoop(g *graph, l *network.Layer) bool {
	if a, ok := opOf[network.Affine](l); ok && identity(a) {
		if a.Act.IsNone() {
			return g.replace(l, l.In[0])
		}
		return g.become(l, network.Pointwise{Act: a.Act}, l.In[0])
	}
	return isNoop(l) && g.replace(l, l.In[0])
}

func isNoop(l *network.Layer) bool {
	if len(l.In) != 1 || l.In[0].Shape != l.Shape {
		return false
	}
	switch op := l.Op.(type) {
	case network.Pointwise:
		return op.Act.IsNone() || (op.Act.Fn == network.Relu && nonNegative(l.In[0]))
	case network.Channels:
		// Of the same number of channels, a run in order is all of them.
		return op.Contiguous()
	case network.Pool:
		return op.Taps() == 1 && !pads(op.Window, op.After)
	case network.GlobalPool:
		return l.Shape.IsVector()
	case network.Pad, network.Slice, network.Concat, network.Flatten, network.Unflatten,
		network.Reshaped, network.ChannelReduce:
		// The shape stayed: nothing added, nothing left out, nothing to join,
		// only one order for the values of a vector.
		return true
	}
	return false
}

func identity(a network.Affine) bool {
	for c := range a.Scale {
		if a.Scale[c] != 1 || a.Shift[c] != 0 {
			return false
		}
	}
	return true
}

// nonNegative tells whether no value of the layer's output can be below zero.
// It looks through layers that only choose, move or average values.
func nonNegative(l *network.Layer) bool {
	for {
		var act network.Activation
		switch op := l.Op.(type) {
		case network.Pointwise:
			act = op.Act
		case network.Fused:
			act = op.Activation()
		case network.Softmax:
			return !op.Log
		case network.Pool, network.GlobalPool, network.Channels, network.Slice,
			network.Flatten, network.Unflatten, network.Reshaped:
			l = l.In[0]
			continue
		}
		switch act.Fn {
		case network.Relu, network.Sigmoid, network.HardSigmoid, network.Softplus,
			network.Exp, network.Abs, network.Sqrt:
			return true
		case network.Clip:
			return min(act.Alpha, act.Beta) >= 0
		}
		return false
	}
}

// shareEqual makes the readers of a layer read an earlier one instead that does
// the same to the same inputs. It compares only layers without weights, and
// never a Function, of which nothing is known.
func shareEqual(g *graph) []string {
	var names []string
	seen := make(map[string]*network.Layer)
	number := make(map[*network.Layer]int, len(g.net.Layers))
	for i, l := range g.net.Layers {
		number[l] = i
	}
	for _, l := range g.net.Layers {
		if _, opaque := opOf[network.Function](l); opaque || g.gone[l] || len(l.In) == 0 || l.Params() > 0 {
			continue
		}
		var key strings.Builder
		// As Go source: what people read leaves parameters out.
		fmt.Fprintf(&key, "%#v", l.Op)
		for _, p := range l.In {
			fmt.Fprintf(&key, " %d", number[p])
		}
		first, found := seen[key.String()]
		if !found {
			seen[key.String()] = l
			continue
		}
		if g.replace(l, first) {
			names = append(names, l.Name)
		}
	}
	return names
}
