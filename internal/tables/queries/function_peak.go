package queries

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
)

// peak is peak(x, y, v): where v is largest, as JSON. Of equal values it is the
// first from the top, then from the left.
type peak struct {
	first, last int   // numbers of the oldest row that is there and of the next one
	best        []top // rows that are largest once those before them are gone
}

type top struct {
	row     int
	x, y, v float64
}

func (a top) beats(b top) bool {
	switch {
	case a.v != b.v:
		return a.v > b.v
	case a.y != b.y:
		return a.y < b.y
	}
	return a.x <= b.x
}

func (p *peak) step(arguments []driver.Value) error {
	if len(arguments) != 3 {
		return fmt.Errorf("it takes x, y and a value, or nothing for x, y, p_drop; here are %d arguments", len(arguments))
	}
	v, null, err := numbers(arguments, "x", "y", "the value")
	if err != nil {
		return err
	}
	row := p.last
	p.last++
	if null {
		return nil
	}
	t := top{row, v[0], v[1], v[2]}
	for len(p.best) > 0 && t.beats(p.best[len(p.best)-1]) {
		p.best = p.best[:len(p.best)-1]
	}
	p.best = append(p.best, t)
	return nil
}

func (p *peak) inverse([]driver.Value) error {
	if len(p.best) > 0 && p.best[0].row == p.first {
		p.best = p.best[1:]
	}
	p.first++
	return nil
}

func (p *peak) value() (driver.Value, error) {
	if len(p.best) == 0 {
		return nil, nil
	}
	t := p.best[0]
	out, err := json.Marshal(struct {
		X     float64 `json:"x"`
		Y     float64 `json:"y"`
		Value float64 `json:"value"`
	}{t.x, t.y, t.v})
	if err != nil { // an infinity
		return nil, fmt.Errorf("the largest value is %g", t.v)
	}
	return string(out), nil
}
