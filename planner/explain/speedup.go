package explain

import (
	"occlude/internal/network"
	"occlude/operators/region"
)

// Speedup is how many times fewer multiply-adds incremental inference needs than
// full inference, for square patches: Krypton's theoretical speedup. 0 stands
// for a network that has none to count.
type Speedup struct {
	Patch     int  `json:"patch"`
	Central   Gain `json:"central"`   // the patch in the middle of the image
	Mean      Gain `json:"mean"`      // ratio of the sums over the grid
	Positions int  `json:"positions"` // of the grid
}

// Gain is a speedup of the convolutions alone, and of all layers.
type Gain struct {
	Convolutions float64 `json:"convolutions"`
	All          float64 `json:"all"`
}

// The grid and the patches of the theoretical speedups.
const speedupStride = 4

var speedupPatches = []int{4, 8, 16, 32}

func speedups(net *network.Network) []Speedup {
	in := net.Input().Shape
	counter := newCounter(net)
	out := []Speedup{}
	for _, patch := range speedupPatches {
		if patch > in.W || patch > in.H {
			break
		}
		s := Speedup{Patch: patch}
		s.Central = counter.full.over(counter.at(region.Of((in.W-patch)/2, (in.H-patch)/2, patch, patch)))
		var sum, full macs
		for _, y := range offsets(in.H, patch) {
			for _, x := range offsets(in.W, patch) {
				sum = sum.plus(counter.at(region.Of(x, y, patch, patch)))
				full = full.plus(counter.full)
				s.Positions++
			}
		}
		s.Mean = full.over(sum)
		out = append(out, s)
	}
	return out
}

// offsets are the positions along an axis of n pixels: every fourth, and one
// flush with the far edge.
func offsets(n, patch int) []int {
	at := []int{}
	for v := 0; v+patch <= n; v += speedupStride {
		at = append(at, v)
	}
	if last := n - patch; at[len(at)-1] != last {
		at = append(at, last)
	}
	return at
}

// macs are multiply-adds of the convolutions and of all layers.
type macs struct{ convolutions, all int64 }

func (m macs) plus(o macs) macs { return macs{m.convolutions + o.convolutions, m.all + o.all} }

func (m macs) over(o macs) Gain {
	return Gain{
		Convolutions: ratio(float64(m.convolutions), float64(o.convolutions)),
		All:          ratio(float64(m.all), float64(o.all)),
	}
}

// counter counts a network's multiply-adds for changed rectangles of its image.
type counter struct {
	net   *network.Network
	full  macs
	rects []region.Rect
	// The layers that multiply, with the multiply-adds of a cell.
	layers []*network.Layer
	cell   []int64
}

func newCounter(net *network.Network) *counter {
	c := &counter{net: net}
	for _, l := range net.Layers {
		if n := l.Work(l.Shape.Whole()).MACs; n > 0 {
			c.layers = append(c.layers, l)
			c.cell = append(c.cell, n/int64(l.Shape.Cells()))
		}
	}
	c.full = c.at(net.Input().Shape.Whole())
	return c
}

// at counts what a change of the rectangle costs.
func (c *counter) at(rect region.Rect) macs {
	c.rects = c.net.Trace(rect, c.rects)
	var m macs
	for i, l := range c.layers {
		n := c.cell[i] * int64(c.rects[l.Index].Area())
		m.all += n
		if _, ok := l.Op.(network.Conv); ok {
			m.convolutions += n
		}
	}
	return m
}
