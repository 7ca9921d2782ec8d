package reference

import (
	"fmt"
	"slices"

	"occlude/internal/onnx"
)

// conv is a convolution over any number of spatial axes, with groups, strides,
// dilations and padding of zeros: X (N x C x spatial), W (M x C/groups x
// kernel), B (M).
//
// For each image and group it is a product of matrices: the filters, one per
// row, by the patches of the input, one per column and output position. The
// patches are cut out panel by panel, they never exist as a whole.
func conv(c *call) (*onnx.Tensor, error) {
	for _, t := range c.in[1:] {
		if t != nil && t.DType != c.in[0].DType {
			return nil, fmt.Errorf("%s and %s together", c.in[0].DType, t.DType)
		}
	}
	if _, double := c.in[0].Data.([]float64); double {
		return convolved[float64](c)
	}
	return convolved[float32](c)
}

func convolved[T float32 | float64](c *call) (*onnx.Tensor, error) {
	x, w, bias := c.in[0], c.in[1], c.input(2)
	if w.Rank() != x.Rank() || x.Rank() < 3 {
		return nil, fmt.Errorf("weights of shape %s for an input of shape %s", onnx.FormatDims(w.Dims), onnx.FormatDims(x.Dims))
	}
	kernel := w.Dims[2:]
	if k := c.Ints("kernel_shape"); k != nil && !slices.Equal(k, kernel) {
		return nil, fmt.Errorf("kernel_shape %v for weights of shape %s", k, onnx.FormatDims(w.Dims))
	}
	ws, err := c.windows(x, kernel, false)
	if err != nil {
		return nil, err
	}
	images, channels, filters, groups := x.Dims[0], x.Dims[1], w.Dims[0], c.Int("group", 1)
	if groups < 1 || filters%groups != 0 || w.Dims[1] > channels || w.Dims[1]*groups != channels {
		return nil, fmt.Errorf("weights of shape %s with %d groups for an input of shape %s",
			onnx.FormatDims(w.Dims), groups, onnx.FormatDims(x.Dims))
	}
	if bias != nil && !slices.Equal(bias.Dims, []int{filters}) {
		return nil, fmt.Errorf("a bias of shape %s for %d filters", onnx.FormatDims(bias.Dims), filters)
	}
	dims := outDims(images, filters, ws)
	count, err := c.sized(dims)
	if err != nil {
		return nil, err
	}
	out, weights := make([]T, count), w.Data.([]T)
	if count == 0 {
		return like(x, dims, out), nil
	}
	patches := newPatches(ws, w.Dims[1], x.Data.([]T))
	positions, perGroup := product(dims[2:]), filters/groups
	depth := product(w.Dims[1:])
	err = multiplyAll(c.ctx, images*groups, func(p int) matrices[T, float64] {
		first := p % groups * perGroup // filter
		to := out[(p/groups*filters+first)*positions:]
		return matrices[T, float64]{
			m: perGroup, k: depth, n: positions, a: weights[first*depth:],
			panel: patches.of(p).panel,
			store: func(i, j int, sums []float64) {
				b := 0.0
				if bias != nil {
					b = float64(bias.Data.([]T)[first+i])
				}
				for d, v := range sums {
					to[i*positions+j+d] = T(v + b)
				}
			},
		}
	})
	return like(x, dims, out), err
}

// patches is the matrix of the pieces of the input that a convolution's window
// sees: a row per channel and tap (place in the window), a column per output
// position, zero where the window hangs over the border.
type patches[T number] struct {
	outer    []axisWindow // all spatial axes but the last
	last     axisWindow   // along which output positions are neighbours
	count    int          // taps
	taps     []int        // of each tap, its distance from the window's start per axis
	x        []T          // the channels of one image and group
	plane    int          // elements of one channel
	channels int
}

func newPatches[T number](ws []axisWindow, channels int, x []T) *patches[T] {
	p := &patches[T]{outer: ws[:len(ws)-1], last: ws[len(ws)-1], x: x, channels: channels, plane: 1}
	p.count = 1
	for _, w := range ws {
		p.count *= w.kernel
		p.plane *= w.size
	}
	if channels == 0 {
		p.count = 0 // no weights vouch for the size of the kernel
	}
	p.taps = make([]int, p.count*len(ws))
	for t := range p.count {
		rest := t
		for a := len(ws) - 1; a >= 0; a-- {
			p.taps[t*len(ws)+a] = rest % ws[a].kernel * ws[a].dilation
			rest /= ws[a].kernel
		}
	}
	return p
}

// of selects the i-th of the stacked groups of channels.
func (p *patches[T]) of(i int) *patches[T] {
	q := *p
	q.x = p.x[i*p.channels*p.plane : (i+1)*p.channels*p.plane]
	return &q
}

// panel is the matrix's part that matrices asks for. It goes by stretches of
// output positions in one output row, whose borders are found once per tap.
func (p *patches[T]) panel(dst []T, k0, k1, j0, j1 int) {
	width, rank := j1-j0, len(p.outer)+1
	start := make([]int, len(p.outer))
	for j := j0; j < j1; {
		row, o := j/p.last.out, j%p.last.out
		n := min(p.last.out-o, j1-j)
		for a := len(p.outer) - 1; a >= 0; a-- {
			w := &p.outer[a]
			start[a] = row%w.out*w.stride - w.before
			row /= w.out
		}
		for k := k0; k < k1; k++ {
			tap := p.taps[k%p.count*rank:][:rank]
			offset, inside := k/p.count*p.plane, true
			for a := range p.outer {
				w := &p.outer[a]
				at := start[a] + tap[a]
				inside = inside && at >= 0 && at < w.size
				offset += at * w.inStride
			}
			to := dst[(k-k0)*width+j-j0:][:n]
			if !inside {
				clear(to)
				continue
			}
			p.stretch(to, p.x[offset:offset+p.last.size], o*p.last.stride-p.last.before+tap[rank-1])
		}
		j += n
	}
}

// stretch fills dst with every stride-th element of the input row from index
// first on, zero where that lies outside.
func (p *patches[T]) stretch(dst, row []T, first int) {
	stride := p.last.stride
	lo := min(ceilDiv(max(-first, 0), stride), len(dst))
	hi := max(lo, min(ceilDiv(max(len(row)-first, 0), stride), len(dst)))
	clear(dst[:lo])
	clear(dst[hi:])
	if lo == hi {
		return
	}
	if stride == 1 {
		copy(dst[lo:hi], row[first+lo:])
		return
	}
	for i, at := lo, first+lo*stride; i < hi; i, at = i+1, at+stride {
		dst[i] = row[at]
	}
}
