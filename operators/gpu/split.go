package gpu

import (
	"cmp"
	"math"
	"runtime"
	"sync"

	"occlude/operators/gpu/kernels"
)

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

// weightExponent is the power of two below which the largest weight of a filter is brought:
// fp16 has room below 2^16, and the rest of a weight loses nothing as long as the weight is
// above 2^-17 of the largest.
const weightExponent = 15

// mostExponent bounds the power of two that a filter is multiplied by, so that its inverse
// is a number, too.
const mostExponent = 120

// pack splits weights into two parts of fp16, each filter multiplied by a power of two of its
// own, and lays them out as kernels.SplitAt says. It gives the inverses of those powers, too.
func (k *split) pack(from []float32, filters int) (words []uint32, unscale []float32) {
	deep := kernels.Deep(k.depth)
	all := k.taps * deep
	words, unscale = make([]uint32, k.groups*all*k.columns), make([]float32, k.groups*k.columns)
	one := func(group, column int) {
		f := group*(filters/k.groups) + column
		weights := from[f*k.taps*k.depth : (f+1)*k.taps*k.depth]
		scale := filterScale(weights)
		unscale[group*k.columns+column] = 1 / scale
		to := words[group*all*k.columns:]
		for tap := range k.taps {
			for i, v := range weights[tap*k.depth : (tap+1)*k.depth] {
				v *= scale
				big := kernels.Half(v)
				rest := kernels.Half(v - kernels.HalfValue(big))
				word, shift := kernels.SplitAt(tap*deep+i, column, k.columns)
				to[word] |= uint32(big) << shift
				to[word+2] |= uint32(rest) << shift
			}
		}
	}
	// Columns that lie in one piece of words go to one goroutine.
	var pieces sync.WaitGroup
	free := make(chan struct{}, runtime.GOMAXPROCS(0))
	for group := range k.groups {
		for first := 0; first < filters/k.groups; first += kernels.SplitColumns {
			free <- struct{}{}
			pieces.Go(func() {
				for column := first; column < min(first+kernels.SplitColumns, filters/k.groups); column++ {
					one(group, column)
				}
				<-free
			})
		}
	}
	pieces.Wait()
	return words, unscale
}

// filterScale is the power of two for a filter; 1 where that is all zeros, or not finite.
func filterScale(weights []float32) float32 {
	most := float32(0)
	for _, v := range weights {
		most = max(most, v, -v)
	}
	if most == 0 || most > math.MaxFloat32 || most != most {
		return 1
	}
	_, exponent := math.Frexp(float64(most))
	return float32(math.Ldexp(1, min(max(weightExponent-exponent, -mostExponent), mostExponent)))
}
