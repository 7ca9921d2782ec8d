package npy

import (
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
	"strings"

	"gorgonia.org/tensor"
)

const (
	// align is the boundary at which NumPy lets the elements start.
	align = 64
	// growthDigits is the width that NumPy keeps free for the first dimension,
	// so that a file can be appended to in place.
	growthDigits = 21
)

// Write writes t as numpy.save would. The element type is t's own: float32,
// float64, bool or an integer type. Views and transposed tensors are written
// as the array they show.
func Write(w io.Writer, t *tensor.Dense) error {
	if t.IsMaterializable() {
		t = t.Materialize().(*tensor.Dense)
	}
	data := t.Data()
	switch ints := data.(type) { // int has no fixed size; NumPy knows it as int64
	case int:
		data = int64(ints)
	case []int:
		data = widen(ints)
	}
	descr, err := descrOf(data)
	if err != nil {
		return err
	}
	fortran := t.DataOrder().IsColMajor() && t.Dims() > 1
	if _, err := w.Write(formatHeader(descr, fortran, t.Shape())); err != nil {
		return fmt.Errorf("npy: %w", err)
	}
	if err := binary.Write(w, binary.LittleEndian, data); err != nil {
		return fmt.Errorf("npy: %w", err)
	}
	return nil
}

func widen(ints []int) []int64 {
	out := make([]int64, len(ints))
	for i, v := range ints {
		out[i] = int64(v)
	}
	return out
}

func descrOf(data any) (string, error) {
	switch data.(type) {
	case []float32, float32:
		return "<f4", nil
	case []float64, float64:
		return "<f8", nil
	case []bool, bool:
		return "|b1", nil
	case []uint8, uint8:
		return "|u1", nil
	case []int8, int8:
		return "|i1", nil
	case []uint16, uint16:
		return "<u2", nil
	case []int16, int16:
		return "<i2", nil
	case []uint32, uint32:
		return "<u4", nil
	case []int32, int32:
		return "<i4", nil
	case []uint64, uint64:
		return "<u8", nil
	case []int64, int64:
		return "<i8", nil
	}
	return "", fmt.Errorf("npy: %T cannot be written", data)
}

func formatHeader(descr string, fortran bool, shape []int) []byte {
	order := "False"
	if fortran {
		order = "True"
	}
	text := fmt.Sprintf("{'descr': '%s', 'fortran_order': %s, 'shape': %s, }", descr, order, tuple(shape))
	if len(shape) > 0 {
		growing := shape[0]
		if fortran {
			growing = shape[len(shape)-1]
		}
		text += strings.Repeat(" ", growthDigits-len(strconv.Itoa(growing)))
	}
	// What precedes the text is 10 bytes long, and a newline ends it.
	start := len(magic) + 4
	text += strings.Repeat(" ", align-(start+len(text)+1)%align) + "\n"

	header := append([]byte(magic), 1, 0)
	header = binary.LittleEndian.AppendUint16(header, uint16(len(text)))
	return append(header, text...)
}

// tuple writes a shape in Python's syntax, in which one element needs a comma.
func tuple(shape []int) string {
	parts := make([]string, len(shape))
	for i, d := range shape {
		parts[i] = strconv.Itoa(d)
	}
	if len(parts) == 1 {
		return "(" + parts[0] + ",)"
	}
	return "(" + strings.Join(parts, ", ") + ")"
}
