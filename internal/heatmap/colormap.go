package heatmap

import (
	"fmt"
	"image/color"
	"math"
	"strings"
	"sync"

	"gonum.org/v1/gonum/interp"
)

// DefaultColormap is drawn when a figure names none.
const DefaultColormap = "coolwarm"

// Colormaps lists the names that Figure.Colormap and Options.Colormap accept.
// Each has a reversed twin whose name ends in _r.
func Colormaps() []string {
	var names []string
	for _, k := range kinds {
		names = append(names, k.name, k.name+"_r")
	}
	return names
}

// kind is a colour map together with how it reads a heat map and covers an image.
type kind struct {
	name  string
	scale scaling                 // what the colours stand for, from where to where
	cover func(t float64) float64 // opacity over the image at t in [0, 1]
	blend func(pixel, colour lab, opacity float64) color.RGBA
	muted bool         // the image is drawn in gray, so that colour only ever means the map
	curve func() []lab // tableSize colours
}

// kinds is every colour map, the default first.
var kinds = []kind{
	{"coolwarm", symmetric, growing, blendLab, true, sync.OnceValue(divergingCurve)},
	{"viridis", sequential, even(0.7), blendLab, true, sync.OnceValue(viridisCurve)},
	{"hot", sequential, even(0.7), blendLab, true, sync.OnceValue(hotCurve)},
	{"gray", sequential, even(0.7), blendLab, true, sync.OnceValue(grayCurve)},
	{"jet", krypton, even(0.5), blendRGB, false, sync.OnceValue(jetCurve)},
}

// tableSize is odd, so that a diverging map has its neutral colour exactly in
// the middle.
const tableSize = 511

// colormap is a kind with its colours computed, in their order or reversed.
type colormap struct {
	kind
	table    []lab
	reversed bool
}

func findColormap(name string) (colormap, error) {
	wanted := strings.ToLower(name)
	if wanted == "" {
		wanted = DefaultColormap
	}
	base, reversed := strings.CutSuffix(wanted, "_r")
	var bases []string
	for _, k := range kinds {
		if k.name == base {
			return colormap{k, k.curve(), reversed}, nil
		}
		bases = append(bases, k.name)
	}
	return colormap{}, fmt.Errorf("unknown colormap %q (there are %s; add _r to reverse one)", name, strings.Join(bases, ", "))
}

// at is the opaque colour at t; t outside [0, 1] gets the nearer end's.
func (c colormap) at(t float64) lab {
	x := clamp01(t) * (tableSize - 1)
	if c.reversed {
		x = tableSize - 1 - x
	}
	i := min(int(x), tableSize-2)
	return c.table[i].mix(c.table[i+1], x-float64(i))
}

// over lays the map's colour at t over a pixel of the image.
func (c colormap) over(pixel lab, t float64) color.RGBA {
	t = clamp01(t)
	return c.blend(pixel, c.at(t), c.cover(t))
}

// blendLab takes up the map's hue sooner than its lightness, so that the image's
// light and shade are seen through the strongest colours.
func blendLab(x, y lab, t float64) color.RGBA {
	c := x.mix(y, t)
	c.l = lerp(x.l, y.l, 0.75*t)
	return c.fit().rgba()
}

// blendRGB mixes 8-bit values, gamma and all, as most plotting tools do.
func blendRGB(x, y lab, t float64) color.RGBA {
	p, q := x.rgba(), y.rgba()
	mix := func(a, b uint8) uint8 { return uint8(math.Round(lerp(float64(a), float64(b), t))) }
	return color.RGBA{mix(p.R, q.R), mix(p.G, q.G), mix(p.B, q.B), 0xff}
}

// growing is the opacity of a diverging map: nothing at its middle, so that the
// image takes the place of the neutral colour, and nearly everything at its ends.
func growing(t float64) float64 {
	d := math.Abs(2*t - 1)
	return 0.92 * (1 - square(1-d))
}

func even(opacity float64) func(float64) float64 {
	return func(float64) float64 { return opacity }
}

