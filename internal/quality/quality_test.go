package quality

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// expected is a case of testdata/expected.json, which expected.py there made
// with scikit-image 0.19.3, SciPy and matplotlib.
type expected struct {
	Name                        string
	W, H                        int
	Exact, Approximate          []float32
	SSIM, Pearson, NRMSE, Top10 float64
	P0                          float32
	Krypton                     float64
}

func (c expected) maps() (exact, approximate Map) {
	return Map{c.W, c.H, c.Exact}, Map{c.W, c.H, c.Approximate}
}

// picture is the frame that expected.py draws in: patch 16, stride 4.
func (c expected) picture() *Picture {
	p := &Picture{PatchW: 16, PatchH: 16, Width: 4*c.W + 12, Height: 4*c.H + 12, P0: c.P0}
	for i := range c.W {
		p.X = append(p.X, 4*i)
	}
	for i := range c.H {
		p.Y = append(p.Y, 4*i)
	}
	return p
}

func readExpected(t *testing.T) []expected {
	t.Helper()
	text, err := os.ReadFile("testdata/expected.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []expected
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) < 6 {
		t.Fatalf("only %d cases", len(cases))
	}
	return cases
}

func compare(t interface {
	Helper()
	Fatal(...any)
}, exact, approximate Map, p *Picture) Figures {
	t.Helper()
	f, err := Compare(exact, approximate, p)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s is %.10g, want %.10g", what, got, want)
	}
}

func TestAgainstScikitImage(t *testing.T) {
	for _, c := range readExpected(t) {
		t.Run(c.Name, func(t *testing.T) {
			exact, approximate := c.maps()
			f := compare(t, exact, approximate, c.picture())
			// Scikit-image squares values before it takes the mean off, and loses digits
			// where they hardly differ.
			near(t, "ssim", f.SSIM, c.SSIM, 1e-7)
			near(t, "pearson", f.Pearson, c.Pearson, 1e-9)
			near(t, "nrmse", f.NRMSE, c.NRMSE, 1e-9)
			near(t, "top10_overlap", f.Top10Overlap, c.Top10, 1e-9)
			// Matplotlib's jet bends at other places than three equal trapezoids do.
			near(t, "ssim_krypton", f.SSIMKrypton, c.Krypton, 0.03)
		})
	}
}

