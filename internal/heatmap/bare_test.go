package heatmap

import (
	"image/color"
	"math"
	"testing"
)

// Two positions side by side, a third of the scale apart, and one without a value.
func TestBare(t *testing.T) {
	nan := float32(math.NaN())
	m := Map{
		Rows: 1, Cols: 3, X: []int{0, 4, 8}, Y: []int{0}, PatchW: 4, PatchH: 4,
		P: []float32{0.3, 0.5, nan}, P0: 0.4, Class: "a",
	}
	got, err := Bare(m, "jet_r", 12, 4)
	if err != nil {
		t.Fatal(err)
	}
	jet, err := findColormap("jet_r")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		x    int
		want color.RGBA
	}{
		{0, jet.at(0).rgba()},     // 0.3 is 0.75 p0
		{11, color.RGBA{}},        // not evaluated
		{3, jet.at(0.375).rgba()}, // 1.5 of 4 pixels from the first centre to the second
		{7, jet.at(1).rgba()},     // 0.5 is 1.25 p0
	} {
		if g := got.RGBAAt(c.x, 2); apart(g, c.want) > 1 {
			t.Errorf("pixel %d is %v, want %v", c.x, g, c.want)
		}
	}
	if _, err := Bare(m, "jet_r", 8, 4); err == nil {
		t.Error("a position outside the picture was drawn")
	}
	if _, err := Bare(m, "jot", 12, 4); err == nil {
		t.Error("an unknown colour map was drawn with")
	}
}
