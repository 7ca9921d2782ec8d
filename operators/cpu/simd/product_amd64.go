//go:build amd64 && !noasm

package simd

// tileLoop computes a number of register tiles of Product, one below the other,
// from a row on. It must be at least one tile.
type tileLoop func(p *Product, row, tiles int)

// The tiles of AVX-512 by their rows: of a panel's columns, and of its first half.
var (
	avx512Wide = []tileLoop{
		nil,
		avx512Product1x32, avx512Product2x32, avx512Product3x32, avx512Product4x32,
		avx512Product5x32, avx512Product6x32, avx512Product7x32, avx512Product8x32,
		avx512Product9x32, avx512Product10x32, avx512Product11x32, avx512Product12x32,
	}
	avx512Narrow = []tileLoop{
		nil,
		avx512Product1x16, avx512Product2x16, avx512Product3x16, avx512Product4x16,
		avx512Product5x16, avx512Product6x16, avx512Product7x16, avx512Product8x16,
		avx512Product9x16, avx512Product10x16, avx512Product11x16, avx512Product12x16,
	}
)

// The tiles of AVX2.
var (
	avx2Wide = []tileLoop{
		nil,
		avx2Product1x16, avx2Product2x16, avx2Product3x16,
		avx2Product4x16, avx2Product5x16, avx2Product6x16,
	}
	avx2Narrow = []tileLoop{
		nil,
		avx2Product1x8, avx2Product2x8, avx2Product3x8,
		avx2Product4x8, avx2Product5x8, avx2Product6x8,
	}
)

func productAVX512(p *Product) {
	if p.Columns > 16 {
		p.tiles(avx512Wide)
	} else {
		p.tiles(avx512Narrow)
	}
}

func productAVX2(p *Product) {
	if p.Columns > 8 {
		p.tiles(avx2Wide)
	} else {
		p.tiles(avx2Narrow)
	}
}

// fewRows is where a tile becomes slow: with fewer rows it has fewer sums than
// a processor's multiply-adds take cycles, times those it can begin in one.
const fewRows = 4

// tiles divides the rows among tiles: as many of the highest as there are, then
// one of what remains. If that were few rows, they and the last full tile are
// halved.
func (p *Product) tiles(byRows []tileLoop) {
	highest := len(byRows) - 1
	full, rest := len(p.In)/highest, len(p.In)%highest
	half := 0
	if full > 0 && rest > 0 && rest < fewRows {
		full--
		half = (highest + rest) / 2
		rest = highest + rest - half
	}
	if full > 0 {
		byRows[highest](p, 0, full)
	}
	row := full * highest
	if rest > 0 {
		byRows[rest](p, row, 1)
	}
	if half > 0 {
		byRows[half](p, row+rest, 1)
	}
}

//go:noescape
func avx512Product12x32(p *Product, row, tiles int)

//go:noescape
func avx512Product11x32(p *Product, row, tiles int)

//go:noescape
func avx512Product10x32(p *Product, row, tiles int)

//go:noescape
func avx512Product9x32(p *Product, row, tiles int)

//go:noescape
func avx512Product8x32(p *Product, row, tiles int)

//go:noescape
func avx512Product7x32(p *Product, row, tiles int)

//go:noescape
func avx512Product6x32(p *Product, row, tiles int)

//go:noescape
func avx512Product5x32(p *Product, row, tiles int)

//go:noescape
func avx512Product4x32(p *Product, row, tiles int)

//go:noescape
func avx512Product3x32(p *Product, row, tiles int)

//go:noescape
func avx512Product2x32(p *Product, row, tiles int)

//go:noescape
func avx512Product1x32(p *Product, row, tiles int)

//go:noescape
func avx512Product12x16(p *Product, row, tiles int)

//go:noescape
func avx512Product11x16(p *Product, row, tiles int)

//go:noescape
func avx512Product10x16(p *Product, row, tiles int)

//go:noescape
func avx512Product9x16(p *Product, row, tiles int)

//go:noescape
func avx512Product8x16(p *Product, row, tiles int)

//go:noescape
func avx512Product7x16(p *Product, row, tiles int)

//go:noescape
func avx512Product6x16(p *Product, row, tiles int)

//go:noescape
func avx512Product5x16(p *Product, row, tiles int)

//go:noescape
func avx512Product4x16(p *Product, row, tiles int)

//go:noescape
func avx512Product3x16(p *Product, row, tiles int)

//go:noescape
func avx512Product2x16(p *Product, row, tiles int)

//go:noescape
func avx512Product1x16(p *Product, row, tiles int)

//go:noescape
func avx2Product6x16(p *Product, row, tiles int)

//go:noescape
func avx2Product5x16(p *Product, row, tiles int)

//go:noescape
func avx2Product4x16(p *Product, row, tiles int)

//go:noescape
func avx2Product3x16(p *Product, row, tiles int)

//go:noescape
func avx2Product2x16(p *Product, row, tiles int)

//go:noescape
func avx2Product1x16(p *Product, row, tiles int)

//go:noescape
func avx2Product6x8(p *Product, row, tiles int)

//go:noescape
func avx2Product5x8(p *Product, row, tiles int)

//go:noescape
func avx2Product4x8(p *Product, row, tiles int)

//go:noescape
func avx2Product3x8(p *Product, row, tiles int)

//go:noescape
func avx2Product2x8(p *Product, row, tiles int)

//go:noescape
func avx2Product1x8(p *Product, row, tiles int)
