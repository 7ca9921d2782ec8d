package executor_test

import (
	"context"
	"fmt"
	"image"
	"math"
	"testing"

	"gorgonia.org/tensor"

	"occlude/internal/imageio"
	"occlude/operators/cpu"
)

// pixels is a picture by pixel and channel, red, green and blue from 0 to 255.
type pixels [][][3]float64

func pixelsOf(m *image.NRGBA) pixels {
	p := make(pixels, m.Bounds().Dy())
	for y := range p {
		p[y] = make([][3]float64, m.Bounds().Dx())
		for x := range p[y] {
			c := m.NRGBAAt(x, y)
			p[y][x] = [3]float64{float64(c.R), float64(c.G), float64(c.B)}
		}
	}
	return p
}

// mean is each channel's mean over a rectangle.
func (p pixels) mean(x0, y0, w, h int) (m [3]float64) {
	for y := y0; y < y0+h; y++ {
		for x := x0; x < x0+w; x++ {
			for c := range m {
				m[c] += p[y][x][c] / float64(w*h)
			}
		}
	}
	return m
}

// blurred is a pixel under a Gaussian that ends at four sigma, mirrored at the
// borders: the definition, both axes at once.
func (p pixels) blurred(x, y int, sigma float64) (v [3]float64) {
	r := int(math.Round(4 * sigma))
	mirror := func(i, n int) int {
		for i < 0 || i >= n {
			if i < 0 {
				i = -1 - i
			} else {
				i = 2*n - 1 - i
			}
		}
		return i
	}
	sum := 0.0
	for dy := -r; dy <= r; dy++ {
		for dx := -r; dx <= r; dx++ {
			weight := math.Exp(-float64(dx*dx+dy*dy) / (2 * sigma * sigma))
			sum += weight
			for c, q := range p[mirror(y+dy, len(p))][mirror(x+dx, len(p[0]))] {
				v[c] += weight * q
			}
		}
	}
	for c := range v {
		v[c] /= sum
	}
	return v
}

// Every fill against its definition: the picture is covered by hand, normalised
// by hand, and shown to the network as a clean image.
func TestFillsAreTheirDefinition(t *testing.T) {
	long(t)
	b := newBench(t)
	b.run(chest)
	b.run(`CREATE MODEL reversed FROM 'examples/models/chest.onnx'
	  WITH (channels = 'bgr', scale = 0.01, mean = [1.1, 1.2, 1.3], std = [0.7, 0.8, 0.9]);`)
	clean := pixelsOf(colourful(t, "in.png", 224, 3))
	other := pixelsOf(colourful(t, "other.png", 224, 4))
	noise := imageio.Noise(11, 224, 224, 3).Data().([]float32)

	plain := func(r, g, b float64) func(x, y, px, py int) [3]float64 {
		return func(_, _, _, _ int) [3]float64 { return [3]float64{r, g, b} }
	}
	whole := clean.mean(0, 0, 224, 224)
	const w, h = 30, 12
	for _, c := range []struct {
		fill string
		at   func(x, y, px, py int) [3]float64 // pixel (x, y) under the patch at (px, py)
	}{
		{"", plain(128, 128, 128)},
		{"FILL gray", plain(128, 128, 128)},
		{"FILL 'black'", plain(0, 0, 0)},
		{"FILL white", plain(255, 255, 255)},
		{"FILL '#7f6f5e'", plain(0x7f, 0x6f, 0x5e)},
		{"FILL rgb(12.5, 200, 77)", plain(12.5, 200, 77)},
		{"FILL mean(image)", plain(whole[0], whole[1], whole[2])},
		{"FILL mean(patch)", func(_, _, px, py int) [3]float64 { return clean.mean(px, py, w, h) }},
		{"FILL blur(2.5)", func(x, y, _, _ int) [3]float64 { return clean.blurred(x, y, 2.5) }},
		{"FILL image('other.png')", func(x, y, _, _ int) [3]float64 { return other[y][x] }},
		{"FILL noise(11)", func(x, y, _, _ int) [3]float64 {
			at := (y*224 + x) * 3
			return [3]float64{float64(noise[at]), float64(noise[at+1]), float64(noise[at+2])}
		}},
	} {
		for model, normal := range map[string]func(pixel [3]float64) [3]float64{
			"chest": func(v [3]float64) [3]float64 {
				return [3]float64{(v[0]/255 - .3) / .27, (v[1]/255 - .3) / .27, (v[2]/255 - .3) / .27}
			},
			"reversed": func(v [3]float64) [3]float64 {
				return [3]float64{(v[2]*.01 - 1.1) / .7, (v[1]*.01 - 1.2) / .8, (v[0]*.01 - 1.3) / .9}
			},
		} {
			got := b.one(fmt.Sprintf("OCCLUDE 'in.png' USING %s FOR TOP 5 PATCH %dx%d %s AT (0, 0), (101, 77), (194, 212) WITH (plan = incremental);", model, w, h, c.fill))
			program, err := cpu.New(context.Background(), got.Plan.Net, cpu.Options{})
			if err != nil {
				t.Fatal(err)
			}
			for i, at := range got.Plan.Grid.Positions {
				data := make([]float32, 0, 224*224*3)
				for y := range 224 {
					for x := range 224 {
						v := clean[y][x]
						if x >= at.X && x < at.X+w && y >= at.Y && y < at.Y+h {
							v = c.at(x, y, at.X, at.Y)
						}
						for _, n := range normal(v) {
							data = append(data, float32(n))
						}
					}
				}
				views, err := program.Base(context.Background(), tensor.New(tensor.WithShape(224, 224, 3), tensor.WithBacking(data)), 2)
				if err != nil {
					t.Fatal(err)
				}
				want := views.Output(got.Plan.Net.Output.Index)
				for _, class := range got.Classes {
					if d := math.Abs(float64(class.P[i]) - float64(want[class.ID])); !(d <= 1e-5) {
						t.Errorf("%s %s at (%d, %d): p of class %d is %g, by hand %g", model, c.fill, at.X, at.Y, class.ID, class.P[i], want[class.ID])
					}
				}
			}
		}
	}
}

// A gray model sees a colour's luma, as it sees a colour picture.
func TestFillColourOfGrayModel(t *testing.T) {
	b := newBench(t)
	b.grayModel("gray.onnx", 20)
	b.run("CREATE MODEL g FROM 'gray.onnx' WITH (output = raw);")
	colourful(t, "in.png", 20, 5)
	h := b.one("OCCLUDE 'in.png' USING g FOR CLASS 0 PATCH 20 FILL rgb(10, 20, 30);")
	want := (.299*10 + .587*20 + .114*30) / 255 // the model is the mean of the pixels
	if d := math.Abs(float64(h.Classes[0].P[0]) - want); !(d < 1e-6) {
		t.Errorf("p = %g under a colour of luma %g", h.Classes[0].P[0], want)
	}
}
