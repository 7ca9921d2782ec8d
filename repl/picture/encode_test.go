package picture

import (
	"encoding/base64"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// shades is a picture of many colours with something in each corner.
func shades(w, h int) *image.RGBA {
	p := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			p.SetRGBA(x, y, color.RGBA{uint8(255 * x / w), uint8(255 * y / h), uint8((x ^ y) & 0xff), 255})
		}
	}
	p.SetRGBA(0, 0, color.RGBA{255, 255, 255, 255})
	p.SetRGBA(w-1, h-1, color.RGBA{0, 0, 0, 255})
	return p
}

// few is a picture of no more colours than sixel has registers.
func few(w, h int) *image.RGBA {
	p := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			// Shares of 100, which is how sixel counts.
			p.SetRGBA(x, y, color.RGBA{uint8(255 * (x % 6) / 5), uint8(255 * (y % 6) / 5), uint8(255 * (x / 9 % 3) / 5), 255})
		}
	}
	return p
}

// apart is the largest difference of two pictures in a channel.
func apart(t *testing.T, a, b image.Image) int {
	t.Helper()
	if a.Bounds().Size() != b.Bounds().Size() {
		t.Fatalf("pictures of %v and %v", a.Bounds(), b.Bounds())
	}
	most := 0
	for y := range a.Bounds().Dy() {
		for x := range a.Bounds().Dx() {
			c := color.RGBAModel.Convert(a.At(a.Bounds().Min.X+x, a.Bounds().Min.Y+y)).(color.RGBA)
			d := color.RGBAModel.Convert(b.At(b.Bounds().Min.X+x, b.Bounds().Min.Y+y)).(color.RGBA)
			for _, d := range []int{int(c.R) - int(d.R), int(c.G) - int(d.G), int(c.B) - int(d.B), int(c.A) - int(d.A)} {
				most = max(most, d, -d)
			}
		}
	}
	return most
}

// typically is the root of the mean square of what two pictures of a size differ by.
func typically(a, b image.Image) float64 {
	sum, n := 0.0, 0
	for y := range a.Bounds().Dy() {
		for x := range a.Bounds().Dx() {
			c, d := color.RGBAModel.Convert(a.At(x, y)).(color.RGBA), color.RGBAModel.Convert(b.At(x, y)).(color.RGBA)
			for _, d := range []float64{float64(c.R) - float64(d.R), float64(c.G) - float64(d.G), float64(c.B) - float64(d.B)} {
				sum += d * d
				n++
			}
		}
	}
	return math.Sqrt(sum / float64(n))
}

// kittyCommands takes commands of kitty's protocol apart, which s must consist of.
func kittyCommands(t *testing.T, s string) (keys []map[string]string, payloads []string) {
	t.Helper()
	for s != "" {
		command, rest, ok := strings.Cut(s, "\x1b\\")
		if !ok || !strings.HasPrefix(command, "\x1b_G") {
			t.Fatalf("no command: %.40q", s)
		}
		control, payload, _ := strings.Cut(command[3:], ";")
		k := map[string]string{}
		for _, pair := range strings.Split(control, ",") {
			name, value, ok := strings.Cut(pair, "=")
			if _, again := k[name]; again || !ok {
				t.Fatalf("keys %q", control)
			}
			k[name] = value
		}
		keys, payloads, s = append(keys, k), append(payloads, payload), rest
	}
	return keys, payloads
}

// decodeKitty reads a picture that is transmitted in chunks.
func decodeKitty(t *testing.T, s string) (image.Image, map[string]string) {
	t.Helper()
	keys, payloads := kittyCommands(t, s)
	for i, k := range keys {
		if more := i < len(keys)-1; (k["m"] == "1") != more || len(payloads[i]) > 4096 || more && len(payloads[i])%4 != 0 || i > 0 && len(k) != 1 {
			t.Fatalf("chunk %d of %d: keys %v, %d bytes", i, len(keys), k, len(payloads[i]))
		}
	}
	data, err := base64.StdEncoding.DecodeString(strings.Join(payloads, ""))
	if err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(strings.NewReader(string(data)))
	if err != nil {
		t.Fatal(err)
	}
	return picture, keys[0]
}

func TestKitty(t *testing.T) {
	for _, want := range []*image.RGBA{shades(300, 200), shades(1, 1)} {
		for number, keys := range map[int]map[string]string{
			0:  {"a": "T", "f": "100", "c": "30", "r": "10", "C": "1", "q": "2", "m": "1"},
			77: {"a": "T", "f": "100", "c": "30", "r": "10", "C": "1", "q": "2", "m": "1", "i": "77", "p": "1"},
		} {
			s, err := encode(Kitty, want, image.Pt(30, 10), number)
			if err != nil {
				t.Fatal(err)
			}
			got, k := decodeKitty(t, s)
			if n := apart(t, got, want); n != 0 {
				t.Errorf("pixels are off by %d", n)
			}
			if fmt.Sprint(k) != fmt.Sprint(keys) {
				t.Errorf("keys %v, want %v", k, keys)
			}
		}
	}
	if k, _ := kittyCommands(t, forgetKitty(77)); fmt.Sprint(k) != "[map[a:d d:I i:77 q:2]]" {
		t.Errorf("deleted by %v", k)
	}
}

