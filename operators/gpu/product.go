package gpu

import "occlude/operators/gpu/kernels"

// What convolutions and fully-connected layers have in common, which are matrix products.

// columnsOf is the columns of weights for so many filters: all kernels take what tensor cores need.
func columnsOf(filters int) int {
	return (filters + kernels.SplitColumns - 1) / kernels.SplitColumns * kernels.SplitColumns
}

// vectors tells whether maps of c channels, of which depth belong to a group, are read some
// values at a time.
func vectors(c, depth int) bool { return c%vector == 0 && depth%vector == 0 }

// ffma is the kernel without tensor cores for a product of so many columns over maps of c
// channels, of which depth belong to a group.
func ffma(c, depth, filters int) string {
	switch {
	case !vectors(c, depth):
		return "conv_ffma_odd"
	case filters > 64:
		return "conv_ffma_128"
	}
	return "conv_ffma_64"
}

// product queues a matrix product in so many pieces: on tensor cores where a layer has weights
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

// tiles is the grid of a matrix product.
func tiles(name string, rows int64, filters, pieces int) [3]int {
	t := kernels.TileOf(name)
	return [3]int{int((rows + int64(t.Rows) - 1) / int64(t.Rows)), (filters + t.Columns - 1) / t.Columns, pieces}
}
