package imageio

import (
	"fmt"
	"math"
	"strconv"
	"testing"

	"github.com/suyashkumar/dicom/pkg/uid"
	"pgregory.net/rapid"

	"occlude/internal/dicomfile/dicomtest"
)

// seen is what PS3.3 C.11.2.1.2.1 and C.11.2.1.3 make of a measurement, written
// as they write it, with 0 and 255 for the least and the greatest output.
func seen(function string, x, c, w float64) float64 {
	switch function {
	case "LINEAR_EXACT":
		if x <= c-w/2 {
			return 0
		} else if x > c+w/2 {
			return 255
		}
		return ((x-c)/w + 0.5) * (255 - 0)
	case "SIGMOID":
		return 255 / (1 + math.Exp(-4*((x-c)/w)))
	}
	if x <= c-0.5-(w-1)/2 {
		return 0
	} else if x > c-0.5+(w-1)/2 {
		return 255
	}
	return ((x-(c-0.5))/(w-1) + 0.5) * (255 - 0)
}

// stored is the number in the bits from high downwards.
func stored(sample uint16, high, bits int, signed bool) float64 {
	v := 0
	for b := range bits {
		if sample>>(high-b)&1 == 1 {
			v += 1 << (bits - 1 - b)
		}
	}
	if signed && v >= 1<<(bits-1) {
		v -= 1 << bits
	}
	return float64(v)
}

// TestWindows writes random files and computes each pixel by the standard's own
// formulas.
func TestWindows(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		pick := func(name string, words ...string) string { return rapid.SampledFrom(words).Draw(r, name) }
		decimal := func(name string, low, high float64) (string, float64) {
			text := strconv.FormatFloat(rapid.Float64Range(low, high).Draw(r, name), 'f', 3, 64)
			v, _ := strconv.ParseFloat(text, 64)
			return text, v
		}
		m := dicomtest.Image{
			Syntax:      pick("syntax", uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian, uid.ExplicitVRBigEndian),
			Columns:     rapid.IntRange(1, 9).Draw(r, "columns"),
			Rows:        2 * rapid.IntRange(1, 4).Draw(r, "rows"),
			Photometric: pick("photometric", "MONOCHROME1", "MONOCHROME2"),
			Function:    pick("function", "", "LINEAR", "LINEAR_EXACT", "SIGMOID"),
			Bits:        8 * rapid.IntRange(1, 2).Draw(r, "bytes"),
			Signed:      rapid.Bool().Draw(r, "signed"),
		}
		if m.Bits == 8 {
			m.Syntax = uid.ExplicitVRLittleEndian
		}
		m.Stored = rapid.IntRange(1, m.Bits).Draw(r, "stored")
		m.High = rapid.IntRange(m.Stored-1, m.Bits-1).Draw(r, "high")
		var center, width, slope, intercept float64
		reach := math.Exp2(float64(m.Stored))
		m.Slope, slope = decimal("slope", 0.01, 4)
		m.Intercept, intercept = decimal("intercept", -1100, 1100)
		m.Center, center = decimal("center", -reach, reach)
		m.Width, width = decimal("width", 1, 2*reach)
		for range rapid.IntRange(1, 3).Draw(r, "frames") {
			m.Frames = append(m.Frames, rapid.SliceOfN(rapid.Uint16Range(0, uint16(1<<m.Bits-1)), m.Columns*m.Rows, -1).Draw(r, "samples")[:m.Columns*m.Rows])
		}
		file := m.File(t)
		chosen := rapid.IntRange(1, len(m.Frames)).Draw(r, "frame")
		window := Window{Mode: rapid.SampledFrom([]WindowMode{WindowAuto, WindowFile, WindowGiven}).Draw(r, "window")}
		if window.Mode == WindowGiven { // by LINEAR, whatever the file's function
			window.Center, window.Width = center+3, width+2
			center, width, m.Function = window.Center, window.Width, "LINEAR"
		}
		got, err := whole(t, file, view{background: white, window: window, frame: chosen})
		if err != nil {
			r.Fatal(err)
		}
		if got.w != m.Columns || got.h != m.Rows || got.c != 1 {
			r.Fatalf("%d x %d x %d", got.w, got.h, got.c)
		}
		for i, sample := range m.Frames[chosen-1] {
			x := stored(sample, m.High, m.Stored, m.Signed)*slope + intercept
			want := seen(m.Function, x, center, width)
			if m.Photometric == "MONOCHROME1" {
				want = 255 - want
			}
			// At the ends of a narrow window rounding decides between the ramp and
			// what is beside it, which is a step for a width of 1.
			near := 255 * 1e-12 * (math.Abs(x) + math.Abs(center) + width) / max(width-1, 1e-9)
			if d := math.Abs(float64(got.pix[i]) - want); !(d <= 1e-4+near) {
				r.Fatalf("sample %#x, measurement %g: %g, want %g", sample, x, got.pix[i], want)
			}
		}
	})
}

