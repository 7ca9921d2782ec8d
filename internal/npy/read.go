package npy

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"

	"gorgonia.org/tensor"
)

// chunk is how many bytes are read, and so trusted, at a time. It is a multiple
// of every element size.
const chunk = 1 << 16

// ReadFile reads the array in the file at path.
func ReadFile(path string) (*tensor.Dense, Header, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, Header{}, err
	}
	defer f.Close()
	t, h, err := Read(bufio.NewReaderSize(f, chunk))
	if err != nil {
		return nil, Header{}, fmt.Errorf("%s: %w", path, err)
	}
	return t, h, nil
}

// Read reads one array as float32 in row-major order, of the shape and with
// the element type that the Header tells.
func Read(r io.Reader) (*tensor.Dense, Header, error) {
	h, err := ReadHeader(r)
	if err != nil {
		return nil, Header{}, err
	}
	t, err := ReadData(r, h)
	if err != nil {
		return nil, Header{}, err
	}
	return t, h, nil
}

// ReadData reads the elements that follow a header. Callers that limit what
// they accept look at the header first.
func ReadData(r io.Reader, h Header) (*tensor.Dense, error) {
	values, err := readValues(r, h)
	if err != nil {
		return nil, err
	}
	if len(h.Shape) == 0 {
		return tensor.New(tensor.FromScalar(values[0])), nil
	}
	if h.Fortran && len(h.Shape) > 1 {
		values = rowMajor(values, h.Shape)
	}
	return tensor.New(tensor.WithShape(h.Shape...), tensor.WithBacking(values)), nil
}

func readValues(r io.Reader, h Header) ([]float32, error) {
	size, decode := h.DType.Size(), decoder(h)
	count := h.Len()
	values := make([]float32, 0, min(count, chunk))
	buf := make([]byte, min(chunk, count*size))
	for len(values) < count {
		n := min(len(buf), (count-len(values))*size)
		if got, err := io.ReadFull(r, buf[:n]); err != nil {
			return nil, fmt.Errorf("npy: shape %v needs %d bytes, there are only %d: %w",
				h.Shape, count*size, len(values)*size+got, noEOF(err))
		}
		for i := 0; i < n; i += size {
			values = append(values, decode(buf[i:i+size]))
		}
	}
	return values, nil
}

// decoder returns the function that turns one element's bytes into a float32.
func decoder(h Header) func([]byte) float32 {
	var order binary.ByteOrder = binary.LittleEndian
	if h.BigEndian {
		order = binary.BigEndian
	}
	switch h.DType {
	case "b1":
		return func(b []byte) float32 {
			if b[0] != 0 {
				return 1
			}
			return 0
		}
	case "u1":
		return func(b []byte) float32 { return float32(b[0]) }
	case "i1":
		return func(b []byte) float32 { return float32(int8(b[0])) }
	case "u2":
		return func(b []byte) float32 { return float32(order.Uint16(b)) }
	case "i2":
		return func(b []byte) float32 { return float32(int16(order.Uint16(b))) }
	case "u4":
		return func(b []byte) float32 { return float32(order.Uint32(b)) }
	case "i4":
		return func(b []byte) float32 { return float32(int32(order.Uint32(b))) }
	case "u8":
		return func(b []byte) float32 { return float32(order.Uint64(b)) }
	case "i8":
		return func(b []byte) float32 { return float32(int64(order.Uint64(b))) }
	case "f2":
		return func(b []byte) float32 { return half(order.Uint16(b)) }
	case "f4":
		return func(b []byte) float32 { return math.Float32frombits(order.Uint32(b)) }
	default: // "f8"; ReadHeader lets nothing else through
		return func(b []byte) float32 { return float32(math.Float64frombits(order.Uint64(b))) }
	}
}

// half widens an IEEE 754 binary16 number; every one of them is a float32.
func half(bits uint16) float32 {
	exponent, fraction := int(bits>>10&0x1f), float64(bits&0x3ff)
	var v float64
	switch exponent {
	case 0:
		v = math.Ldexp(fraction, -24)
	case 0x1f:
		v = math.Inf(1)
		if fraction != 0 {
			v = math.NaN()
		}
	default:
		v = math.Ldexp(1024+fraction, exponent-25)
	}
	if bits&0x8000 != 0 {
		v = -v
	}
	return float32(v)
}

// rowMajor reorders column-major values: element (i0, i1, ...) moves from
// i0 + d0*(i1 + d1*(...)) to its place with the last index running fastest.
func rowMajor(values []float32, shape []int) []float32 {
	strides := make([]int, len(shape))
	step := 1
	for axis, d := range shape {
		strides[axis] = step
		step *= d
	}
	out := make([]float32, len(values))
	index := make([]int, len(shape))
	from := 0
	for i := range out {
		out[i] = values[from]
		for axis := len(shape) - 1; axis >= 0; axis-- {
			index[axis]++
			from += strides[axis]
			if index[axis] < shape[axis] {
				break
			}
			from -= index[axis] * strides[axis]
			index[axis] = 0
		}
	}
	return out
}
