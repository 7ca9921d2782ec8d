package chart

import (
	"bytes"
	"image"
	"image/color"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"occlude/internal/typeset"
)

// columns counts the pixels of a colour in the row of pixels through a bar, above the
// line and the diamond that may cover its middle.
func columns(picture *image.RGBA, p *barsPainter, row int, c color.RGBA) int {
	y := p.plot.Min.Y + row*rowHeight + rowHeight/2 - barHeight/2 + 1
	n := 0
	for x := p.plot.Min.X; x < picture.Rect.Max.X; x++ {
		if picture.RGBAAt(x, y) == c {
			n++
		}
	}
	return n
}

// A bar is as long as its number says, and nothing leaves the page.
func TestLengths(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := &Bars{Axis: "seconds", Title: rapid.SampledFrom([]string{"", "a title"}).Draw(t, "title"), Mark: "estimate"}
		unit := math.Pow(10, rapid.Float64Range(-7, 7).Draw(t, "unit"))
		for range rapid.IntRange(1, 6).Draw(t, "rows") {
			v := unit * rapid.Float64Range(0, 1).Draw(t, "value")
			r := Bar{Name: rapid.String().Draw(t, "name"), Note: "1.23 s · 4.56x", Value: v, Low: v * 0.9, High: v * 1.2, Mark: math.NaN()}
			if rapid.Bool().Draw(t, "marked") {
				r.Mark = unit * rapid.Float64Range(0, 1).Draw(t, "mark")
			}
			r.Strong = rapid.Bool().Draw(t, "strong")
			b.Rows = append(b.Rows, r)
		}
		picture, err := b.Render()
		if err != nil {
			t.Fatal(err)
		}
		p := &barsPainter{Bars: b}
		if p.faces, err = typeset.NewFaces(); err != nil {
			t.Fatal(err)
		}
		p.lay()
		for i, r := range b.Rows {
			c := usual
			if r.Strong {
				c = strong
			}
			want := r.Value / p.most * plotWidth
			if got := columns(picture, p, i, c); math.Abs(float64(got)-want) > 2 {
				t.Errorf("row %d of %g on an axis to %g is %d long, want %.1f", i, r.Value, p.most, got, want)
			}
			if end := p.x(r.most()); end > p.plot.Max.X {
				t.Errorf("row %d ends at %d, beyond %v", i, end, p.plot)
			}
		}
		for y := range picture.Rect.Max.Y {
			for _, x := range []int{0, picture.Rect.Max.X - 1} {
				if picture.RGBAAt(x, y) != (color.RGBA{0xff, 0xff, 0xff, 0xff}) {
					t.Fatalf("something is cut off at (%d, %d) of %v", x, y, picture.Rect)
				}
			}
		}
	})
}

func TestSameBytes(t *testing.T) {
	draw := func() []byte {
		var w bytes.Buffer
		b := Bars{Title: "t", Subtitle: "s", Caption: strings.Repeat("caption ", 50), Axis: "a", Rows: []Bar{{Name: "n", Value: 1, Mark: 2}}}
		if err := b.EncodePNG(&w); err != nil {
			t.Fatal(err)
		}
		return w.Bytes()
	}
	if !bytes.Equal(draw(), draw()) {
		t.Error("two pictures of one chart differ")
	}
}

func TestRefused(t *testing.T) {
	for _, b := range []Bars{
		{},
		{Rows: make([]Bar, mostRows+1)},
		{Rows: []Bar{{Value: -1}}},
		{Rows: []Bar{{Value: math.NaN()}}},
		{Rows: []Bar{{High: math.Inf(1)}}},
		{Rows: []Bar{{Mark: -1}}},
	} {
		if _, err := b.Render(); err == nil {
			t.Errorf("%d bars were drawn: %+v", len(b.Rows), b.Rows)
		}
	}
}