// A map of a part of the grid is judged as that part alone would be.
func TestRectangleOfAGrid(t *testing.T) {
	exact, approximate := readExpected(t)[0].maps()
	cut, cutApproximate := Map{W: 9, H: 8}, Map{W: 9, H: 8}
	masked, maskedApproximate := without(exact), without(approximate)
	for i := range exact.P {
		if x, y := i%exact.W, i/exact.W; x >= 5 && x < 14 && y >= 4 && y < 12 {
			cut.P, cutApproximate.P = append(cut.P, exact.P[i]), append(cutApproximate.P, approximate.P[i])
			masked.P[i], maskedApproximate.P[i] = exact.P[i], approximate.P[i]
		}
	}
	want := compare(t, cut, cutApproximate, nil)
	got := compare(t, masked, maskedApproximate, nil)
	want.SSIMKrypton, got.SSIMKrypton = 0, 0 // NaN
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// without is a map of m's size that has no value.
func without(m Map) Map {
	p := make([]float32, len(m.P))
	for i := range p {
		p[i] = float32(math.NaN())
	}
	return Map{m.W, m.H, p}
}

// A window's moments are those of the values that it has, and it weighs as many.
func TestWindowsWithGaps(t *testing.T) {
	exact, approximate := readExpected(t)[0].maps()
	for i := range exact.P {
		switch {
		case i%3 == 0 && i > 40:
			exact.P[i] = float32(math.NaN())
		case i%7 == 0 && i > 40:
			approximate.P[i] = float32(math.NaN())
		}
	}
	var total, weights float64
	span := slices.Max(values(exact, approximate)) - slices.Min(values(exact, approximate))
	for top := range exact.H - 6 {
		for left := range exact.W - 6 {
			e, a := window7(exact, approximate, left, top), window7(approximate, exact, left, top)
			n := float64(len(e))
			me, ma := mean(e), mean(a)
			var see, saa, sea float64
			for i := range e {
				see += (e[i] - me) * (e[i] - me) / (n - 1)
				saa += (a[i] - ma) * (a[i] - ma) / (n - 1)
				sea += (e[i] - me) * (a[i] - ma) / (n - 1)
			}
			c1, c2 := math.Pow(.01*span, 2), math.Pow(.03*span, 2)
			total += n * (2*me*ma + c1) * (2*sea + c2) / (me*me + ma*ma + c1) / (see + saa + c2)
			weights += n
		}
	}
	f := compare(t, exact, approximate, nil)
	near(t, "ssim", f.SSIM, total/weights, 1e-9)
	if n := len(values(exact, approximate)); f.Positions != n || n == len(exact.P) {
		t.Errorf("%d positions compared, want %d of %d", f.Positions, n, len(exact.P))
	}
}

// values are those of m where other has one too.
func values(m, other Map) []float64 {
	var v []float64
	for i, p := range m.P {
		if !isNaN(p) && !isNaN(other.P[i]) {
			v = append(v, float64(p))
		}
	}
	return v
}

func window7(m, other Map, left, top int) []float64 {
	var v []float64
	for y := top; y < top+7; y++ {
		row := func(m Map) Map { return Map{7, 1, m.P[y*m.W+left : y*m.W+left+7]} }
		v = append(v, values(row(m), row(other))...)
	}
	return v
}

func mean(v []float64) float64 {
	var sum float64
	for _, x := range v {
		sum += x
	}
	return sum / float64(len(v))
}

func TestDegenerateMaps(t *testing.T) {
	nan := float32(math.NaN())
	flat := func(p float32) Map { return Map{5, 4, slices.Repeat([]float32{p}, 20)} }
	slope := Map{5, 4, make([]float32, 20)}
	for i := range slope.P {
		slope.P[i] = 0.5 + 0.01*float32(i)
	}
	perfect := Figures{SSIM: 1, Pearson: 1, NRMSE: 0, Top10Overlap: 1}
	// Windows of 3 by 3: the first factor is nearly 1, the second C2 / (s² + C2),
	// where the slope's sample variance over a window is 19.5e-4.
	c2 := math.Pow(0.03*0.19, 2)
	for _, c := range []struct {
		name       string
		e, a       Map
		want       Figures
		positions  int
		tolerances float64
	}{
		{"the same constant", flat(0.5), flat(0.5), perfect, 20, 1e-12},
		{"constants apart by rounding", flat(0.5), flat(0.5 + 6e-8), Figures{SSIM: 1, Pearson: 1, NRMSE: 0.06, Top10Overlap: 1}, 20, 1e-3},
		{"a constant for a slope", slope, flat(0.595), Figures{SSIM: c2 / (19.5e-4 + c2), Pearson: 0, NRMSE: 0.01 * math.Sqrt(33.25) / 0.19, Top10Overlap: 0.1}, 20, 1e-3},
		{"a slope for a constant", flat(0.595), slope, Figures{SSIM: 0, Pearson: 0, NRMSE: 0.01 * math.Sqrt(33.25) / 1e-6, Top10Overlap: 1}, 20, 1},
		{"one row", Map{5, 1, slope.P[:5]}, Map{5, 1, slope.P[:5]}, perfect, 5, 1e-12},
		{"one position", Map{1, 1, slope.P[:1]}, Map{1, 1, slope.P[:1]}, perfect, 1, 1e-12},
		{"one value in a grid", Map{2, 2, []float32{nan, 0.5, nan, nan}}, Map{2, 2, []float32{0.2, 0.5, nan, 0.1}}, perfect, 1, 1e-12},
		{"no value", without(slope), slope, Figures{SSIM: math.NaN(), Pearson: math.NaN(), NRMSE: math.NaN(), Top10Overlap: math.NaN()}, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := compare(t, c.e, c.a, nil)
			for _, v := range []struct {
				name      string
				got, want float64
			}{{"ssim", f.SSIM, c.want.SSIM}, {"pearson", f.Pearson, c.want.Pearson}, {"nrmse", f.NRMSE, c.want.NRMSE}, {"top10_overlap", f.Top10Overlap, c.want.Top10Overlap}} {
				if math.IsNaN(v.want) != math.IsNaN(v.got) || math.Abs(v.got-v.want) > c.tolerances {
					t.Errorf("%s is %v, want %v", v.name, v.got, v.want)
				}
			}
			if f.Positions != c.positions {
				t.Errorf("%d positions, want %d", f.Positions, c.positions)
			}
		})
	}
}

