package kernels

import _ "embed"

// PTX is the module with all kernels, as compile.sh makes it, for compute capability 8.0
// and later: the driver compiles it for the device at hand.
//
//go:embed kernels.ptx
var PTX string

// Threads is how many threads a block of a kernel has that has no Tile.
const Threads = 256

// Tile is what a block of a kernel is, of one that is a matrix product: the rows and columns
// that it computes, its threads, the bytes of dynamic shared memory that it is given, and how
// many of them a processor computes at the same time, of the 228 KB that compute capability 9.0
// has.
type Tile struct{ Rows, Columns, Threads, Shared, Together int }

// stage is the bytes that 16 values of K take in a block's shared memory, of so many rows and
// columns: 4 for a value, and for the two parts of a weight.
func stage(rows, columns int) int { return 16 * 4 * (rows + columns) }

var tiles = map[string]Tile{
	"conv_ffma_128":      {128, 128, 256, 0, 2},
	"conv_ffma_64":       {128, 64, 256, 0, 2},
	"conv_ffma_odd":      {128, 64, 256, 0, 2},
	"conv_f16x3_128x128": {128, 128, 128, 4 * stage(128, 128), 2},
	"conv_f16x3_256x128": {256, 128, 256, 3 * stage(256, 128), 1},
	"conv_f16x3_256x64":  {256, 64, 128, 4 * stage(256, 64), 2},
}

// TileOf is the tile of a kernel; one that is no matrix product has no rows, and as many blocks
// together as the 2048 threads of a processor make.
func TileOf(name string) Tile {
	if t, ok := tiles[name]; ok {
		return t
	}
	return Tile{Threads: Threads, Together: 2048 / Threads}
}
