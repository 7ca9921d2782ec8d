package reference

import (
	"errors"
	"fmt"
	"slices"

	"occlude/internal/onnx"
)

// axisWindow is a window that slides along one spatial axis: output index o
// sees the input indices o*stride - before + t*dilation for t = 0..kernel-1, as
// far as they lie within 0..size-1.
type axisWindow struct {
	size             int // of the input axis
	kernel, stride   int
	dilation         int
	before, after    int // padding
	out              int // number of output indices
	inStride, extent int // distance of neighbours in the input; (kernel-1)*dilation + 1
}

// windows reads the attributes that convolutions and pools share, for an input
// of shape N x C x spatial axes.
func (c *call) windows(x *onnx.Tensor, kernel []int, ceil bool) ([]axisWindow, error) {
	rank := x.Rank() - 2
	if rank < 1 {
		return nil, fmt.Errorf("shape %s has no spatial axes", onnx.FormatDims(x.Dims))
	}
	strides, err := c.perAxis("strides", rank, 1)
	if err != nil {
		return nil, err
	}
	dilations, err := c.perAxis("dilations", rank, 1)
	if err != nil {
		return nil, err
	}
	pads, err := c.perAxis("pads", 2*rank, 0)
	if err != nil {
		return nil, err
	}
	if len(kernel) != rank {
		return nil, fmt.Errorf("a kernel of %d axes for an input of shape %s", len(kernel), onnx.FormatDims(x.Dims))
	}
	inStrides := stridesOf(x.Dims)[2:]
	out := make([]axisWindow, rank)
	for i := range out {
		w := &out[i]
		*w = axisWindow{
			size: x.Dims[2+i], kernel: kernel[i], stride: strides[i], dilation: dilations[i],
			before: pads[i], after: pads[i+rank], inStride: inStrides[i],
		}
		if w.kernel < 1 || w.kernel > MaxOutput {
			return nil, fmt.Errorf("a kernel of %d", w.kernel)
		}
		w.extent = (w.kernel-1)*w.dilation + 1
		if err := w.place(c.Str("auto_pad", "NOTSET"), ceil); err != nil {
			return nil, fmt.Errorf("spatial axis %d: %w", i, err)
		}
	}
	return out, nil
}

// perAxis reads a list of n bounded numbers, none below least.
func (c *call) perAxis(name string, n, least int) ([]int, error) {
	v := c.Ints(name)
	if v == nil {
		return slices.Repeat([]int{least}, n), nil
	}
	if len(v) != n {
		return nil, fmt.Errorf("%d %s instead of %d", len(v), name, n)
	}
	for _, x := range v {
		if x < least || x > MaxOutput {
			return nil, fmt.Errorf("%s %v", name, v)
		}
	}
	return v, nil
}

// place settles the padding and the number of outputs.
//
// In ceil mode a last window may hang over the padded input, but not start in
// the padding after it: such a window sees no pixel. (The standard says so from
// version 22 on; PyTorch, from which such networks come, always meant it.)
func (w *axisWindow) place(autoPad string, ceil bool) error {
	switch autoPad {
	case "SAME_UPPER", "SAME_LOWER":
		w.out = (w.size + w.stride - 1) / w.stride
		total := max(0, (w.out-1)*w.stride+w.extent-w.size)
		w.before, w.after = total/2, total-total/2
		if autoPad == "SAME_LOWER" {
			w.before, w.after = w.after, w.before
		}
		return nil
	case "VALID":
		w.before, w.after, ceil = 0, 0, false
	case "NOTSET", "":
	default:
		return fmt.Errorf("auto_pad %q", autoPad)
	}
	room := w.before + w.size + w.after - w.extent
	if ceil {
		room += w.stride - 1
	}
	if room < 0 {
		return errors.New("the window is larger than the padded input")
	}
	w.out = room/w.stride + 1
	if ceil && (w.out-1)*w.stride >= w.before+w.size {
		w.out--
	}
	return nil
}

// taps gives the range lo <= t < hi of the window's places that lie on the
// input for output index o, and how many lie on the padded input.
func (w *axisWindow) taps(o int) (lo, hi, padded int) {
	start := o*w.stride - w.before
	lo = ceilDiv(max(-start, 0), w.dilation)
	hi = min(w.kernel, ceilDiv(max(w.size-start, 0), w.dilation))
	padded = min(w.kernel, ceilDiv(max(w.size+w.after-start, 0), w.dilation))
	return lo, max(lo, hi), padded
}

// ceilDiv is a/b rounded up, for a >= 0.
func ceilDiv(a, b int) int { return (a + b - 1) / b }

// outDims is the shape of the result: N x channels x the windows' outputs.
func outDims(n, channels int, ws []axisWindow) []int {
	dims := []int{n, channels}
	for _, w := range ws {
		dims = append(dims, w.out)
	}
	return dims
}
