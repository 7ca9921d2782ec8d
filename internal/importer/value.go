package importer

import (
	"fmt"

	"occlude/internal/network"
	"occlude/internal/onnx"
)

// order says how a layer's stored HWC values map onto an ONNX shape.
type order int

const (
	flat order = iota // a vector in row-major order of dims
	chw               // dims are 1, channel factors, H, W
	hwc               // dims are 1, H, W, channel factors
)

// value is what a name of the ONNX graph stands for: a constant, or the output
// of a layer seen under an ONNX shape.
type value struct {
	constant *onnx.Tensor
	sole     bool // the constant is in the file as it is, and one node reads it, once
	layer    *network.Layer
	dims     []int
	order    order
}

func (v value) isConst() bool  { return v.constant != nil }
func (v value) isAbsent() bool { return v.constant == nil && v.layer == nil }

func constValue(t *onnx.Tensor) value { return value{constant: t, dims: t.Dims} }

// mapValue is a layer's map under the usual ONNX shape 1xCxHxW.
func mapValue(l *network.Layer) value {
	s := l.Shape
	return value{layer: l, dims: []int{1, s.C, s.H, s.W}, order: chw}
}

// as is the layer with the shape and order of v, for layers that work cell by
// cell and keep the map's shape.
func (v value) as(l *network.Layer) value {
	return value{layer: l, dims: v.dims, order: v.order}
}

// channelAxes is the range of axes that hold the channels.
func (v value) channelAxes() (from, to int) {
	switch v.order {
	case chw:
		return 1, len(v.dims) - 2
	case hwc:
		return 3, len(v.dims)
	}
	return 0, 0
}

// spatialAxes are the axes of the rows and of the columns.
func (v value) spatialAxes() (y, x int) {
	if v.order == chw {
		return len(v.dims) - 2, len(v.dims) - 1
	}
	return 1, 2
}

// singleAxis is the only axis whose size is not one; the last axis where all
// are. ok is false when there are several.
func singleAxis(dims []int) (axis int, ok bool) {
	axis = -1
	for i, d := range dims {
		if d != 1 {
			if axis >= 0 {
				return 0, false
			}
			axis = i
		}
	}
	if axis < 0 {
		axis = len(dims) - 1
	}
	return axis, true
}

func product(dims []int) int {
	p := 1
	for _, d := range dims {
		p *= d
	}
	return p
}

func equalDims(a, b []int) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// vector brings a value into row-major order, as a vector.
func (b *builder) vector(v value) (value, error) {
	if v.order == flat {
		return v, nil
	}
	out := value{dims: v.dims, order: flat}
	var err error
	switch s := v.layer.Shape; {
	case s.IsVector():
		out.layer = v.layer
	case v.order == hwc || s.C == 1: // stored order is row-major already
		out.layer, err = b.add("reshape", network.Reshaped{To: network.Vector(s.Len())}, v.layer)
	default:
		out.layer, err = b.add("flatten", network.Flatten{}, v.layer)
	}
	return out, err
}

// imageMap brings a value of rank 4 into the order chw.
func (b *builder) imageMap(v value) (value, error) {
	if v.order == chw && len(v.dims) == 4 {
		return v, nil
	}
	if len(v.dims) != 4 || v.dims[0] != 1 {
		return value{}, fmt.Errorf("needs a batch of images (1xCxHxW), has %s", onnx.FormatDims(v.dims))
	}
	f, err := b.vector(v)
	if err != nil {
		return value{}, err
	}
	to := network.Shape{H: v.dims[2], W: v.dims[3], C: v.dims[1]}
	out := value{layer: f.layer, dims: v.dims, order: chw}
	if !to.IsVector() {
		out.layer, err = b.add("unflatten", network.Unflatten{To: to}, f.layer)
	}
	return out, err
}

// constMap makes a layer of a constant of the given shape, seen in an order.
func (b *builder) constMap(t *onnx.Tensor, dims []int, o order) (*network.Layer, error) {
	data, err := t.Float32s()
	if err != nil {
		return nil, err
	}
	v := value{dims: dims, order: o}
	shape := network.Vector(len(data))
	if o != flat {
		y, x := v.spatialAxes()
		shape = network.Shape{H: dims[y], W: dims[x], C: len(data) / (dims[y] * dims[x])}
	}
	w := weights{data: data}
	if o == chw {
		if w, err = w.transposed(b.ctx, 1, shape.C, shape.Cells()); err != nil {
			return nil, err
		}
	}
	return b.add("constant", network.Const{Value: dense(w.data, shape.H, shape.W, shape.C)})
}