// decodeITerm reads a picture of iTerm2's protocol.
func decodeITerm(t *testing.T, s string) (picture image.Image, columns, lines int) {
	t.Helper()
	m := regexp.MustCompile(`^\x1b\]1337;File=([^:]*):([A-Za-z0-9+/=]*)\x07$`).FindStringSubmatch(s)
	if m == nil {
		t.Fatalf("no picture: %.80q", s)
	}
	keys := environment(strings.ReplaceAll(m[1], ";", " "))
	data, err := base64.StdEncoding.DecodeString(m[2])
	if err != nil || keys("inline") != "1" || keys("preserveAspectRatio") != "0" || keys("size") != strconv.Itoa(len(data)) {
		t.Fatalf("%v, keys %s, %d bytes", err, m[1], len(data))
	}
	if picture, err = png.Decode(strings.NewReader(string(data))); err != nil {
		t.Fatal(err)
	}
	columns, _ = strconv.Atoi(keys("width"))
	lines, _ = strconv.Atoi(keys("height"))
	return picture, columns, lines
}

func TestITerm(t *testing.T) {
	want := shades(300, 200)
	s, err := encode(ITerm, want, image.Pt(30, 10), 0)
	if err != nil {
		t.Fatal(err)
	}
	got, columns, lines := decodeITerm(t, s)
	if n := apart(t, got, want); n != 0 || columns != 30 || lines != 10 {
		t.Errorf("pixels are off by %d; %d columns, %d lines", n, columns, lines)
	}
}

// decodeSixel reads a picture as DEC STD 070 describes it: registers of colours in
// hundredths, characters of six pixels above each other, repeats, carriage return
// and new line.
func decodeSixel(t *testing.T, s string) *image.RGBA {
	t.Helper()
	m := regexp.MustCompile(`^\x1bP[0-9;]*q"1;1;([0-9]+);([0-9]+)([!-~]*)\x1b\\$`).FindStringSubmatch(s)
	if m == nil {
		t.Fatalf("no picture: %.80q", s)
	}
	w, _ := strconv.Atoi(m[1])
	h, _ := strconv.Atoi(m[2])
	picture := image.NewRGBA(image.Rect(0, 0, w, h))
	registers := map[int]color.RGBA{}
	var colour color.RGBA
	x, y := 0, 0
	number := func(s string) (n int, rest string) {
		i := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
		n, err := strconv.Atoi(s[:i])
		if err != nil {
			t.Fatalf("no number: %.20q", s)
		}
		return n, s[i:]
	}
	put := func(c byte, times int) {
		if c < '?' || c > '~' {
			t.Fatalf("%q is no sixel", c)
		}
		for range times {
			for bit := range 6 {
				if (c-'?')>>bit&1 != 0 {
					if x >= w || y+bit >= h {
						t.Fatalf("a pixel at (%d, %d) of %dx%d", x, y+bit, w, h)
					}
					picture.SetRGBA(x, y+bit, colour)
				}
			}
			x++
		}
	}
	for data := m[3]; data != ""; {
		c := data[0]
		data = data[1:]
		switch c {
		case '#':
			var list []int
			for {
				var n int
				n, data = number(data)
				list = append(list, n)
				if data == "" || data[0] != ';' {
					break
				}
				data = data[1:]
			}
			if len(list) == 5 { // 2 is RGB
				share := func(n int) uint8 { return uint8((n*255 + 50) / 100) }
				registers[list[0]] = color.RGBA{share(list[2]), share(list[3]), share(list[4]), 255}
			}
			var ok bool
			if colour, ok = registers[list[0]]; !ok {
				t.Fatalf("register %d has no colour", list[0])
			}
		case '!':
			var n int
			n, data = number(data)
			put(data[0], n)
			data = data[1:]
		case '$':
			x = 0
		case '-':
			x, y = 0, y+6
		default:
			put(c, 1)
		}
	}
	return picture
}

func TestSixel(t *testing.T) {
	draw := func(p *image.RGBA) image.Image {
		s, err := encode(Sixel, p, image.Pt(10, 3), 0)
		if err != nil {
			t.Fatal(err)
		}
		return decodeSixel(t, s)
	}
	if n := apart(t, draw(few(97, 50)), few(97, 50)); n > 3 { // shares of 100
		t.Errorf("pixels are off by %d", n)
	}
	// Of too many colours the nearest of those that were chosen are taken.
	if n := typically(draw(shades(97, 50)), shades(97, 50)); n > 16 {
		t.Errorf("pixels are off by %.1f, typically", n)
	}
}

func TestBlocksAreNoPixels(t *testing.T) {
	for _, p := range []Protocol{Blocks, None} {
		if _, err := encode(p, few(2, 2), image.Pt(1, 1), 0); err == nil {
			t.Errorf("%s draws pixels", p)
		}
	}
}
