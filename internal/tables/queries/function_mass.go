package queries

import (
	"database/sql/driver"
	"fmt"
)

// massIn is mass_in(bx, by, bw, bh, x, y, w, h, v): the share of all positive v that
// lies in a box, each spread evenly over its patch.
//
//	sum of max(v, 0) |patch ∩ box| / |patch|   over   sum of max(v, 0)
//
// What leaves a window is subtracted again: rounding is that of the largest values
// that were there.
type massIn struct {
	inside, all sum
	positive    int // rows whose v is above zero
}

func (m *massIn) step(arguments []driver.Value) error    { return m.add(arguments, 1) }
func (m *massIn) inverse(arguments []driver.Value) error { return m.add(arguments, -1) }

func (m *massIn) add(arguments []driver.Value, times int) error {
	if len(arguments) != 9 {
		return fmt.Errorf("it takes a box (x, y, width, height), and then x, y, w, h and a value, or nothing for x, y, w, h, p_drop; here are %d arguments", len(arguments))
	}
	a, null, err := numbers(arguments, "the box's x", "the box's y", "the box's width", "the box's height", "x", "y", "w", "h", "the value")
	switch {
	case err != nil:
		return err
	case null:
		return nil
	case a[2] < 0 || a[3] < 0:
		return fmt.Errorf("a box of %gx%g is less than nothing", a[2], a[3])
	case a[6] <= 0 || a[7] <= 0:
		return fmt.Errorf("a patch of %gx%g has no area", a[6], a[7])
	case !(a[8] > 0):
		return nil
	}
	share := overlap(a[0], a[2], a[4], a[6]) * overlap(a[1], a[3], a[5], a[7]) / (a[6] * a[7])
	m.positive += times
	m.inside.add(float64(times) * a[8] * share)
	m.all.add(float64(times) * a[8])
	if m.positive == 0 { // and no rounding is left
		m.inside, m.all = sum{}, sum{}
	}
	return nil
}

// overlap is the length that two intervals share, each given by its start and length.
func overlap(a, length, b, width float64) float64 {
	return max(0, min(a+length, b+width)-max(a, b))
}

func (m *massIn) value() (driver.Value, error) {
	if m.positive == 0 {
		return nil, nil
	}
	return min(max(m.inside.total()/m.all.total(), 0), 1), nil
}