// divergingCurve runs from a deep blue over a light neutral gray to a deep red,
// in the manner of Kenneth Moreland ("Diverging Color Maps for Scientific
// Visualization", ISVC 2009), in Oklab instead of CIELAB. The arms mirror each
// other: at equal distances from the middle they have the same lightness, the
// same chroma and hues that turn equally fast, so neither sign looks stronger.
func divergingCurve() []lab {
	const arm = tableSize/2 + 1
	warm := uniform(arm, []stop{{0.965, 0, 72}, {0.87, 0.078, 69}, {0.74, 0.146, 53}, {0.59, 0.19, 32}, {0.44, 0.165, 24}})
	cool := uniform(arm, []stop{{0.965, 0, 221}, {0.87, 0.078, 224}, {0.74, 0.146, 240}, {0.59, 0.19, 261}, {0.44, 0.165, 269}})
	table := make([]lab, tableSize)
	for i := range arm {
		table[arm-1-i] = cool[i]
		table[arm-1+i] = warm[i]
	}
	return table
}

// viridisCurve climbs from a dark violet over blue, teal and green to yellow, in
// the manner of the map of that name by van der Walt and Smith.
func viridisCurve() []lab {
	return uniform(tableSize, []stop{{0.28, 0.13, 318}, {0.44, 0.11, 265}, {0.60, 0.09, 195}, {0.76, 0.16, 145}, {0.92, 0.185, 106}})
}

// hotCurve climbs from black over red and orange to white, as iron does.
func hotCurve() []lab {
	return uniform(tableSize, []stop{{0, 0, 25}, {0.35, 0.13, 26}, {0.58, 0.2, 34}, {0.78, 0.16, 68}, {0.93, 0.13, 102}, {1, 0, 108}})
}

// grayCurve climbs from black to white.
func grayCurve() []lab {
	return uniform(tableSize, []stop{{0, 0, 0}, {1, 0, 0}})
}

// jetCurve is the rainbow Krypton's pictures use: three trapezoids, one per
// channel. Its lightness goes up and down; it is here for comparison with them.
func jetCurve() []lab {
	table := make([]lab, tableSize)
	for i := range table {
		t := float64(i) / (tableSize - 1)
		channel := func(peak float64) float64 { return decode(clamp01(1.5 - math.Abs(4*t-peak))) }
		table[i] = linear{channel(3), channel(2), channel(1)}.lab()
	}
	return table
}

// stop is a colour that a curve passes: lightness, chroma and hue in degrees.
type stop struct{ l, c, h float64 }

// uniform draws a smooth curve through stops, whose lightness rises or falls
// throughout, and returns n colours along it at equal perceptual distances.
// Chroma and hue are monotone cubics of the lightness, so lightness is monotone
// along the result and nothing overshoots a stop.
func uniform(n int, stops []stop) []lab {
	const fine = 4096
	at := curveThrough(stops)
	path := make([]lab, fine+1)
	length := make([]float64, fine+1) // from the start, up to each point of path
	for i := range path {
		path[i] = at(float64(i) / fine)
		if i > 0 {
			length[i] = length[i-1] + path[i].distance(path[i-1])
		}
	}
	colours := make([]lab, n)
	j := 0
	for i := range colours {
		want := length[fine] * float64(i) / float64(n-1)
		for j < fine-1 && length[j+1] < want {
			j++
		}
		colours[i] = path[j].mix(path[j+1], clamp01((want-length[j])/(length[j+1]-length[j])))
	}
	return colours
}

// curveThrough returns the curve through stops as a function of [0, 1].
func curveThrough(stops []stop) func(t float64) lab {
	n := len(stops)
	x, chroma, hue := make([]float64, n), make([]float64, n), make([]float64, n)
	first, last := stops[0].l, stops[n-1].l
	for i, s := range stops {
		x[i] = (s.l - first) / (last - first)
		chroma[i], hue[i] = s.c, s.h
	}
	var c, h interp.FritschButland
	for _, fit := range []struct {
		f *interp.FritschButland
		y []float64
	}{{&c, chroma}, {&h, hue}} {
		if err := fit.f.Fit(x, fit.y); err != nil {
			panic(fmt.Sprintf("heatmap: stops %v: %v", stops, err)) // the stops are constants of this file
		}
	}
	return func(t float64) lab { return oklch(lerp(first, last, t), c.Predict(t), h.Predict(t)) }
}
