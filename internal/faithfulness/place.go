package faithfulness

import "math"

// Marks are the pixels of an image, row by row, that somebody marked.
type Marks []bool

// Share is the share of the pixels that are marked: what the energy of a map would
// be that is the same everywhere.
func (m Marks) Share() float64 {
	n := 0
	for _, on := range m {
		if on {
			n++
		}
	}
	return float64(n) / float64(len(m))
}

// Within marks the pixels whose distance to a marked one, from centre to centre, is
// at most margin pixels.
func (m Marks) Within(margin float64, width int) Marks {
	height := len(m) / width
	before := make([]int, len(m)+1) // how many are marked of those before a pixel
	for at, on := range m {
		before[at+1] = before[at]
		if on {
			before[at+1]++
		}
	}
	reach := int(min(margin, float64(max(width, height))))
	out := make(Marks, len(m))
	for dy := -reach; dy <= reach; dy++ {
		half := int(math.Sqrt(max(0, margin*margin-float64(dy*dy))))
		for y := max(0, -dy); y < min(height, height-dy); y++ {
			row := (y + dy) * width
			for x := range width {
				from, to := row+max(0, x-half), row+min(width, x+half+1)
				out[y*width+x] = out[y*width+x] || before[to] > before[from]
			}
		}
	}
	return out
}

// Hit tells whether the map's peak is marked.
func (m *Map) Hit(marks Marks) bool {
	x, y, ok := m.Peak()
	return ok && marks[y*m.Width+x]
}

// Energy is the share of all positive importance that belongs to marked pixels; 0 of
// a map without any.
func (m *Map) Energy(marks Marks) float64 {
	inside, all := 0.0, 0.0
	for at, v := range m.Importance {
		if v > 0 {
			all += v
			if marks[at] {
				inside += v
			}
		}
	}
	if all == 0 {
		return 0
	}
	return inside / all
}
