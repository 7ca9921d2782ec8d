package heatmap

import (
	"image"
	"testing"

	"pgregory.net/rapid"
)

func TestPictureSize(t *testing.T) {
	for _, tt := range []struct {
		w, h, panels int
		want         image.Point
	}{
		{224, 224, 1, image.Pt(672, 672)}, // three times
		{299, 299, 1, image.Pt(598, 598)},
		{32, 32, 1, image.Pt(640, 640)},
		{28, 20, 1, image.Pt(644, 460)},
		{600, 450, 1, image.Pt(600, 450)},
		{512, 512, 1, image.Pt(640, 640)}, // five quarters
		{1000, 500, 1, image.Pt(1000, 500)},
		{4000, 2000, 1, image.Pt(1120, 560)},
		{224, 224, 3, image.Pt(448, 448)},
		{224, 224, 40, image.Pt(224, 224)},
		{1, 100000, 1, image.Pt(1, 1120)},
		{1, 1, 1, image.Pt(640, 640)},
	} {
		if got := pictureSize(tt.w, tt.h, tt.panels); got != tt.want {
			t.Errorf("%dx%d in %d panels: %v, want %v", tt.w, tt.h, tt.panels, got, tt.want)
		}
	}
}

func TestPanelColumns(t *testing.T) {
	for panels, want := range map[int]int{1: 1, 2: 2, 3: 3, 4: 2, 5: 3, 6: 3, 9: 3, 10: 4, 17: 5} {
		if got := panelColumns(panels); got != want {
			t.Errorf("%d panels stand in %d columns, want %d", panels, got, want)
		}
	}
}

// Nothing overlaps and nothing leaves the page.
func TestPlaceKeepsPartsApart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := content{
			panels:    rapid.IntRange(1, 20).Draw(t, "panels"),
			original:  rapid.Bool().Draw(t, "original"),
			picture:   image.Pt(rapid.IntRange(1, 1120).Draw(t, "w"), rapid.IntRange(1, 1120).Draw(t, "h")),
			tickWidth: rapid.IntRange(5, 60).Draw(t, "ticks"),
			titled:    rapid.Bool().Draw(t, "titled"),
			caption:   rapid.IntRange(0, 3).Draw(t, "caption"),
		}
		l, ok := place(c)
		if !ok {
			t.Fatalf("%+v does not fit", c)
		}
		page := image.Rectangle{Max: l.size}
		var taken []image.Rectangle
		for i, p := range l.panels {
			if p.picture.Size() != c.picture {
				t.Fatalf("panel %d shows %v, want %v", i, p.picture.Size(), c.picture)
			}
			parts := []image.Rectangle{p.picture,
				image.Rect(p.picture.Min.X, p.picture.Min.Y-headHeight, p.right, p.picture.Min.Y)}
			if !(c.original && i == 0) {
				numbers := p.bar
				numbers.Max.X += tickLength + tickGap + c.tickWidth + labelHeight
				parts = append(parts, numbers)
			}
			for _, part := range parts {
				if !part.In(page) {
					t.Fatalf("panel %d: %v leaves the page %v", i, part, page)
				}
				for _, other := range taken {
					if part.Overlaps(other) {
						t.Fatalf("panel %d: %v overlaps %v", i, part, other)
					}
				}
			}
			taken = append(taken, parts...)
		}
		lowest := 0
		for _, part := range taken {
			lowest = max(lowest, part.Max.Y)
		}
		if c.caption > 0 && (l.caption-lineHeight < lowest || l.caption+(c.caption-1)*lineHeight >= l.size.Y) {
			t.Fatalf("the caption at %d does not lie between %d and %d", l.caption, lowest, l.size.Y)
		}
	})
}
