package imageio

import (
	"bytes"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/tensor"
	"occlude/internal/npy"
	"pgregory.net/rapid"
)

// pattern makes the pictures that testdata/gen.py resized: curved stripes that
// alias when a resize skips pixels, with hard white blocks between.
func pattern(w, h, c int) raster {
	m := newRaster(w, h, c, 8)
	for y := range h {
		for x := range w {
			for k := range c {
				v := (x*x*3 + y*y*5 + x*y*7 + k*83) % 256
				if (x/5+y/4)%3 == 0 {
					v = 255
				}
				m.pix[(y*w+x)*c+k] = float32(v)
			}
		}
	}
	return m
}

func (m raster) image() *Image {
	return &Image{source: m.source(), Width: m.w, Height: m.h, Depth: m.depth, Path: "test"}
}

// pixels are all of an image, of shape (H, W, C).
func pixels(t interface {
	Helper()
	Errorf(string, ...any)
}, m *Image) *tensor.Dense {
	t.Helper()
	if m.Width != m.source.w || m.Height != m.source.h || m.Channels() != m.source.c || m.Depth != m.source.depth {
		t.Errorf("%+v", m)
	}
	return m.source.raster().dense()
}

// whole decodes all pixels of a file.
func whole(t testing.TB, file []byte, v view) (m raster, err error) {
	s, err := decode(t.Context(), file, v)
	if err != nil {
		return raster{}, err
	}
	defer malformed(&err)
	return s.raster(), nil
}

func floats(t *tensor.Dense) []float32 { return t.Data().([]float32) }

// fit is one case of testdata/fit.npys.
type fit struct {
	w, h, c       int
	width, height int
	resize        Resize
	gray          bool
	want          []float32
}

const (
	fit8Bit = iota
	fitFloat
	fitMask
	fitBlur
)

// fits reads the cases of one kind.
func fits(t *testing.T, kind int) []fit {
	t.Helper()
	file, err := os.ReadFile("testdata/fit.npys")
	if err != nil {
		t.Fatal(err)
	}
	var cases []fit
	for r := bytes.NewReader(file); r.Len() > 0; {
		args, _, err := npy.Read(r)
		if err != nil {
			t.Fatal(err)
		}
		want, _, err := npy.Read(r)
		if err != nil {
			t.Fatal(err)
		}
		a := floats(args)
		if int(a[7]) != kind {
			continue
		}
		cases = append(cases, fit{
			w: int(a[0]), h: int(a[1]), c: int(a[2]), width: int(a[3]), height: int(a[4]),
			resize: Resize(a[5]), gray: a[6] == 1, want: floats(want),
		})
	}
	if len(cases) == 0 {
		t.Fatalf("no cases of kind %d", kind)
	}
	return cases
}

func (f fit) spec(gray bool) Spec {
	s := DefaultSpec(f.width, f.height)
	s.Resize = f.resize
	if gray {
		s.Channels = Gray
	}
	return s
}

func TestFitEqualsPillow(t *testing.T) {
	for _, f := range fits(t, fit8Bit) {
		s := f.spec(f.gray || f.c == 1)
		got, err := s.Fit(t.Context(), pattern(f.w, f.h, f.c).image())
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(floats(got), f.want) {
			largest, mean := difference(floats(got), f.want)
			t.Errorf("%d x %d x %d %v to %d x %d: off by %g, mean %g", f.w, f.h, f.c, f.resize, f.width, f.height, largest, mean)
		}
	}
}

func TestFitOfFloats(t *testing.T) {
	for _, f := range fits(t, fitFloat) {
		m := pattern(f.w, f.h, f.c)
		m.depth = 32
		for i, v := range m.pix {
			m.pix[i] = float32(v*1.37) - 40
		}
		got, err := f.spec(f.c == 1).Fit(t.Context(), m.image())
		if err != nil {
			t.Fatal(err)
		}
		largest, mean := difference(floats(got), f.want)
		if len(floats(got)) != len(f.want) || largest > 1e-4 {
			t.Errorf("%d x %d x %d %v to %d x %d: off by %g, mean %g", f.w, f.h, f.c, f.resize, f.width, f.height, largest, mean)
		}
	}
}

