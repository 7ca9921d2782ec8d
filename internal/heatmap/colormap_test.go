package heatmap

import (
	"image/color"
	"math"
	"slices"
	"strings"
	"testing"
)

// curveOf is a colour map's table by name.
func curveOf(t *testing.T, name string) []lab {
	t.Helper()
	c, err := findColormap(name)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.table) != tableSize {
		t.Fatalf("%s has %d colours, want %d", name, len(c.table), tableSize)
	}
	return c.table
}

func TestOklabRoundTrip(t *testing.T) {
	for r := 0; r < 256; r += 5 {
		for g := 0; g < 256; g += 5 {
			for b := 0; b < 256; b += 5 {
				c := color.RGBA{uint8(r), uint8(g), uint8(b), 0xff}
				if got := labOf(c).rgba(); got != c {
					t.Fatalf("%v came back as %v", c, got)
				}
			}
		}
	}
}

func TestOklabOfKnownColours(t *testing.T) {
	// White and mid gray are neutral with lightness 1 and the cube root of their
	// linear light; red's coordinates are those Ottosson publishes for sRGB.
	for _, tt := range []struct {
		c    color.RGBA
		want lab
	}{
		{color.RGBA{255, 255, 255, 255}, lab{1, 0, 0}},
		{color.RGBA{0, 0, 0, 255}, lab{0, 0, 0}},
		{color.RGBA{128, 128, 128, 255}, lab{math.Cbrt(decode(128. / 255)), 0, 0}},
		{color.RGBA{255, 0, 0, 255}, lab{0.628, 0.225, 0.126}},
	} {
		if got := labOf(tt.c); got.distance(tt.want) > 1e-3 {
			t.Errorf("%v is %v, want %v", tt.c, got, tt.want)
		}
	}
}

func TestFitKeepsLightnessAndHue(t *testing.T) {
	for _, c := range []lab{oklch(0.3, 0.4, 30), oklch(0.9, 0.3, 260), oklch(0.5, 0.1, 200), {l: 0.5}} {
		got := c.fit()
		if v := got.linear(); !v.shown() {
			t.Errorf("%v was fitted to %v, which is linear %v", c, got, v)
		}
		if got.l != c.l || math.Abs(got.a*c.b-got.b*c.a) > 1e-9 || got.chroma() > c.chroma() {
			t.Errorf("%v was fitted to %v", c, got)
		}
		if c.linear().shown() {
			if got != c {
				t.Errorf("%v is on screen, yet was changed to %v", c, got)
			}
		} else if more := (lab{c.l, got.a + c.a/128, got.b + c.b/128}); more.linear().shown() {
			t.Errorf("%v was fitted to %v, which could have more chroma", c, got)
		}
	}
}

func TestCurvesAreOnScreen(t *testing.T) {
	for _, k := range kinds {
		for i, c := range k.curve() {
			if v := c.linear(); !v.shown() {
				t.Fatalf("%s: colour %d is linear %v, outside what a screen shows", k.name, i, v)
			}
		}
	}
}

func TestCurvesAreUniform(t *testing.T) {
	for _, name := range []string{"coolwarm", "viridis", "hot", "gray"} {
		table := curveOf(t, name)
		least, most := math.Inf(1), 0.0
		for i := 1; i < len(table); i++ {
			d := table[i].distance(table[i-1])
			least, most = min(least, d), max(most, d)
		}
		if most > 1.01*least {
			t.Errorf("%s: steps from %.6f to %.6f", name, least, most)
		}
	}
}

func TestSequentialLightnessRises(t *testing.T) {
	for _, name := range []string{"viridis", "hot", "gray"} {
		table := curveOf(t, name)
		for i := 1; i < len(table); i++ {
			if table[i].l <= table[i-1].l {
				t.Fatalf("%s: lightness falls from %v to %v at %d", name, table[i-1].l, table[i].l, i)
			}
		}
	}
}

func TestDivergingIsSymmetric(t *testing.T) {
	table := curveOf(t, "coolwarm")
	const middle = tableSize / 2
	if c := table[middle].chroma(); c > 1e-9 {
		t.Errorf("the middle has chroma %g", c)
	}
	for i := 1; i <= middle; i++ {
		cold, warm := table[middle-i], table[middle+i]
		if math.Abs(cold.l-warm.l) > 1e-4 || math.Abs(cold.chroma()-warm.chroma()) > 1e-4 {
			t.Fatalf("%d from the middle: %v against %v", i, cold, warm)
		}
		if warm.l >= table[middle+i-1].l {
			t.Fatalf("lightness does not fall at %d from the middle", i)
		}
		if warm.a <= cold.a || warm.b <= cold.b {
			t.Fatalf("%d from the middle: %v is not warmer than %v", i, warm, cold)
		}
	}
}

func TestJet(t *testing.T) {
	c, err := findColormap("jet")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		t    float64
		want color.RGBA
	}{
		{0, color.RGBA{0, 0, 128, 255}},
		{0.5, color.RGBA{128, 255, 128, 255}},
		{1, color.RGBA{128, 0, 0, 255}},
	} {
		if got := c.at(tt.t).rgba(); apart(got, tt.want) > 1 {
			t.Errorf("jet at %g is %v, want %v", tt.t, got, tt.want)
		}
	}
}

func TestReversedTwins(t *testing.T) {
	names := Colormaps()
	for _, k := range kinds {
		forth, err := findColormap(k.name)
		if err != nil {
			t.Fatal(err)
		}
		back, err := findColormap(k.name + "_r")
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range []float64{0, 0.1, 0.5, 0.77, 1} {
			if forth.at(x).distance(back.at(1-x)) > 1e-12 {
				t.Errorf("%s at %g differs from its twin's other end", k.name, x)
			}
		}
		if !slices.Contains(names, k.name) || !slices.Contains(names, k.name+"_r") {
			t.Errorf("%s or its twin is not in %v", k.name, names)
		}
	}
}

func TestFindColormap(t *testing.T) {
	for _, name := range append(Colormaps(), "", "JET_R", "Viridis") {
		if _, err := findColormap(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range []string{"jetr", "jet_R_r", "nothing like it"} {
		if _, err := findColormap(name); err == nil || !strings.Contains(err.Error(), "coolwarm, viridis, hot, gray, jet") {
			t.Errorf("%q: got %v, want an error that lists what there is", name, err)
		}
	}
}
