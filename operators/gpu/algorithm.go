package gpu

import (
	"cmp"
	"fmt"
	"slices"

	"occlude/internal/network"
	"occlude/operators"
	"occlude/operators/gpu/kernels"
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

// vectors tells whether maps of c channels, of which depth belong to a group, are read some
// values at a time.
func vectors(c, depth int) bool { return c%vector == 0 && depth%vector == 0 }

// tensorTile is the kernel for so many columns on tensor cores.
func tensorTile(columns int, o Options) string {
	switch {
	case o.Tile != "":
		return o.Tile
	case columns <= 64:
		return "conv_f16x3_256x64"
	}
	return "conv_f16x3_128x128"
}

// split is the weights of a layer on tensor cores, beside those that it is computed with
// where these cannot be used.
type split struct {
	name    string // of the kernel
	groups  int
	columns int // of a group, with what fills up a row
	// depth is the values of a tap, taps how many of them there are, piece how many of a
	// tap's are summed up before the next one's.
	depth, taps    int
	piece          int
	words, unscale *buffer
}

// windowPiece is how many values of a tap are summed up before the next one's where windows
// overlap: 128 bytes, so that a block's part of a map stays in the first-level cache. Of 128
// cells in rectangles of 10x10, with what lies around, that is 24 KB.
const windowPiece = 32

// newSplit is for groups of so many filters, under windows that overlap or not.
func newSplit(groups, filters, depth, taps int, overlap bool, o Options) *split {
	k := &split{name: tensorTile(filters, o), groups: groups, columns: columnsOf(filters), depth: depth, taps: taps, piece: kernels.Deep(depth)}
	if overlap && taps > 1 {
		k.piece = cmp.Or(o.Piece, windowPiece)
	}
	return k
}

// bytes is the device memory that they take.
func (k *split) bytes() int64 {
	if k == nil {
		return 0
	}
	return packed(k.groups*k.taps*kernels.Deep(k.depth), k.columns) + packed(k.groups, k.columns)
}

// upload brings weights to the device, of which every filter has its own row in from.
func (k *split) upload(from []float32, filters int, put func([]byte) (*buffer, error)) (err error) {
	if k == nil {
		return nil
	}
	words, unscale := k.pack(from, filters)
	if k.words, err = put(bytesOf(words)); err != nil {
		return err
	}
	k.unscale, err = put(bytesOf(unscale))
	return err
}

// product queues a matrix product of as many pieces: on tensor cores where a layer has weights
// for them and the scale of its input is known.
func (s *step) product(a *kernels.Conv, k *split, pieces int) error {
	if !s.tensor(k) {
		return s.launch(a, tiles(a.Name, s.rows, int(a.Filters), pieces))
	}
	t := &kernels.TensorConv{Conv: *a, Largest: s.largest, Unscale: k.unscale.pointer(), Piece: kernels.Int(k.piece)}
	t.Name, t.Weights = k.name, k.words.pointer()
	return s.launch(t, tiles(t.Name, s.rows, int(a.Filters), pieces))
}

// tensor tells whether a step is computed on tensor cores.
func (s *step) tensor(k *split) bool { return k != nil && !s.plain && s.largest != 0 }
