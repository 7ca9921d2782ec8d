package main

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/gomlx/compute-onnx/support/protos"
	"google.golang.org/protobuf/proto"

	"occlude/internal/onnx"
)

// spread replaces a node's constant input by one that has each block of elements
// along an axis factor times over.
func (w *widener) spread(n *protos.NodeProto, input, axis, block int) error {
	return w.repeat(n, input, axis, block, 1)
}

// share does the same to the weights, and divides them by the factor.
func (w *widener) share(n *protos.NodeProto, axis, block int) error {
	return w.repeat(n, 1, axis, block, 1/float32(w.factor))
}

func (w *widener) repeat(n *protos.NodeProto, input, axis, block int, scale float32) error {
	t, err := w.constant(n.Input[input])
	if err != nil {
		return err
	}
	values, ok := t.Data.([]float32)
	if !ok || t.DType != onnx.Float32 {
		return fmt.Errorf("its weights %q are not float32", n.Input[input])
	}
	inner := block
	for _, d := range t.Dims[axis+1:] {
		inner *= d
	}
	if inner == 0 || len(values)%inner != 0 {
		return fmt.Errorf("its weights %q do not have channels of %d elements", n.Input[input], block)
	}
	out := make([]float32, 0, len(values)*w.factor)
	for at := 0; at < len(values); at += inner {
		for range w.factor {
			for _, v := range values[at : at+inner] {
				out = append(out, v*scale)
			}
		}
	}
	dims := make([]int64, len(t.Dims))
	for i, d := range t.Dims {
		dims[i] = int64(d)
	}
	dims[axis] *= int64(w.factor)
	w.replace(n, input, floats(dims, out))
	return nil
}

// replace gives a node a constant of its own, which others that read the old one
// do not see.
func (w *widener) replace(n *protos.NodeProto, input int, t *protos.TensorProto) {
	t.Name = fmt.Sprintf("%s/wide%d", n.Output[0], input)
	n.Input[input] = t.Name
	for i, old := range w.graph.Initializer {
		if old.Name == t.Name {
			w.graph.Initializer[i] = t
			w.constants[t.Name] = t
			return
		}
	}
	w.graph.Initializer = append(w.graph.Initializer, t)
	w.constants[t.Name] = t
}

func decode(p *protos.TensorProto) (*onnx.Tensor, error) {
	data, err := proto.Marshal(p)
	if err != nil {
		return nil, err
	}
	return onnx.DecodeTensor(data)
}

func floats(dims []int64, values []float32) *protos.TensorProto {
	raw := make([]byte, 0, 4*len(values))
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	return &protos.TensorProto{Dims: dims, DataType: int32(protos.TensorProto_FLOAT), RawData: raw}
}

func integers(values []int64) *protos.TensorProto {
	return &protos.TensorProto{Dims: []int64{int64(len(values))}, DataType: int32(protos.TensorProto_INT64), Int64Data: values}
}