func TestFitMask(t *testing.T) {
	for _, f := range fits(t, fitMask) {
		m := pattern(f.w, f.h, 1)
		for i, v := range m.pix {
			m.pix[i] = 0
			if v < 100 {
				m.pix[i] = 255
			}
		}
		var file bytes.Buffer
		if err := npy.Write(&file, m.dense()); err != nil {
			t.Fatal(err)
		}
		mask, err := FitMask(t.Context(), write(t, "mask.npy", file.Bytes()), f.spec(false))
		if err != nil {
			t.Fatal(err)
		}
		// Pillow steps through the mask by adding fractions. Where a pixel's
		// middle lies exactly between two of the mask, its rounding errors
		// decide; here the right one is taken.
		p := f.spec(false).place(f.w, f.h)
		tied := func(i, in, out int) bool { return (2*i+1)*in%(2*out) == 0 }
		for y := range f.height {
			for x := range f.width {
				if tied(x-p.toX+p.fromX, f.w, p.scaledW) || tied(y-p.toY+p.fromY, f.h, p.scaledH) {
					continue
				}
				if mask.On(x, y) != (f.want[y*f.width+x] > 0) {
					t.Errorf("%d x %d %v to %d x %d: wrong at (%d, %d)", f.w, f.h, f.resize, f.width, f.height, x, y)
				}
			}
		}
		for _, outside := range [][2]int{{-1, 0}, {0, -1}, {f.width, 0}, {0, f.height}} {
			if mask.On(outside[0], outside[1]) {
				t.Errorf("on outside, at %v", outside)
			}
		}
	}
}

// TestMaskTransparency: what is transparent shows white in an image, but marks
// nothing in a mask.
func TestMaskTransparency(t *testing.T) {
	const path = "testdata/read/rgba.png" // alpha (29x + 11y) mod 256 over non-black colours
	s := DefaultSpec(23, 17)
	mask, err := FitMask(t.Context(), path, s)
	if err != nil {
		t.Fatal(err)
	}
	img, err := Read(t.Context(), path, Window{})
	if err != nil {
		t.Fatal(err)
	}
	if mask.On(0, 0) || !mask.On(5, 5) {
		t.Errorf("on at (0, 0): %v, at (5, 5): %v", mask.On(0, 0), mask.On(5, 5))
	}
	if corner := floats(pixels(t, img))[:3]; !slices.Equal(corner, []float32{255, 255, 255}) {
		t.Errorf("the transparent corner shows %v", corner)
	}
	if _, err := FitMask(t.Context(), "testdata/none.png", s); err == nil || !strings.Contains(err.Error(), "none.png") {
		t.Errorf("a missing mask: %v", err)
	}
}

func TestBlur(t *testing.T) {
	for _, f := range fits(t, fitBlur) {
		m := pattern(f.w, f.h, f.c)
		got, err := Blur(m.dense(), float64(f.width)/1000)
		if err != nil {
			t.Fatal(err)
		}
		if largest, _ := difference(floats(got), f.want); largest > 1e-4 {
			t.Errorf("%d x %d x %d, sigma %g: off by %g", f.w, f.h, f.c, float64(f.width)/1000, largest)
		}
	}
	pixels := pattern(4, 3, 3).dense()
	for _, sigma := range []float64{-1, 1001, math.NaN(), math.Inf(1)} {
		if _, err := Blur(pixels, sigma); err == nil {
			t.Errorf("sigma %v was accepted", sigma)
		}
	}
	same, err := Blur(pixels, 0)
	if err != nil || !slices.Equal(floats(same), floats(pixels)) {
		t.Errorf("sigma 0 changed the image, %v", err)
	}
	floats(same)[0] = -1
	if floats(pixels)[0] == -1 {
		t.Error("sigma 0 shares the image's memory")
	}
	if _, err := Blur(tensor.New(tensor.WithShape(2, 2), tensor.Of(tensor.Float32)), 1); err == nil {
		t.Error("a matrix was blurred")
	}
}

// TestSameSizeIsIdentity holds for every mode, and the result is a copy.
func TestSameSizeIsIdentity(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, h := rapid.IntRange(1, 12).Draw(t, "w"), rapid.IntRange(1, 12).Draw(t, "h")
		m := newRaster(w, h, 3, rapid.SampledFrom([]int{8, 16, 32}).Draw(t, "depth"))
		copy(m.pix, rapid.SliceOfN(rapid.Float32Range(0, 255), len(m.pix), len(m.pix)).Draw(t, "pixels"))
		s := DefaultSpec(w, h)
		s.Resize = Resize(rapid.IntRange(0, 2).Draw(t, "resize"))
		img := m.image()
		got, err := s.Fit(t.Context(), img)
		if err != nil {
			t.Fatal(err)
		}
		if !got.Shape().Eq(tensor.Shape{h, w, 3}) || !slices.Equal(floats(got), m.pix) {
			t.Fatalf("%v became %v", m.pix, floats(got))
		}
		floats(got)[0]++
		if floats(pixels(t, img))[0] == floats(got)[0] {
			t.Fatal("the result shares the image's memory")
		}
	})
}

