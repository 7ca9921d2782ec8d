package queries

import (
	"bytes"
	"database/sql/driver"
	"fmt"
	"math"
	"slices"
)

// heatMap is heatmap(x, y, v) and heatmap(x, y, w, h, v), with 'png' behind for a
// picture: the grid of the positions that there are, rows by y and columns by x. A
// cell is the mean of its values, NaN where there is none.
type heatMap struct {
	cells map[[2]float64]*cell
	// What the first row said: the same for all of a group.
	picture bool
	w, h    float64 // of the patch; 0 where it was not said
}

type cell struct {
	rows int // that name it
	n    int // of those, how many have a value
	sum  sum
}

// maxCells is the size of the largest grid, which takes some 200 MB here. More is no
// heat map, but a mistake.
const maxCells = 1 << 21

func newHeatMap() *heatMap { return &heatMap{cells: map[[2]float64]*cell{}} }

// position reads the arguments of a row.
func (m *heatMap) position(arguments []driver.Value) (at [2]float64, v float64, missing, null bool, err error) {
	columns := arguments
	picture := false
	if n := len(arguments); n > 0 {
		if kind, ok := arguments[n-1].(string); ok && (n == 4 || n == 6) {
			if kind != "png" {
				return at, 0, false, false, fmt.Errorf("the last argument is %s; 'png' makes a picture, and without it an array is made", shown(kind))
			}
			picture, columns = true, arguments[:n-1]
		}
	}
	var a []float64
	var size [2]float64
	switch len(columns) {
	case 3:
		a, null, err = numbers(columns, "x", "y")
	case 5:
		if a, null, err = numbers(columns, "x", "y", "w", "h"); err == nil && !null {
			if size = [2]float64{a[2], a[3]}; !(size[0] >= 1 && size[1] >= 1) {
				err = fmt.Errorf("a patch of %gx%g has no area", size[0], size[1])
			}
		}
	default:
		err = fmt.Errorf("it takes x, y and a value, or x, y, w, h and a value, or nothing for x, y, w, h, p_drop, and then 'png' for a picture; here are %d arguments", len(arguments))
	}
	if err != nil || null {
		return at, 0, false, null, err
	}
	value, missing, err := numbers(columns[len(columns)-1:], "the value")
	if err != nil {
		return at, 0, false, false, err
	}
	if len(m.cells) > 0 && (m.w != size[0] || m.h != size[1]) {
		return at, 0, false, false, fmt.Errorf("patches of %gx%g and of %gx%g make no one grid", m.w, m.h, size[0], size[1])
	}
	m.picture, m.w, m.h = picture, size[0], size[1]
	return [2]float64{a[0], a[1]}, value[0], missing, false, nil
}

func (m *heatMap) step(arguments []driver.Value) error {
	_, _, err := m.add(arguments)
	return err
}

// add takes a row, and says how many its position now has.
func (m *heatMap) add(arguments []driver.Value) (at [2]float64, rows int, err error) {
	at, v, missing, null, err := m.position(arguments)
	if err != nil || null {
		return at, 0, err
	}
	c := m.cells[at]
	if c == nil {
		if len(m.cells) == maxCells {
			return at, 0, fmt.Errorf("more than %d positions are no heat map", maxCells)
		}
		c = &cell{}
		m.cells[at] = c
	}
	c.rows++
	if !missing {
		c.n++
		c.sum.add(v)
	}
	return at, c.rows, nil
}

func (m *heatMap) inverse(arguments []driver.Value) error {
	at, v, missing, null, err := m.position(arguments)
	if err != nil || null {
		return err
	}
	c := m.cells[at]
	if c.rows--; c.rows == 0 {
		delete(m.cells, at)
		return nil
	}
	if !missing {
		c.n--
		c.sum.add(-v)
	}
	return nil
}

func (m *heatMap) value() (driver.Value, error) {
	if len(m.cells) == 0 {
		return nil, nil
	}
	g, err := m.grid()
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if m.picture {
		err = g.PNG(&out)
	} else {
		err = g.NPY(&out)
	}
	return out.Bytes(), err
}

// grid spreads the cells out.
func (m *heatMap) grid() (*Grid, error) {
	axes := [2][]float64{}
	for at := range m.cells {
		axes[0], axes[1] = append(axes[0], at[0]), append(axes[1], at[1])
	}
	index := [2]map[float64]int{}
	for i := range axes {
		slices.Sort(axes[i])
		axes[i] = slices.Compact(axes[i])
		index[i] = make(map[float64]int, len(axes[i]))
		for j, v := range axes[i] {
			index[i][v] = j
		}
	}
	g := &Grid{X: axes[0], Y: axes[1], W: m.w, H: m.h}
	if len(g.X) > maxCells/len(g.Y) {
		return nil, fmt.Errorf("a grid of %d x %d positions is no heat map", len(g.X), len(g.Y))
	}
	g.V = make([]float32, len(g.X)*len(g.Y))
	for i := range g.V {
		g.V[i] = float32(math.NaN())
	}
	for at, c := range m.cells {
		if c.n > 0 {
			g.V[index[1][at[1]]*len(g.X)+index[0][at[0]]] = float32(c.sum.total() / float64(c.n))
		}
	}
	return g, nil
}