func TestWindowOfNoUse(t *testing.T) {
	m := dicomtest.Image{Columns: 2, Rows: 1, Bits: 16, Stored: 12, High: 11, Frames: [][]uint16{{100, 200}}}
	through := func(m dicomtest.Image, w Window) error {
		_, err := whole(t, m.File(t), view{window: w, frame: 1})
		return err
	}
	if err := through(m, Window{Mode: WindowFile}); err == nil {
		t.Error("a window of a file without one")
	}
	m.Center, m.Width = "40", "0"
	for _, mode := range []WindowMode{WindowAuto, WindowFile} {
		if err := through(m, Window{Mode: mode}); err == nil {
			t.Errorf("%v: a window of width 0", mode)
		}
	}
	for _, w := range []Window{{Mode: WindowRange}, {Mode: WindowFull}, {Mode: WindowGiven, Center: 150, Width: 100}} {
		if err := through(m, w); err != nil { // the file's own is not looked at
			t.Errorf("%v: %v", w, err)
		}
	}
	for _, w := range []Window{{Mode: WindowGiven}, {Mode: WindowGiven, Width: 0.5}, {Mode: WindowGiven, Width: math.Inf(1)},
		{Mode: WindowGiven, Center: math.NaN(), Width: 5}, {Mode: -1}, {Mode: 9}} {
		if err := w.Validate(); err == nil {
			t.Errorf("%v is valid", w)
		}
	}
}

// TestRange: the least and the greatest measurement become black and white, but
// for those that stand for nothing.
func TestRange(t *testing.T) {
	for _, c := range []struct {
		m    dicomtest.Image
		mode WindowMode
		want []float32
	}{
		{dicomtest.Image{Bits: 16, Stored: 12}, WindowAuto, []float32{0, 127.5, 255, 0}},
		{dicomtest.Image{Bits: 16, Stored: 12, Slope: "-1"}, WindowAuto, []float32{255, 127.5, 0, 255}},
		{dicomtest.Image{Bits: 8, Stored: 8}, WindowAuto, []float32{10, 20, 30, 10}},
		{dicomtest.Image{Bits: 8, Stored: 8}, WindowRange, []float32{0, 127.5, 255, 0}},
		{dicomtest.Image{Bits: 16, Stored: 10}, WindowFull, []float32{10. / 1023 * 255, 20. / 1023 * 255, 30. / 1023 * 255, 10. / 1023 * 255}},
		{dicomtest.Image{Bits: 16, Stored: 10, Photometric: "MONOCHROME1"}, WindowRange, []float32{255, 127.5, 0, 255}},
	} {
		c.m.Columns, c.m.Rows, c.m.High = 4, 1, c.m.Stored-1
		c.m.Frames = [][]uint16{{10, 20, 30, 10}}
		got, err := whole(t, c.m.File(t), view{window: Window{Mode: c.mode}, frame: 1})
		if err != nil || fmt.Sprint(got.pix) != fmt.Sprint(c.want) {
			t.Errorf("%+v: %v, %v, want %v", c.m, got.pix, err, c.want)
		}
	}
}
