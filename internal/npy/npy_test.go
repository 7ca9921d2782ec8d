package npy

import (
	"bytes"
	"io"
	"math"
	"os"
	"strings"
	"testing"

	"gorgonia.org/tensor"
	"pgregory.net/rapid"
)

// values returns the elements of a float32 tensor of any rank.
func values(t *tensor.Dense) []float32 {
	if v, ok := t.Data().(float32); ok {
		return []float32{v}
	}
	return t.Data().([]float32)
}

func sameBits(a, b []float32) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		bothNaN := a[i] != a[i] && b[i] != b[i]
		if !bothNaN && math.Float32bits(a[i]) != math.Float32bits(b[i]) {
			return false
		}
	}
	return true
}

// typed builds a tensor of the header's element type from float32 values that
// it can hold exactly.
func typed(h Header, v []float32) *tensor.Dense {
	switch h.DType {
	case "b1":
		return build(h, v, func(x float32) bool { return x != 0 })
	case "u1":
		return build(h, v, func(x float32) uint8 { return uint8(x) })
	case "i1":
		return build(h, v, func(x float32) int8 { return int8(x) })
	case "u2":
		return build(h, v, func(x float32) uint16 { return uint16(x) })
	case "i2":
		return build(h, v, func(x float32) int16 { return int16(x) })
	case "i4":
		return build(h, v, func(x float32) int32 { return int32(x) })
	case "i8":
		return build(h, v, func(x float32) int { return int(x) })
	case "f4":
		return build(h, v, func(x float32) float32 { return x })
	}
	return nil // float32 has rounded the values
}

func build[T any](h Header, v []float32, convert func(float32) T) *tensor.Dense {
	out := make([]T, len(v))
	for i, x := range v {
		out[i] = convert(x)
	}
	if len(h.Shape) == 0 {
		return tensor.New(tensor.FromScalar(out[0]))
	}
	return tensor.New(tensor.WithShape(h.Shape...), tensor.WithBacking(out))
}

func TestNumPyArrays(t *testing.T) {
	file, err := os.ReadFile("testdata/arrays.npys")
	if err != nil {
		t.Fatal(err)
	}
	r := bytes.NewReader(file)
	pairs, written := 0, 0
	for ; r.Len() > 0; pairs++ {
		start := len(file) - r.Len()
		got, h, err := Read(r)
		if err != nil {
			t.Fatalf("pair %d: %v", pairs, err)
		}
		raw := file[start : len(file)-r.Len()]
		want, wantHeader, err := Read(r)
		if err != nil || wantHeader.DType != "f4" || wantHeader.BigEndian {
			t.Fatalf("pair %d: expected values: %v %v", pairs, wantHeader, err)
		}
		if !got.Shape().Eq(want.Shape()) || !sameBits(values(got), values(want)) {
			t.Errorf("pair %d %+v:\ngot  %v %v\nwant %v %v", pairs, h, got.Shape(), values(got), want.Shape(), values(want))
		}
		if raw[6] != 1 || h.BigEndian || h.Fortran {
			continue
		}
		if d := typed(h, values(want)); d != nil {
			written++
			var out bytes.Buffer
			if err := Write(&out, d); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(out.Bytes(), raw) {
				t.Errorf("pair %d %+v: wrote\n%q\nNumPy wrote\n%q", pairs, h, out.Bytes(), raw)
			}
		}
	}
	if pairs != 23*7 || written < 50 {
		t.Errorf("%d pairs, %d of them written", pairs, written)
	}
}

// TestBytes checks a file written out by hand, so that the other tests do not
// rest on Read alone.
func TestBytes(t *testing.T) {
	r := strings.NewReader(file("{'shape': (2L, 2L), \"fortran_order\": True,\n 'descr': '>i2'} ",
		"\x00\x01\xff\xff\x01\x00\x80\x00what follows"))
	got, h, err := Read(r)
	if err != nil {
		t.Fatal(err)
	}
	if h.DType != "i2" || !h.BigEndian || !h.Fortran {
		t.Errorf("header %+v", h)
	}
	if want := []float32{1, 256, -1, -32768}; !sameBits(values(got), want) {
		t.Errorf("got %v, want %v", values(got), want)
	}
	if rest, _ := io.ReadAll(r); string(rest) != "what follows" {
		t.Errorf("left %q unread", rest)
	}
}

func TestHalf(t *testing.T) {
	for bits, want := range map[uint16]float32{
		0: 0, 1: 1.0 / (1 << 24), 0x03ff: 1023.0 / (1 << 24), 0x0400: 1.0 / (1 << 14),
		0x3c00: 1, 0xc000: -2, 0x3555: 0.333251953125, 0x7bff: 65504,
		0x7c00: float32(math.Inf(1)), 0xfc00: float32(math.Inf(-1)),
	} {
		if got := half(bits); got != want {
			t.Errorf("half(%#x) = %v, want %v", bits, got, want)
		}
	}
	if got := half(0x7e00); got == got {
		t.Errorf("half(NaN) = %v", got)
	}
}

