package importer

import (
	"errors"
	"fmt"

	"occlude/internal/network"
	"occlude/internal/onnx"
)

// limits bound what a file can make the importer hold and do: a kilobyte of ONNX
// may ask for pads that no memory holds, for constants of gigabytes, or for their
// product. No classifier of images comes near.
type limits struct {
	// values of one layer's map.
	values int
	// padded is how many values a map with the padding around it may have; a large
	// map may also have padOver times its own.
	padded int
	// made is how many values may be made of constants, beside madeOver for each that
	// is in the file: folded ones, weights in another order, copies for several layers.
	made int
	// steps of the reference operators, beside stepsOver for each value in the file:
	// those that fold constants, and those that layers without a kernel call.
	steps int
}

// maxRank bounds the axes of a value, which are written down for each.
const maxRank = 64

const (
	padOver   = 16
	madeOver  = 4
	stepsOver = 64
)

// most is what files get: maps and constants of a GiB each, and about a second.
var most = limits{values: 1 << 28, padded: 1 << 24, made: 1 << 28, steps: 3 << 29}

// of is what a file gets that holds the given constants.
func (l limits) of(constants map[string]*onnx.Tensor) limits {
	n := 0
	for _, t := range constants {
		n += t.Len()
	}
	l.made += madeOver * n
	l.steps += stepsOver * n
	return l
}

// bounded refuses maps beyond the limit.
func (l limits) bounded(s network.Shape) error {
	if n, err := onnx.Count([]int{s.H, s.W, s.C}); err != nil || n > l.values {
		return fmt.Errorf("makes a map of %s, beyond the limit of %d values", s, l.values)
	}
	return nil
}

// surrounded refuses padding that is out of proportion to the map: kernels lay out
// the cells that their windows see, those of the padding, too.
func (l limits) surrounded(s network.Shape, y, x int) error {
	// Pads are bounded by now, and none of these sums and products overflows.
	if n := (s.H + y) * (s.W + x); n > padOver*s.Cells() && n > l.padded/s.C {
		return fmt.Errorf("pads a map of %s to %dx%d cells, beyond the limit of %d times as many", s, s.H+y, s.W+x, padOver)
	}
	return nil
}

// charge counts values that are made of constants.
func (b *builder) charge(n int) error {
	if b.limits.made -= n; b.limits.made < 0 {
		return errors.New("makes too many values of constants: no classifier has so many more than its file")
	}
	return nil
}

// chargeLayers counts the weights of the layers from the given one on that are not
// those of others or of the file.
func (b *builder) chargeLayers(from int) error {
	for _, l := range b.net.Layers[from:] {
		arrays := l.Op.Arrays()
		if c, ok := l.Op.(network.Channels); ok {
			if err := b.charge(2 * len(c.Index)); err != nil { // integers of 64 bits
				return err
			}
		}
		for _, a := range arrays {
			if len(a) == 0 || b.counted[&a[0]] {
				continue
			}
			b.counted[&a[0]] = true
			if err := b.charge(len(a)); err != nil {
				return err
			}
		}
	}
	return nil
}
