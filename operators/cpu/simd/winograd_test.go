package simd

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"
)

// winogradGuard is what surrounds all values in these tests: a NaN, so that
// reading it spoils a result, of bits that no computation gives, so that a stray
// write is seen.
var winogradGuard = math.Float32frombits(0x7fc0beef)

// grid is tiles of rows x columns vectors of channels, each vector by itself in a
// buffer of guards.
type grid struct {
	data                           []float32
	tiles, rows, columns, channels int
	first, down, right, step       int // in values
}

func newGrid(rng *rand.Rand, tiles, rows, columns, channels int) *grid {
	g := &grid{tiles: tiles, rows: rows, columns: columns, channels: channels, first: 1 + rng.IntN(40)}
	g.right = channels + 1 + rng.IntN(20)
	g.down = columns*g.right + rng.IntN(9)
	g.step = rows*g.down + rng.IntN(9)
	g.data = make([]float32, g.first+tiles*g.step+40)
	for i := range g.data {
		g.data[i] = winogradGuard
	}
	return g
}

// newPoints is a grid whose rows follow each other as columns do.
func newPoints(rng *rand.Rand, tiles, rows, columns, channels int) *grid {
	g := newGrid(rng, tiles, rows, columns, channels)
	g.down = columns * g.right
	return g
}

// cell is the vector at row y and column x of a tile.
func (g *grid) cell(tile, y, x int) []float32 {
	return g.data[g.first+tile*g.step+y*g.down+x*g.right:][:g.channels]
}

// each calls do for every value, with its place.
func (g *grid) each(rows, columns int, do func(tile, y, x, c int, v *float32)) {
	for tile := range g.tiles {
		for y := range rows {
			for x := range columns {
				for c := range g.channels {
					do(tile, y, x, c, &g.cell(tile, y, x)[c])
				}
			}
		}
	}
}

// randomize fills all vectors.
func (g *grid) randomize(rng *rand.Rand) *grid {
	g.each(g.rows, g.columns, func(_, _, _, _ int, v *float32) { *v = float32(rng.NormFloat64()) })
	return g
}

func (g *grid) pointer() unsafe.Pointer { return unsafe.Pointer(&g.data[g.first]) }

// strays counts the guards that were overwritten, apart from the first rows and
// columns of each tile.
func (g *grid) strays(rows, columns int) int {
	rest := append([]float32(nil), g.data...)
	saved := g.data
	g.data = rest
	g.each(rows, columns, func(_, _, _, _ int, v *float32) { *v = winogradGuard })
	g.data = saved
	strays := 0
	for _, v := range rest {
		if math.Float32bits(v) != math.Float32bits(winogradGuard) {
			strays++
		}
	}
	return strays
}

// buffer is room between the axes, which a transform must not read before it
// wrote it.
func buffer() unsafe.Pointer {
	b := Aligned(WinogradBuffer)
	for i := range b {
		b[i] = winogradGuard
	}
	return unsafe.Pointer(&b[0])
}

// toPoints transforms tiles, lines or squares, and gives the values at the points.
func toPoints(rng *rand.Rand, w *Winograd, in *grid) *grid {
	out := newPoints(rng, in.tiles, in.rows, in.columns, in.channels)
	t := &WinogradInput{
		In: in.pointer(), Down: in.down * 4, Right: in.right * 4, InStep: in.step * 4,
		Out: out.pointer(), OutStride: out.right * 4, OutStep: out.step * 4,
		Count: in.tiles, Channels: in.channels, Buffer: buffer(),
	}
	if in.rows == 1 {
		w.LineInput(t)
	} else {
		w.SquareInput(t)
	}
	return out
}

// cells are the arguments of a transform back to cells.
type cells struct {
	rows, columns int
	bias, add     *grid // add may be nil
	low, high     float32
}

// toCells transforms values at the points.
func toCells(rng *rand.Rand, w *Winograd, in *grid, c cells) *grid {
	rows := 1
	if in.rows > 1 {
		rows = w.Tile
	}
	out := newGrid(rng, in.tiles, rows, w.Tile, in.channels)
	t := &WinogradOutput{
		In: in.pointer(), InStride: in.right * 4, InStep: in.step * 4,
		Out: out.pointer(), Down: out.down * 4, Right: out.right * 4, OutStep: out.step * 4,
		Rows: c.rows, Columns: c.columns, Count: in.tiles, Channels: in.channels,
		Bias: c.bias.pointer(), Low: c.low, High: c.high, Buffer: buffer(),
	}
	if c.add != nil {
		t.Add, t.AddDown, t.AddRight, t.AddStep = c.add.pointer(), c.add.down*4, c.add.right*4, c.add.step*4
	}
	if rows == 1 {
		w.LineOutput(t)
	} else {
		w.SquareOutput(t)
	}
	return out
}

// eachAlgorithm calls do for all algorithms of up to nine taps, along one axis and
// along both.
func eachAlgorithm(t *testing.T, do func(t *testing.T, rng *rand.Rand, w, generic *Winograd, points, tile [2]int)) {
	for _, set := range Available() {
		for tile := 2; tile <= 6; tile++ {
			for taps := 2; taps <= 9; taps++ {
				if !HasWinograd(tile, taps) {
					continue
				}
				w, err := set.Winograd(tile, taps)
				if err != nil {
					t.Fatal(err)
				}
				generic, err := Available()[len(Available())-1].Winograd(tile, taps)
				if err != nil {
					t.Fatal(err)
				}
				rng := rand.New(rand.NewPCG(uint64(tile), uint64(taps)))
				t.Run(fmt.Sprintf("%s F(%d,%d)", set.Name, tile, taps), func(t *testing.T) {
					do(t, rng, w, generic, [2]int{1, w.Points}, [2]int{1, tile})
				})
				for part := 1; part < tile; part++ {
					w, generic := w.Part(part), generic.Part(part)
					t.Run(fmt.Sprintf("%s part %d of F(%d,%d)", set.Name, part, tile, taps), func(t *testing.T) {
						do(t, rng, w, generic, [2]int{1, w.Points}, [2]int{1, part})
					})
				}
				if w.Points > WinogradSquare {
					continue
				}
				t.Run(fmt.Sprintf("%s F(%dx%d,%dx%d)", set.Name, tile, tile, taps, taps), func(t *testing.T) {
					do(t, rng, w, generic, [2]int{w.Points, w.Points}, [2]int{tile, tile})
				})
			}
		}
	}
}

