package kernels

import _ "embed"

// PTX is the module with all kernels, as compile.sh makes it, for compute capability 8.0
// and later: the driver compiles it for the device at hand.
//
//go:embed kernels.ptx
var PTX string

// Threads is how many threads a block of every kernel has.
const Threads = 256

// Tile sizes of the convolutions that are matrix products: the rows that a block
// computes, and its columns.
const (
	TileRows    = 128
	TileColumns = 128
)

// Columns is how many columns a block of a conv_ kernel computes.
func Columns(name string) int {
	if name == "conv_tf32" || name == "conv_ffma_128" {
		return TileColumns
	}
	return 64
}
