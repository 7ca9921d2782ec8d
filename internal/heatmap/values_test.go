package heatmap

import (
	"bytes"
	"image"
	"image/png"
	"testing"
)

// Values are warm above zero, cold below, and nothing has no colour.
func TestValues(t *testing.T) {
	v := Values{X: []int{0, 40, 80}, Y: []int{0, 40}, PatchW: 40, PatchH: 40, V: []float32{1, 0, -1, 1, nan, -1}, Label: "value"}
	var out bytes.Buffer
	if err := v.EncodePNG(&out); err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(&out)
	if err != nil {
		t.Fatal(err)
	}
	size := picture.Bounds().Size()
	third := size.X / 5 // of the map, beside which is the colour bar
	warm, cold := warmth(picture, image.Rect(third/2, 0, third, size.Y)), warmth(picture, image.Rect(3*third, 0, 7*third/2, size.Y))
	if warm < 20 || cold > -20 {
		t.Errorf("red less blue is %g on the left and %g on the right", warm, cold)
	}
	for _, bad := range []Values{
		{X: []int{0, 0}, Y: []int{0}, PatchW: 1, PatchH: 1, V: make([]float32, 2)},
		{X: []int{0}, Y: []int{0}, PatchW: 1, PatchH: 1},
		{},
	} {
		if err := bad.EncodePNG(&out); err == nil {
			t.Errorf("%+v is drawn", bad)
		}
	}
}

// warmth is how much more red than blue there is on average, of 255.
func warmth(p image.Image, in image.Rectangle) float64 {
	total, n := 0.0, 0.0
	for y := in.Min.Y; y < in.Max.Y; y++ {
		for x := in.Min.X; x < in.Max.X; x++ {
			r, _, b, _ := p.At(x, y).RGBA()
			total += (float64(r) - float64(b)) / 257
			n++
		}
	}
	return total / n
}