// What is true of any two maps: a map is perfect against itself, the figures stay
// in their bounds, and turning both maps over changes nothing.
func TestAnyMaps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, h := rapid.IntRange(1, 12).Draw(t, "w"), rapid.IntRange(1, 12).Draw(t, "h")
		value := rapid.Map(rapid.IntRange(0, 1000), func(n int) float32 { return float32(n) / 1000 })
		missing := rapid.IntRange(0, 5)
		draw := func(name string) Map {
			p := rapid.SliceOfN(value, w*h, w*h).Draw(t, name)
			for i := range p {
				if missing.Draw(t, "missing") == 5 {
					p[i] = float32(math.NaN())
				}
			}
			return Map{w, h, p}
		}
		e, a := draw("exact"), draw("approximate")
		f := compare(t, e, a, nil)
		if f.Positions == 0 {
			return
		}
		if !(math.Abs(f.SSIM) <= 1+1e-9 && math.Abs(f.Pearson) <= 1 && f.NRMSE >= 0 && f.Top10Overlap >= 0 && f.Top10Overlap <= 1) {
			t.Fatalf("out of bounds: %+v", f)
		}
		if s := compare(t, e, e, nil); s.Positions > 0 && !(s.SSIM > 1-1e-9 && s.Pearson > 1-1e-9 && s.NRMSE == 0 && s.Top10Overlap == 1) {
			t.Fatalf("a map against itself: %+v", s)
		}
		slices.Reverse(e.P)
		slices.Reverse(a.P)
		if r := compare(t, e, a, nil); math.Abs(r.SSIM-f.SSIM) > 1e-6 || math.Abs(r.Pearson-f.Pearson) > 1e-9 || math.Abs(r.Top10Overlap-f.Top10Overlap) > 1e-9 {
			t.Fatalf("turned over: %+v, not %+v", r, f)
		}
	})
}

// Positions without a value have no part in the pictures compared.
func TestKryptonWithGaps(t *testing.T) {
	c := readExpected(t)[0]
	exact, approximate := c.maps()
	whole := compare(t, exact, approximate, c.picture()).SSIMKrypton
	for i := range exact.P {
		if i%exact.W >= 12 {
			approximate.P[i] = float32(math.NaN())
		}
	}
	masked := compare(t, exact, approximate, c.picture()).SSIMKrypton
	for i := range exact.P {
		if i%exact.W >= 12 {
			exact.P[i] = 0 // of no consequence where the other map has no value
		}
	}
	if got := compare(t, exact, approximate, c.picture()).SSIMKrypton; got != masked {
		t.Errorf("%g, want %g: a value without a partner was compared", got, masked)
	}
	if masked == whole {
		t.Error("a third of the map was left out, and the figure is the same")
	}
}

func TestRefused(t *testing.T) {
	c := readExpected(t)[0]
	exact, approximate := c.maps()
	tall := Map{exact.H, exact.W, exact.P}
	for _, tt := range []struct {
		e, a    Map
		p       *Picture
		message string
	}{
		{exact, tall, nil, "19x15 and 15x19"},
		{Map{2, 2, nil}, Map{2, 2, nil}, nil, "0 values"},
		{Map{}, Map{}, nil, "0x0"},
		{exact, approximate, &Picture{X: []int{0}, Y: []int{0}, PatchW: 1, PatchH: 1, Width: 4, Height: 4}, "coordinates"},
	} {
		if _, err := Compare(tt.e, tt.a, tt.p); err == nil || !strings.Contains(err.Error(), tt.message) {
			t.Errorf("got %v, want an error about %q", err, tt.message)
		}
	}
}
