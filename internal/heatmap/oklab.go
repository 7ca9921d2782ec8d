package heatmap

import (
	"image/color"
	"math"
)

// lab is a colour in Oklab: l is the lightness in [0, 1], a runs from green to
// red and b from blue to yellow. Equal distances look about equally different,
// so colour maps are drawn and colours are mixed here.
//
// The two matrices and the cube root are Björn Ottosson's ("A perceptual color
// space for image processing", 2020).
type lab struct{ l, a, b float64 }

// linear is a colour in linear-light sRGB, each channel in [0, 1] when a screen
// can show it.
type linear struct{ r, g, b float64 }

// oklch makes a colour of lightness l, chroma c and hue h in degrees.
func oklch(l, c, h float64) lab {
	sin, cos := math.Sincos(h * math.Pi / 180)
	return lab{l, c * cos, c * sin}
}

// distance is the perceived difference of two colours.
func (c lab) distance(d lab) float64 {
	return math.Sqrt(square(c.l-d.l) + square(c.a-d.a) + square(c.b-d.b))
}

// mix goes from c at t = 0 to d at t = 1 along a straight line.
func (c lab) mix(d lab, t float64) lab {
	return lab{lerp(c.l, d.l, t), lerp(c.a, d.a, t), lerp(c.b, d.b, t)}
}

// linear converts to linear light. Colours no screen shows come out with
// channels outside [0, 1].
func (c lab) linear() linear {
	l := cube(c.l + 0.3963377774*c.a + 0.2158037573*c.b)
	m := cube(c.l - 0.1055613458*c.a - 0.0638541728*c.b)
	s := cube(c.l - 0.0894841775*c.a - 1.2914855480*c.b)
	return linear{
		r: +4.0767416621*l - 3.3077115913*m + 0.2309699292*s,
		g: -1.2684380046*l + 2.6097574011*m - 0.3413193965*s,
		b: -0.0041960863*l - 0.7034186147*m + 1.7076147010*s,
	}
}

// rgba is the nearest 8-bit sRGB colour; channels beyond the screen's are cut off.
func (c lab) rgba() color.RGBA {
	v := c.linear()
	return color.RGBA{encode(v.r), encode(v.g), encode(v.b), 0xff}
}

// fit takes as much chroma from c as brings it among a screen's colours; cutting
// channels off instead would draw edges where there are none.
func (c lab) fit() lab {
	if c.linear().shown() {
		return c
	}
	low, high := 0.0, 1.0 // gray is shown, c is not
	for range 8 {
		middle := (low + high) / 2
		if (lab{c.l, middle * c.a, middle * c.b}).linear().shown() {
			low = middle
		} else {
			high = middle
		}
	}
	return lab{c.l, low * c.a, low * c.b}
}

// shown says whether a screen can show v, but for rounding.
func (v linear) shown() bool {
	const slack = 1e-4
	return min(v.r, v.g, v.b) >= -slack && max(v.r, v.g, v.b) <= 1+slack
}

func (v linear) lab() lab {
	l := math.Cbrt(0.4122214708*v.r + 0.5363325363*v.g + 0.0514459929*v.b)
	m := math.Cbrt(0.2119034982*v.r + 0.6806995451*v.g + 0.1073969566*v.b)
	s := math.Cbrt(0.0883024619*v.r + 0.2817188376*v.g + 0.6299787005*v.b)
	return lab{
		l: 0.2104542553*l + 0.7936177850*m - 0.0040720468*s,
		a: 1.9779984951*l - 2.4285922050*m + 0.4505937099*s,
		b: 0.0259040371*l + 0.7827717662*m - 0.8086757660*s,
	}
}

// labOf converts an opaque 8-bit sRGB colour.
func labOf(c color.RGBA) lab {
	return linear{decoded[c.R], decoded[c.G], decoded[c.B]}.lab()
}

// decoded holds the linear light of each 8-bit sRGB value (IEC 61966-2-1).
var decoded = func() (table [256]float64) {
	for i := range table {
		table[i] = decode(float64(i) / 255)
	}
	return table
}()

func decode(v float64) float64 {
	if v <= 0.04045 {
		return v / 12.92
	}
	return math.Pow((v+0.055)/1.055, 2.4)
}

// encodeSteps is fine enough that the steepest part of the sRGB curve, of slope
// 12.92, moves by a fifth of an 8-bit value from one entry of encoded to the next.
const encodeSteps = 1 << 14

// encoded tables the 8-bit sRGB value of linear light i/encodeSteps: a picture
// has millions of channels, and math.Pow on each would be most of the work.
var encoded = func() (table [encodeSteps + 1]uint8) {
	for i := range table {
		v := float64(i) / encodeSteps
		if v <= 0.0031308 {
			v *= 12.92
		} else {
			v = 1.055*math.Pow(v, 1/2.4) - 0.055
		}
		table[i] = uint8(math.Round(255 * v))
	}
	return table
}()

func encode(v float64) uint8 {
	return encoded[int(clamp01(v)*encodeSteps+0.5)]
}

func cube(x float64) float64   { return x * x * x }
func square(x float64) float64 { return x * x }

func lerp(a, b, t float64) float64 { return a + (b-a)*t }

// clamp01 limits x to [0, 1]; NaN becomes 0.
func clamp01(x float64) float64 {
	if !(x > 0) {
		return 0
	}
	return math.Min(x, 1)
}
