package imageio

import (
	"image"
	"slices"
	"testing"
)

func TestMeans(t *testing.T) {
	m := raster{pix: []float32{0, 10, 20, 2, 20, 40, 4, 30, 60, 6, 40, 80}, w: 2, h: 2, c: 3, depth: 8}
	pixels := m.dense()
	if got := MeanOf(pixels); !slices.Equal(got, []float32{3, 25, 50}) {
		t.Errorf("whole image: %v", got)
	}
	for _, c := range []struct {
		rect image.Rectangle
		want []float32
	}{
		{image.Rect(0, 0, 1, 2), []float32{2, 20, 40}},
		{image.Rect(1, 1, 9, 9), []float32{6, 40, 80}},
		{image.Rect(-3, -3, 2, 1), []float32{1, 15, 30}},
		{image.Rect(2, 0, 4, 2), []float32{0, 0, 0}},
	} {
		if got := MeanOfRect(pixels, c.rect); !slices.Equal(got, c.want) {
			t.Errorf("%v: %v, want %v", c.rect, got, c.want)
		}
	}
}