// TestFitStaysInRange checks shapes, the range and that a flat picture stays
// flat, for any sizes.
func TestFitStaysInRange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(1, 40)
		w, h := size.Draw(t, "w"), size.Draw(t, "h")
		m := newRaster(w, h, rapid.SampledFrom([]int{1, 3}).Draw(t, "c"), 8)
		lo, hi := rapid.IntRange(0, 255).Draw(t, "lo"), 0
		hi = rapid.IntRange(lo, 255).Draw(t, "hi")
		for i := range m.pix {
			m.pix[i] = float32(lo + i*7%(hi-lo+1))
		}
		s := DefaultSpec(size.Draw(t, "width"), size.Draw(t, "height"))
		s.Resize = Resize(rapid.IntRange(0, 1).Draw(t, "resize"))
		s.Channels = Channels(rapid.IntRange(0, 2).Draw(t, "channels"))
		got, err := s.Fit(t.Context(), m.image())
		if err != nil {
			t.Fatal(err)
		}
		if !got.Shape().Eq(tensor.Shape{s.Height, s.Width, s.Channels.Count()}) {
			t.Fatalf("shape %v", got.Shape())
		}
		for _, v := range floats(got) {
			if v < float32(lo) || v > float32(hi) || v != float32(int(v)) {
				t.Fatalf("%v out of %d..%d", v, lo, hi)
			}
		}
	})
}

// TestExtremeProportions would need gigabytes if the hidden part of a crop were
// computed.
func TestExtremeProportions(t *testing.T) {
	m := newRaster(MaxSide, 1, 1, 8)
	for i := range m.pix {
		m.pix[i] = float32(i % 256)
	}
	for _, r := range []Resize{Squash, Crop, Letterbox} {
		s := DefaultSpec(224, 224)
		s.Resize = r
		for _, turned := range []bool{false, true} {
			if turned {
				m.w, m.h = m.h, m.w
			}
			got, err := s.Fit(t.Context(), m.image())
			if err != nil {
				t.Fatal(err)
			}
			if n := len(floats(got)); n != 224*224*3 {
				t.Errorf("%v: %d values", r, n)
			}
		}
	}
}

func TestGray(t *testing.T) {
	m := raster{pix: []float32{255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 200, 30, 77, 77, 77}, w: 5, h: 1, c: 3, depth: 8}
	if got, want := m.source().gray().raster().pix, []float32{76, 150, 29, 124, 77}; !slices.Equal(got, want) {
		t.Errorf("8 bits: got %v, want %v", got, want)
	}
	m.depth = 16
	if got := m.source().gray().raster().pix[0]; math.Abs(float64(got)-255*0.299) > 2e-3 || got == 76 {
		t.Errorf("deep red: got %v", got)
	}
}

func TestNoise(t *testing.T) {
	a, b := Noise(42, 5, 7, 3), Noise(42, 5, 7, 3)
	if !a.Shape().Eq(tensor.Shape{5, 7, 3}) || !slices.Equal(floats(a), floats(b)) {
		t.Errorf("shape %v, or not the same twice", a.Shape())
	}
	if slices.Equal(floats(a), floats(Noise(43, 5, 7, 3))) {
		t.Error("the seed does not matter")
	}
	// Written down so that no change of Go, of machine or of this code goes
	// unnoticed: recorded results depend on these numbers.
	if got, want := floats(Noise(42, 1, 3, 3)), []float32{154, 23, 140, 35, 98, 18, 53, 22, 216}; !slices.Equal(got, want) {
		t.Errorf("the first values are %v, want %v", got, want)
	}
	big := Noise(1, 128, 128, 3)
	for c, mean := range MeanOf(big) {
		if math.Abs(float64(mean)-127.5) > 2 {
			t.Errorf("channel %d has mean %v", c, mean)
		}
	}
	if lo, hi := slices.Min(floats(big)), slices.Max(floats(big)); lo != 0 || hi != 255 {
		t.Errorf("values go from %v to %v", lo, hi)
	}
}

