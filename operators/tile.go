package operators

import (
	"occlude/internal/network"
	"occlude/operators/region"
)

// Tile is a rectangle of a feature map in memory. Cells are C values long and
// stand one behind the other within a row; rows start Stride values apart.
type Tile struct {
	Rect   region.Rect
	C      int
	Stride int
	Data   []float32 // starts with the cell at the rectangle's top left
}

// NewTile lays a tile without gaps over data, which holds at least
// rect.Area()*c values.
func NewTile(rect region.Rect, c int, data []float32) Tile {
	return Tile{Rect: rect, C: c, Stride: rect.W() * c, Data: data[:rect.Area()*c]}
}

// WholeTile lays a tile over a whole feature map.
func WholeTile(s network.Shape, data []float32) Tile { return NewTile(s.Whole(), s.C, data) }

// Empty tells whether the tile holds nothing.
func (t Tile) Empty() bool { return t.Rect.Empty() }

// Row is the values of row y from column x0 up to x1, all in map coordinates
// and inside the tile.
func (t Tile) Row(y, x0, x1 int) []float32 {
	at := (y-t.Rect.Y.Lo)*t.Stride + (x0-t.Rect.X.Lo)*t.C
	n := (x1 - x0) * t.C
	return t.Data[at : at+n : at+n]
}

// Cell is the C values of one cell.
func (t Tile) Cell(y, x int) []float32 { return t.Row(y, x, x+1) }

// Sub is the part of the tile inside r.
func (t Tile) Sub(r region.Rect) Tile {
	r = r.Intersect(t.Rect)
	if r.Empty() {
		return Tile{C: t.C}
	}
	at := (r.Y.Lo-t.Rect.Y.Lo)*t.Stride + (r.X.Lo-t.Rect.X.Lo)*t.C
	end := at + (r.H()-1)*t.Stride + r.W()*t.C
	return Tile{Rect: r, C: t.C, Stride: t.Stride, Data: t.Data[at:end:end]}
}

// Source is an input of a layer as one position sees it: the update over the
// materialized view. The view may be missing where the update covers the whole
// map, the update where nothing changed.
type Source struct {
	Shape  network.Shape
	View   Tile
	Update Tile
	// Around is the update with cells around it as they are in one piece of
	// memory: the view's inside the map, zeros outside. It holds the update at
	// least, or is the zero Tile where nobody prepared it.
	Around Tile
}

// Row gives the values of row y, columns x0 to x1, inside the map. It is a slice
// of the update or of the view where either holds all of it; a row that
// crosses the update's border is put together in buf, which must have room.
func (s Source) Row(y, x0, x1 int, buf []float32) []float32 {
	u := s.Update.Rect
	inside := region.Interval{Lo: x0, Hi: x1}.Intersect(u.X)
	if y < u.Y.Lo || y >= u.Y.Hi || inside.Empty() {
		return s.View.Row(y, x0, x1)
	}
	if inside.Lo == x0 && inside.Hi == x1 {
		return s.Update.Row(y, x0, x1)
	}
	if a := s.Around.Rect.X; a.Lo <= x0 && x1 <= a.Hi {
		return s.Around.Row(y, x0, x1)
	}
	c := s.Shape.C
	buf = buf[:(x1-x0)*c]
	copy(buf, s.View.Row(y, x0, inside.Lo))
	copy(buf[(inside.Lo-x0)*c:], s.Update.Row(y, inside.Lo, inside.Hi))
	copy(buf[(inside.Hi-x0)*c:], s.View.Row(y, inside.Hi, x1))
	return buf
}

// Gather copies the rectangle r, which may reach past the map, into dst, which
// is packed; cells outside the map get the value pad.
func (s Source) Gather(dst []float32, r region.Rect, pad float32) {
	c, w := s.Shape.C, r.W()*s.Shape.C
	in := r.Clip(s.Shape.H, s.Shape.W)
	for y := r.Y.Lo; y < r.Y.Hi; y++ {
		row := dst[(y-r.Y.Lo)*w:][:w]
		if in.Empty() || y < in.Y.Lo || y >= in.Y.Hi {
			fill(row, pad)
			continue
		}
		left, right := (in.X.Lo-r.X.Lo)*c, (in.X.Hi-r.X.Lo)*c
		fill(row[:left], pad)
		fill(row[right:], pad)
		inner := row[left:right]
		if got := s.Row(y, in.X.Lo, in.X.Hi, inner); &got[0] != &inner[0] {
			copy(inner, got)
		}
	}
}

func fill(row []float32, v float32) {
	for i := range row {
		row[i] = v
	}
}
