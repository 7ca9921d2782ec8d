package reference

import (
	"fmt"

	"occlude/internal/onnx"
)

// pad surrounds a tensor; negative pads crop. Amounts are an attribute before
// version 11 ("paddings" in version 1) and an input since, with a list of axes
// from version 18.
func pad(c *call) (*onnx.Tensor, error) {
	x := c.in[0]
	attr := "pads"
	if c.opset < 2 {
		attr = "paddings"
	}
	pads, err := c.intsFrom(attr, 11, 1)
	if err != nil {
		return nil, err
	}
	axes := steps(x.Rank(), 1)
	if c.input(3) != nil {
		if axes, err = c.in[3].Ints(); err != nil {
			return nil, err
		}
	}
	if len(pads) != 2*len(axes) {
		return nil, fmt.Errorf("%d pads for %d axes", len(pads), len(axes))
	}
	if _, err := axisSet(axes, x.Rank()); err != nil {
		return nil, err
	}
	fill, err := c.padValue(x)
	if err != nil {
		return nil, err
	}
	mode := c.Str("mode", "constant")
	offsets := whole(x)
	for i, a := range axes {
		a, _ = axisOf(a, x.Rank())
		indices, err := c.padIndices(x.Dims[a], pads[i], pads[i+len(axes)], mode)
		if err != nil {
			return nil, fmt.Errorf("axis %d: %w", a, err)
		}
		offsets[a] = along(x, a, indices)
	}
	return c.picked(x, offsets, fill)
}

func (c *call) padValue(x *onnx.Tensor) (elements, error) {
	if c.opset < 11 {
		v, err := convert(onnx.Scalar(c.Float("value", 0)), x.DType)
		if err != nil {
			return nil, nil // a type without numbers: its zero value
		}
		return elementsOf(v), nil
	}
	v := c.input(2)
	if v == nil || v.Len() == 0 {
		return nil, nil
	}
	if v.DType != x.DType || v.Len() != 1 {
		return nil, fmt.Errorf("constant value of type %s and shape %s", v.DType, onnx.FormatDims(v.Dims))
	}
	return elementsOf(v), nil
}

// padIndices maps each index of a padded axis to the index of the axis whose
// value it takes, -1 for the constant. Cropping comes first: edge, reflect and
// wrap see what is left.
func (c *call) padIndices(size, before, after int, mode string) ([]int, error) {
	if max(before, -before) > MaxOutput || max(after, -after) > MaxOutput {
		return nil, fmt.Errorf("pads of %d and %d", before, after)
	}
	lo, hi := max(0, -before), size-max(0, -after)
	n := hi - lo
	if n < 0 {
		return nil, fmt.Errorf("pads of %d and %d leave nothing of %d", before, after, size)
	}
	if n == 0 && max(before, after) > 0 && mode != "constant" {
		return nil, fmt.Errorf("an empty axis cannot be padded with mode %q", mode)
	}
	if _, err := c.sized([]int{before + size + after}); err != nil {
		return nil, fmt.Errorf("pads of %d and %d: %w", before, after, err)
	}
	out := make([]int, before+size+after)
	for i := range out {
		j := i - max(before, 0) // place relative to the part that is kept
		switch {
		case j >= 0 && j < n:
		case mode == "constant":
			out[i] = -1
			continue
		case mode == "edge":
			j = min(max(j, 0), n-1)
		case mode == "wrap":
			j = modulo(j, n)
		case mode == "reflect":
			// there and back again without repeating the ends
			if j = modulo(j, max(2*(n-1), 1)); j >= n {
				j = 2*(n-1) - j
			}
		default:
			return nil, fmt.Errorf("mode %q", mode)
		}
		out[i] = lo + j
	}
	return out, nil
}

// modulo is the remainder with the sign of n.
func modulo(i, n int) int {
	if i %= n; i < 0 {
		i += n
	}
	return i
}