// TestWinogradAlgorithms checks that with the products in float64 a tile's cells
// are those of the definition.
func TestWinogradAlgorithms(t *testing.T) {
	eachAlgorithm(t, func(t *testing.T, rng *rand.Rand, w, _ *Winograd, points, tile [2]int) {
		const channels = 21
		in := newGrid(rng, 1, points[0], points[1], channels).randomize(rng)
		v := toPoints(rng, w, in)
		g := w.Filter()
		gy := g
		taps := [2]int{w.Taps, w.Taps}
		if points[0] == 1 {
			gy, taps[0] = [][]float64{{1}}, 1
		}
		filter := make([]float64, taps[0]*taps[1])
		for i := range filter {
			filter[i] = rng.NormFloat64()
		}
		v.each(v.rows, v.columns, func(_, y, x, _ int, v *float32) {
			u := 0.0
			for i, f := range filter {
				u += gy[y][i/taps[1]] * g[x][i%taps[1]] * f
			}
			*v = float32(u * float64(*v))
		})
		inf := float32(math.Inf(1))
		zero := newGrid(rng, 1, 1, 1, channels)
		zero.each(1, 1, func(_, _, _, _ int, v *float32) { *v = 0 })
		out := toCells(rng, w, v, cells{rows: tile[0], columns: tile[1], bias: zero, low: -inf, high: inf})
		out.each(out.rows, out.columns, func(_, y, x, c int, got *float32) {
			want := 0.0
			for i, f := range filter {
				want += f * float64(in.cell(0, y+i/taps[1], x+i%taps[1])[c])
			}
			if math.Abs(float64(*got)-want) > 2e-3 {
				t.Errorf("cell (%d, %d) of channel %d is %g, want %g", x, y, c, *got, want)
			}
		})
	})
}

// TestWinogradLoops compares the loops of every set with the generic ones, for
// numbers of channels around a vector, checks that they keep to their vectors,
// and that no channel or tile sees another one.
func TestWinogradLoops(t *testing.T) {
	eachAlgorithm(t, func(t *testing.T, rng *rand.Rand, w, generic *Winograd, points, tile [2]int) {
		for channels := 1; channels <= 35; channels += 1 + rng.IntN(3) {
			in := newGrid(rng, 1+rng.IntN(4), points[0], points[1], channels).randomize(rng)
			got := toPoints(rng, w, in)
			compare(t, "to points", got, toPoints(rng, generic, in), points, 1e-4)
			one, tileOne := rng.IntN(channels), rng.IntN(in.tiles)
			compare(t, "one channel to points", got.alone(tileOne, one), toPoints(rng, w, in.alone(tileOne, one)), points, 0)

			inf := float32(math.Inf(1))
			c := cells{rows: 1 + rng.IntN(tile[0]), columns: 1 + rng.IntN(tile[1]), low: -inf, high: inf}
			c.bias = newGrid(rng, 1, 1, 1, channels).randomize(rng)
			if rng.IntN(2) == 0 {
				c.add = newGrid(rng, in.tiles, tile[0], tile[1], channels).randomize(rng)
			}
			if rng.IntN(2) == 0 {
				c.low, c.high = -1, 2
			}
			written := [2]int{c.rows, c.columns}
			in = newPoints(rng, in.tiles, points[0], points[1], channels).randomize(rng)
			cell := toCells(rng, w, in, c)
			compare(t, "to cells", cell, toCells(rng, generic, in, c), written, 1e-4)
			c.bias = c.bias.alone(0, one)
			if c.add != nil {
				c.add = c.add.alone(tileOne, one)
			}
			compare(t, "one channel to cells", cell.alone(tileOne, one), toCells(rng, w, in.alone(tileOne, one), c), written, 0)
		}
	})
}

// alone is one channel of one tile.
func (g *grid) alone(tile, c int) *grid {
	one := *g
	one.tiles, one.channels = 1, 1
	one.data = make([]float32, len(g.data))
	for i := range one.data {
		one.data[i] = winogradGuard
	}
	one.each(g.rows, g.columns, func(_, y, x, _ int, v *float32) { *v = g.cell(tile, y, x)[c] })
	return &one
}

// compare checks the first rows and columns of tiles, to the bit if tol is 0, and
// that nothing else was written.
func compare(t *testing.T, what string, got, want *grid, size [2]int, tol float64) {
	t.Helper()
	if n := got.strays(size[0], size[1]); n > 0 {
		t.Errorf("%s of %d channels: %d values written elsewhere", what, got.channels, n)
	}
	got.each(size[0], size[1], func(tile, y, x, c int, v *float32) {
		w := want.cell(tile, y, x)[c]
		if d := math.Abs(float64(*v - w)); !(d <= tol*max(1, math.Abs(float64(w)))) {
			t.Fatalf("%s of %d channels, tile %d, (%d, %d): value %d is %g, want %g", what, got.channels, tile, x, y, c, *v, w)
		}
	})
}