// TestViews writes tensors whose memory is not in the order of their elements.
func TestViews(t *testing.T) {
	whole := tensor.New(tensor.WithShape(3, 4), tensor.WithBacking(tensor.Range(tensor.Float32, 0, 12)))
	slice, err := whole.Slice(tensor.S(1, 3), tensor.S(1, 3))
	if err != nil {
		t.Fatal(err)
	}
	turned := whole.Clone().(*tensor.Dense)
	if err := turned.T(); err != nil {
		t.Fatal(err)
	}
	columns := tensor.New(tensor.WithShape(2, 3), tensor.AsFortran([]float32{1, 2, 3, 4, 5, 6}))
	for _, c := range []struct {
		name  string
		in    *tensor.Dense
		shape tensor.Shape
		want  []float32
	}{
		{"slice", slice.(*tensor.Dense), tensor.Shape{2, 2}, []float32{5, 6, 9, 10}},
		{"transposed", turned, tensor.Shape{4, 3}, []float32{0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11}},
		{"column-major", columns, tensor.Shape{2, 3}, []float32{1, 2, 3, 4, 5, 6}},
	} {
		var out bytes.Buffer
		if err := Write(&out, c.in); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		got, _, err := Read(&out)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if !got.Shape().Eq(c.shape) || !sameBits(values(got), c.want) {
			t.Errorf("%s: got %v %v, want %v %v", c.name, got.Shape(), values(got), c.shape, c.want)
		}
	}
	if err := Write(io.Discard, tensor.New(tensor.FromScalar("text"))); err == nil {
		t.Error("a tensor of strings was written")
	}
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		shape := rapid.SliceOfN(rapid.IntRange(1, 5), 0, 4).Draw(t, "shape")
		h := Header{Shape: shape}
		want := rapid.SliceOfN(rapid.Float32(), h.Len(), h.Len()).Draw(t, "values")
		var file bytes.Buffer
		if err := Write(&file, build(h, want, func(x float32) float32 { return x })); err != nil {
			t.Fatal(err)
		}
		if start := bytes.IndexByte(file.Bytes(), '\n') + 1; start%align != 0 {
			t.Fatalf("elements start at byte %d", start)
		}
		got, _, err := Read(&file)
		if err != nil {
			t.Fatal(err)
		}
		if !got.Shape().Eq(tensor.Shape(shape)) || !sameBits(values(got), want) {
			t.Fatalf("wrote %v %v, read %v %v", shape, want, got.Shape(), values(got))
		}
	})
}

// file puts a version 1.0 prefix before a header's text.
func file(text, data string) string {
	return magic + "\x01\x00" + string([]byte{byte(len(text)), byte(len(text) >> 8)}) + text + data
}

func TestHostile(t *testing.T) {
	const ok = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }"
	replaced := func(old, new string) string { return file(strings.Replace(ok, old, new, 1), "12345678") }
	for _, c := range []struct{ name, file, want string }{
		{"empty", "", "no header"},
		{"other file", "\x89PNG\r\n\x1a\n", "not a NumPy file"},
		{"version", magic + "\x04\x00\x10\x00", "version 4"},
		{"no length", magic + "\x01\x00\x10", "header cut short"},
		{"long header", magic + "\x02\x00\xff\xff\xff\xff{", "more than 65535"},
		{"short header", magic + "\x01\x00\xff\xff{", "header cut short"},
		{"length lies", magic + "\x01\x00\x15\x00" + ok, "without end"},
		{"no dictionary", file("[]", ""), `"{" expected`},
		{"garbage behind", file(ok+"x", ""), "at the end"},
		{"twice", replaced("'fortran_order'", "'descr'"), "stands twice"},
		{"same key", file("{'shape': (1,), 'shape': (1,)}", ""), "stands twice"},
		{"unknown key", replaced("shape", "shapes"), "not known"},
		{"missing", file("{'descr': '<f4', 'shape': (1,)}", ""), `"fortran_order" is missing`},
		{"boolean", replaced("False", "Maybe"), "expected"},
		{"records", replaced("'<f4'", "[('a', '<f4')]"), "records"},
		{"complex", replaced("<f4", "<c8"), "element type"},
		{"object", replaced("<f4", "|O"), "element type"},
		{"no type", replaced("<f4", ""), "element type"},
		{"negative", replaced("(2,)", "(-2, -1)"), "dimension expected"},
		{"float", replaced("(2,)", "(2.0,)"), "expected"},
		{"endless number", replaced("(2,)", "("+strings.Repeat("9", 200)+",)"), "impossible"},
		{"overflow", replaced("(2,)", "(4294967296, 4294967296, 4)"), "impossible"},
		{"bytes overflow", replaced("(2,)", "(4611686018427387904,)"), "impossible"},
		{"nothing", replaced("(2,)", "(0, 99999999999999)"), "no elements"},
		{"rank", replaced("(2,)", "("+strings.Repeat("1,", 65)+")"), "65 dimensions"},
		{"truncated", file(ok, "1234567"), "needs 8 bytes, there are only 7"},
		{"huge", replaced("(2,)", "(1000000, 1000000)"), "needs 4000000000000 bytes, there are only 8"},
	} {
		_, _, err := Read(strings.NewReader(c.file))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.want)
		}
	}
	if _, _, err := ReadFile("testdata/missing.npy"); !os.IsNotExist(err) {
		t.Errorf("a missing file: %v", err)
	}
	if _, _, err := ReadFile("npy_test.go"); err == nil || !strings.Contains(err.Error(), "npy_test.go") {
		t.Errorf("the error does not name the file: %v", err)
	}
}

func FuzzRead(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		got, h, err := Read(bytes.NewReader(data))
		if err != nil {
			return
		}
		if len(values(got)) != h.Len() || !got.Shape().Eq(tensor.Shape(h.Shape)) {
			t.Fatalf("%+v: %d values of shape %v", h, len(values(got)), got.Shape())
		}
		var out bytes.Buffer
		if err := Write(&out, got); err != nil {
			t.Fatal(err)
		}
		again, _, err := Read(&out)
		if err != nil || !sameBits(values(again), values(got)) {
			t.Fatalf("%+v: wrote %v, read %v, %v", h, values(got), values(again), err)
		}
	})
}
