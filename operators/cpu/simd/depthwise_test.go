package simd

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"
)

func TestDepthwise(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 1))
	for _, set := range Available() {
		for _, channels := range lengths {
			for range 6 {
				if channels > 0 {
					checkDepthwise(t, rng, set, channels, 1+rng.IntN(3), 1+rng.IntN(20))
				}
			}
		}
	}
}

// checkDepthwise computes cells of random taps, among them the same one twice
// and ones out of order, and compares them with the definition and with cells
// computed alone.
func checkDepthwise(t *testing.T, rng *rand.Rand, set *Set, channels, rows, cells int) {
	t.Helper()
	taps, step := 1+rng.IntN(26), channels*rng.IntN(3)
	inRow, outRow, addRow := rng.IntN(50), cells*channels+rng.IntN(5), cells*channels+rng.IntN(5)
	name := fmt.Sprintf("%s: %d rows of %d cells of %d channels, %d taps, %d apart", set.Name, rows, cells, channels, taps, step)
	offsets := make([]int, taps)
	reach := 0
	for i := range offsets {
		offsets[i] = rng.IntN(40)
		reach = max(reach, offsets[i])
	}
	in, inspectIn := guarded(reach + (rows-1)*inRow + (cells-1)*step + channels)
	out, inspectOut := guarded((rows-1)*outRow + cells*channels)
	weights, bias := make([]float32, channels*taps), make([]float32, channels)
	add, inspectAdd := guarded((rows-1)*addRow + cells*channels)
	for _, x := range [][]float32{in, weights, bias, add} {
		fillRandom(rng, x)
	}
	packed, packedBias := set.PackDepthwise(weights, bias, channels, taps)
	inf := float32(math.Inf(1))
	d := &Depthwise{
		In: at(in, 0), Out: at(out, 0), Step: step * 4, InRow: inRow * 4, OutRow: outRow * 4, AddRow: addRow * 4,
		Weights: &packed[0], Bias: &packedBias[0], Rows: rows, Cells: cells, Channels: channels, Low: -inf, High: inf,
	}
	for _, at := range offsets {
		d.Taps = append(d.Taps, at*4)
	}
	if rng.IntN(2) == 0 {
		d.Add = at(add, 0)
	}
	if rng.IntN(2) == 0 {
		d.Low, d.High = -0.5, 1
	}
	set.Depthwise(d)
	inspectIn(t, name)
	inspectOut(t, name)
	inspectAdd(t, name)
	alone := make([]float32, channels)
	for i := range out {
		y, x, c := i/outRow, i%outRow/channels, i%outRow%channels
		if x >= cells {
			if !isCanary(out[i]) {
				t.Fatalf("%s: wrote between the rows", name)
			}
			continue
		}
		first := y*inRow + x*step
		sum, size := float64(bias[c]), 1.
		for tap, at := range offsets {
			product := float64(in[at+first+c]) * float64(weights[c*taps+tap])
			sum += product
			size += math.Abs(product)
		}
		if d.Add != nil {
			sum += float64(add[y*addRow+x*channels+c])
		}
		want := min(max(sum, float64(d.Low)), float64(d.High))
		if got := float64(out[i]); !(math.Abs(got-want) <= 3e-7*size) {
			t.Fatalf("%s: row %d, cell %d, channel %d is %g, want %g", name, y, x, c, got, want)
		}
		if c > 0 {
			continue
		}
		one := *d
		one.Rows, one.Cells, one.In, one.Out = 1, 1, at(in, first), at(alone, 0)
		if d.Add != nil {
			one.Add = at(add, y*addRow+x*channels)
		}
		set.Depthwise(&one)
		if !sameBits(alone, out[i:i+channels]) {
			t.Fatalf("%s: row %d, cell %d alone differs", name, y, x)
		}
	}
}

// Values that are not numbers pass through a clamp too.
func TestDepthwiseOfNaN(t *testing.T) {
	nan := float32(math.NaN())
	for _, set := range Available() {
		for _, channels := range []int{1, 7, 16, 40} {
			weights, bias := set.PackDepthwise(make([]float32, channels), nil, channels, 1)
			in, out := make([]float32, channels), make([]float32, channels)
			in[channels-1] = nan
			set.Depthwise(&Depthwise{
				In: unsafe.Pointer(&in[0]), Out: unsafe.Pointer(&out[0]), Taps: []int{0}, Weights: &weights[0], Bias: &bias[0],
				Rows: 1, Cells: 1, Channels: channels, Low: 0, High: 6,
			})
			for c, v := range out {
				if isNaN := v != v; isNaN != (c == channels-1) {
					t.Errorf("%s: channel %d of %d is %g", set.Name, c, channels, v)
				}
			}
		}
	}
}

// BenchmarkDepthwise computes squares of cells. The peak is that of
// multiply-adds, which is as many as the processor can load values.
func BenchmarkDepthwise(b *testing.B) {
	rng := rand.New(rand.NewPCG(3, 2))
	for _, set := range Available() {
		for _, c := range []struct{ channels, side, cells, stride int }{
			{32, 3, 56, 1}, {96, 3, 30, 1}, {144, 3, 28, 2}, {24, 3, 30, 1}, {16, 3, 30, 1}, {384, 3, 14, 1}, {960, 3, 7, 1},
			{240, 5, 14, 1}, {672, 5, 7, 1}, {96, 7, 14, 1},
		} {
			width := (c.cells-1)*c.stride + c.side
			in, out := Aligned(width*width*c.channels), Aligned(c.cells*c.cells*c.channels)
			weights, bias := Aligned(c.channels*c.side*c.side), Aligned(c.channels)
			for _, x := range [][]float32{in, weights, bias} {
				fillRandom(rng, x)
			}
			packed, packedBias := set.PackDepthwise(weights, bias, c.channels, c.side*c.side)
			d := &Depthwise{
				In: at(in, 0), Step: c.stride * c.channels * 4, InRow: c.stride * width * c.channels * 4,
				Out: at(out, 0), OutRow: c.cells * c.channels * 4, Weights: &packed[0], Bias: &packedBias[0],
				Rows: c.cells, Cells: c.cells, Channels: c.channels, High: 6,
			}
			for y := range c.side {
				for x := range c.side {
					d.Taps = append(d.Taps, (y*width+x)*c.channels*4)
				}
			}
			b.Run(fmt.Sprintf("%s/%d channels %dx%d over %d, %d cells", set.Name, c.channels, c.side, c.side, c.stride, c.cells), func(b *testing.B) {
				reportRate(b, set, 2*c.channels*c.side*c.side*c.cells*c.cells, func() { set.Depthwise(d) })
			})
		}
	}
}