// TestNormalize computes the three layouts by hand.
func TestNormalize(t *testing.T) {
	pixels := []float32{10, 20, 30, 40, 50, 60}
	for _, c := range []struct {
		name string
		spec Spec
		want []float32
	}{
		{"rgb", Spec{Channels: RGB, Scale: 0.5, Mean: []float32{1, 2, 3}, Std: []float32{1, 2, 4}}, []float32{4, 4, 3, 19, 11.5, 6.75}},
		{"bgr", Spec{Channels: BGR, Scale: 1, Mean: []float32{1, 2, 3}}, []float32{29, 18, 7, 59, 48, 37}},
		{"gray", Spec{Channels: Gray, Scale: 1, Mean: []float32{10}, Std: []float32{10}}, []float32{0, 1, 2, 3, 4, 5}},
		{"one value for all", Spec{Channels: RGB, Scale: 1, Mean: []float32{10}, Std: []float32{5}}, []float32{0, 2, 4, 6, 8, 10}},
		{"nothing", Spec{Channels: RGB, Scale: 2}, []float32{20, 40, 60, 80, 100, 120}},
	} {
		got := make([]float32, len(pixels))
		c.spec.Normalize(got, pixels)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
		inPlace := slices.Clone(pixels)
		c.spec.Normalize(inPlace, inPlace)
		part := make([]float32, 3)
		c.spec.Normalize(part, pixels[3:])
		if !slices.Equal(inPlace, c.want) || !slices.Equal(part, c.want[3:]) {
			t.Errorf("%s: in place %v, the second pixel alone %v", c.name, inPlace, part)
		}
	}
}

func TestValidate(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	change := func(f func(*Spec)) Spec {
		s := DefaultSpec(224, 224)
		f(&s)
		return s
	}
	for _, c := range []struct {
		want string
		spec Spec
	}{
		{"", DefaultSpec(1, 1)},
		{"", change(func(s *Spec) { s.Mean, s.Std = []float32{0.5}, []float32{1, 2, 3} })},
		{"", change(func(s *Spec) { s.Channels, s.Mean = Gray, []float32{0.5} })},
		{"size 0 x 5", DefaultSpec(0, 5)},
		{"size 5 x -1", DefaultSpec(5, -1)},
		{"size 70000", DefaultSpec(70000, 5)},
		{"size 20000 x 20000", DefaultSpec(20000, 20000)},
		{"resize", change(func(s *Spec) { s.Resize = 3 })},
		{"channels", change(func(s *Spec) { s.Channels = -1 })},
		{"scale", change(func(s *Spec) { s.Scale = 0 })},
		{"scale", change(func(s *Spec) { s.Scale = nan })},
		{"mean has 2 values for 3", change(func(s *Spec) { s.Mean = []float32{1, 2} })},
		{"mean has 3 values for 1", change(func(s *Spec) { s.Channels, s.Mean = Gray, []float32{1, 2, 3} })},
		{"mean is", change(func(s *Spec) { s.Mean = []float32{inf} })},
		{"std has 4", change(func(s *Spec) { s.Std = []float32{1, 1, 1, 1} })},
		{"above 0", change(func(s *Spec) { s.Std = []float32{1, 0, 1} })},
		{"std is", change(func(s *Spec) { s.Std = []float32{nan} })},
		{"range of float32", change(func(s *Spec) { s.Std = []float32{1e-45} })},
		{"range of float32", change(func(s *Spec) { s.Scale = 3e38 })},
	} {
		err := c.spec.Validate()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.spec, err, c.want)
		}
		if c.want == "" {
			continue
		}
		if _, err := c.spec.Fit(t.Context(), pattern(3, 3, 3).image()); err == nil || !strings.Contains(err.Error(), `"test"`) {
			t.Errorf("Fit with %+v: %v", c.spec, err)
		}
	}
}

func TestNames(t *testing.T) {
	for _, r := range []Resize{Squash, Crop, Letterbox} {
		if got, err := ParseResize(strings.ToUpper(r.String())); err != nil || got != r {
			t.Errorf("%v: %v, %v", r, got, err)
		}
	}
	for _, c := range []Channels{RGB, BGR, Gray} {
		if got, err := ParseChannels(c.String()); err != nil || got != c {
			t.Errorf("%v: %v, %v", c, got, err)
		}
	}
	if _, err := ParseResize("stretch"); err == nil || !strings.Contains(err.Error(), "squash, crop, letterbox") {
		t.Errorf("stretch: %v", err)
	}
	if _, err := ParseChannels(""); err == nil {
		t.Error("an empty name was taken")
	}
}
