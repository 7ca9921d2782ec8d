package gpu

import (
	"fmt"
	"slices"

	"occlude/internal/network"
	"occlude/operators"
)

// AllAlgorithms lists the ways in which a GPU computes convolutions and fully-connected
// layers, Direct first.
func AllAlgorithms() []operators.Algorithm {
	return []operators.Algorithm{operators.Direct, operators.Tensor}
}

// Algorithms lists the ways in which a GPU can compute a layer, Direct first; none for
// layers that are neither convolutions nor fully connected.
func Algorithms(l *network.Layer) []operators.Algorithm {
	switch op := l.Op.(type) {
	case network.Conv:
		filters := op.Filters() / op.Groups
		if smallGroups(op) || !vectors(l.In[0].Shape.C, op.GroupIn()) || filters < fewColumns {
			return AllAlgorithms()[:1]
		}
		return AllAlgorithms()
	case network.Dense:
		if !vectors(l.In[0].Shape.C, l.In[0].Shape.C) {
			return AllAlgorithms()[:1]
		}
		return AllAlgorithms()
	}
	return nil
}

// fewColumns is how many columns a product on tensor cores has at least: of fewer, more than
// three quarters of its narrowest tile would be empty, and what is left is no faster.
const fewColumns = 16

// Wherever gives, by layer Index, an algorithm to all layers that can be computed by it, and
// Direct to all others.
func Wherever(net *network.Network, a operators.Algorithm) []operators.Algorithm {
	all := make([]operators.Algorithm, len(net.Layers))
	for i, l := range net.Layers {
		all[i] = operators.Direct
		if slices.Contains(Algorithms(l), a) {
			all[i] = a
		}
	}
	return all
}

// The rounding errors of layers by algorithm, as a share of their values: the root of the
// mean square of the differences from float64, over that of the values. Measured of windows of
// up to 4608 products by TestErrors and TestErrorsOfTwins in package gputest, on the software
// device and on the emulator, which cuts off what tensor cores add up as the least exact ones do.
const (
	directError = 1e-6
	tensorError = 4e-7
)

// Error is the rounding error of a layer that is computed by an algorithm, as a share of its
// values, see cost.Form.
func Error(a operators.Algorithm) float64 {
	if a == operators.Tensor {
		return tensorError
	}
	return directError
}

// of is the algorithm of a layer.
func (o Options) of(l *network.Layer) (operators.Algorithm, error) {
	if l.Index >= len(o.Algorithms) || o.Algorithms[l.Index] == "" {
		return operators.Direct, nil
	}
	a := o.Algorithms[l.Index]
	if a != operators.Direct && !slices.Contains(Algorithms(l), a) {
		return a, fmt.Errorf("%s: a GPU does not compute it by %s", l, a)
	}
	return a, nil
}
