package onnx

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/gomlx/compute-onnx/support/protos"
)

// tensor decodes one tensor of a stripped message. The elements come from raw
// bytes, from the typed field that belongs to the type, or from an external
// file; their number is compared with the shape before anything is allocated.
func (d *decoder) tensor(p *protos.TensorProto) (*Tensor, error) {
	if p.DataType == 0 {
		return nil, errors.New("the tensor has no element type")
	}
	dtype, err := DTypeOf(int(p.DataType))
	if err != nil {
		return nil, err
	}
	if p.Segment != nil {
		return nil, errors.New("the tensor is only a segment of one")
	}
	dims := make([]int, len(p.Dims))
	for i, v := range p.Dims {
		if v < 0 || v > MaxElements {
			return nil, fmt.Errorf("dimension %d of the tensor has size %d", i, v)
		}
		dims[i] = int(v)
	}
	n, err := Count(dims)
	if err != nil {
		return nil, err
	}
	t := &Tensor{Name: p.Name, DType: dtype, Dims: dims}
	switch {
	case p.DataLocation == protos.TensorProto_EXTERNAL:
		raw, err := d.files.find(p, n, dtype)
		if err != nil {
			return nil, err
		}
		if t.Data, err = fromRaw(dtype, raw, n); err != nil {
			return nil, err
		}
	case len(p.RawData) > 0:
		if typedLen(p) > 0 {
			return nil, errors.New("the tensor has its elements twice, raw and typed")
		}
		at := placeOf(p.RawData)
		if t.Data, err = fromRaw(dtype, io.NewSectionReader(d.file, at.offset, at.length), n); err != nil {
			return nil, err
		}
	default:
		if t.Data, err = fromTyped(dtype, p, n); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// elementBytes is the size of an element in raw data, 0 for strings, which have
// no raw form.
func elementBytes(d DType) int {
	switch d {
	case Int8, Uint8, Bool:
		return 1
	case Float16, BFloat16, Int16, Uint16:
		return 2
	case Float32, Int32, Uint32:
		return 4
	case Float64, Int64, Uint64:
		return 8
	}
	return 0
}

// fromRaw reads n little-endian elements.
func fromRaw(d DType, raw *io.SectionReader, n int) (any, error) {
	size := elementBytes(d)
	if size == 0 {
		return nil, fmt.Errorf("a tensor of %s cannot have raw data", d)
	}
	if raw.Size() != int64(n)*int64(size) {
		return nil, fmt.Errorf("the tensor has %d bytes where %d elements of %s need %d", raw.Size(), n, d, int64(n)*int64(size))
	}
	switch d {
	case Float32:
		return unpackFloats(raw, n)
	case Float64:
		return unpack[float64](raw, n)
	case Float16:
		return unpackHalves(raw, n, HalfToFloat32)
	case BFloat16:
		return unpackHalves(raw, n, BFloat16ToFloat32)
	case Int8:
		return unpack[int8](raw, n)
	case Int16:
		return unpack[int16](raw, n)
	case Int32:
		return unpack[int32](raw, n)
	case Int64:
		return unpack[int64](raw, n)
	case Uint8:
		return unpack[uint8](raw, n)
	case Uint16:
		return unpack[uint16](raw, n)
	case Uint32:
		return unpack[uint32](raw, n)
	case Uint64:
		return unpack[uint64](raw, n)
	}
	return unpack[bool](raw, n)
}

// unpack reads n elements whose raw form has the size of T.
func unpack[T any](raw io.Reader, n int) ([]T, error) {
	return fill(raw, make([]T, n), binary.Size(*new(T)), func(b []byte, to []T) {
		binary.Decode(b, binary.LittleEndian, to) // as long as it should be
	})
}

// unpackFloats is unpack for the type of nearly all weights, in half the time.
func unpackFloats(raw io.Reader, n int) ([]float32, error) {
	return fill(raw, make([]float32, n), 4, func(b []byte, to []float32) {
		for i := range to {
			to[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
		}
	})
}

// unpackHalves widens 16-bit floats.
func unpackHalves(raw io.Reader, n int, widen func(uint16) float32) ([]float32, error) {
	return fill(raw, make([]float32, n), 2, func(b []byte, to []float32) {
		for i := range to {
			to[i] = widen(binary.LittleEndian.Uint16(b[2*i:]))
		}
	})
}

// fill reads elements of size bytes each and decodes them. They go through a
// small buffer, so that large weights are in memory once.
func fill[T any](raw io.Reader, out []T, size int, decode func(b []byte, to []T)) ([]T, error) {
	buf := make([]byte, min(len(out)*size, 16<<10))
	for rest := out; len(rest) > 0; {
		b := buf[:min(len(rest)*size, len(buf))]
		if _, err := io.ReadFull(raw, b); err != nil {
			return nil, fmt.Errorf("reading %d elements: %w", len(out), err)
		}
		n := len(b) / size
		decode(b, rest[:n])
		rest = rest[n:]
	}
	return out, nil
}

// typedLen is the number of elements in all typed fields together.
func typedLen(p *protos.TensorProto) int {
	return len(p.FloatData) + len(p.Int32Data) + len(p.StringData) + len(p.Int64Data) + len(p.DoubleData) + len(p.Uint64Data)
}

// fromTyped takes n elements from the typed field of d. Small integers, bool
// and the bits of the half types share int32_data; uint32 travels as uint64.
func fromTyped(d DType, p *protos.TensorProto, n int) (any, error) {
	var have int
	switch d {
	case Float32:
		have = len(p.FloatData)
	case Float64:
		have = len(p.DoubleData)
	case Int64:
		have = len(p.Int64Data)
	case Uint32, Uint64:
		have = len(p.Uint64Data)
	case String:
		have = len(p.StringData)
	default:
		have = len(p.Int32Data)
	}
	if have != n || typedLen(p) != have {
		return nil, fmt.Errorf("the tensor has %d elements where its shape needs %d of %s", typedLen(p), n, d)
	}
	switch d {
	case Float32:
		return present(p.FloatData), nil
	case Float64:
		return present(p.DoubleData), nil
	case Int64:
		return present(p.Int64Data), nil
	case Uint64:
		return present(p.Uint64Data), nil
	case Int32:
		return present(p.Int32Data), nil
	case Uint32:
		return narrow[uint32](p.Uint64Data, d)
	case Int8:
		return narrow[int8](p.Int32Data, d)
	case Int16:
		return narrow[int16](p.Int32Data, d)
	case Uint8:
		return narrow[uint8](p.Int32Data, d)
	case Uint16:
		return narrow[uint16](p.Int32Data, d)
	case Float16:
		return halves(p.Int32Data, d, HalfToFloat32)
	case BFloat16:
		return halves(p.Int32Data, d, BFloat16ToFloat32)
	case Bool:
		out := make([]bool, n)
		for i, v := range p.Int32Data {
			out[i] = v != 0
		}
		return out, nil
	}
	out := make([]string, n)
	for i, s := range p.StringData {
		out[i] = string(s)
	}
	return out, nil
}

// present makes an empty tensor's elements an empty slice, not a nil one.
func present[T any](v []T) []T {
	if v == nil {
		return []T{}
	}
	return v
}

func narrow[To int8 | int16 | uint8 | uint16 | uint32, From int32 | uint64](v []From, d DType) ([]To, error) {
	out := make([]To, len(v))
	for i, x := range v {
		out[i] = To(x)
		if From(out[i]) != x {
			return nil, fmt.Errorf("element %d of the tensor is %d, outside of %s", i, x, d)
		}
	}
	return out, nil
}

// halves widens 16-bit floats given as the integers of their bits.
func halves(v []int32, d DType, widen func(uint16) float32) ([]float32, error) {
	bits, err := narrow[uint16](v, d)
	if err != nil {
		return nil, err
	}
	out := make([]float32, len(bits))
	for i, b := range bits {
		out[i] = widen(b)
	}
	return out, nil
}
