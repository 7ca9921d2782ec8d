package metamorphic

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
)

// condition is a condition of WHERE and what it says.
type condition struct {
	text  string
	holds func(x, y, w, h float64) bool
}

// number is an expression of numbers in it.
type number struct {
	text string
	of   func(x, y, w, h float64) float64
}

// conditions draws a condition that holds at (0, 0), where every grid has a position.
func conditions(rng *rand.Rand, width, height int) condition {
	c := someCondition(rng, 2, max(width, height))
	return condition{
		"(" + c.text + ") OR x = 0 AND y = 0",
		func(x, y, w, h float64) bool { return c.holds(x, y, w, h) || x == 0 && y == 0 },
	}
}

func someCondition(rng *rand.Rand, depth, side int) condition {
	n := func() number { return someNumber(rng, 1, side) }
	kind := rng.IntN(4)
	if depth > 0 {
		kind = rng.IntN(7)
	}
	switch kind {
	case 0:
		a, b := n(), n()
		return condition{a.text + " < " + b.text, func(x, y, w, h float64) bool { return a.of(x, y, w, h) < b.of(x, y, w, h) }}
	case 1:
		a, b := n(), n()
		return condition{a.text + " >= " + b.text, func(x, y, w, h float64) bool { return a.of(x, y, w, h) >= b.of(x, y, w, h) }}
	case 2:
		a, low, high := n(), float64(rng.IntN(side)), float64(rng.IntN(side))
		low, high = min(low, high), max(low, high)
		not := rng.IntN(3) == 0
		return condition{
			fmt.Sprintf("%s %sBETWEEN %g AND %g", a.text, map[bool]string{true: "NOT "}[not], low, high),
			func(x, y, w, h float64) bool { v := a.of(x, y, w, h); return (v >= low && v <= high) != not },
		}
	case 3:
		a, b, c := n(), float64(rng.IntN(side)), float64(rng.IntN(side))
		return condition{
			fmt.Sprintf("%s NOT IN (%g, %g)", a.text, b, c),
			func(x, y, w, h float64) bool { v := a.of(x, y, w, h); return v != b && v != c },
		}
	case 4:
		a := someCondition(rng, depth-1, side)
		return condition{"NOT (" + a.text + ")", func(x, y, w, h float64) bool { return !a.holds(x, y, w, h) }}
	}
	a, b := someCondition(rng, depth-1, side), someCondition(rng, depth-1, side)
	if kind == 5 {
		return condition{"(" + a.text + ") AND (" + b.text + ")", func(x, y, w, h float64) bool { return a.holds(x, y, w, h) && b.holds(x, y, w, h) }}
	}
	return condition{"(" + a.text + ") OR " + b.text, func(x, y, w, h float64) bool { return a.holds(x, y, w, h) || b.holds(x, y, w, h) }}
}

func someNumber(rng *rand.Rand, depth, side int) number {
	column := []number{
		{"x", func(x, _, _, _ float64) float64 { return x }}, {"y", func(_, y, _, _ float64) float64 { return y }},
		{"w", func(_, _, w, _ float64) float64 { return w }}, {"h", func(_, _, _, h float64) float64 { return h }},
	}
	kind := rng.IntN(4)
	if depth == 0 {
		kind = rng.IntN(2)
	}
	switch kind {
	case 0:
		v := float64(rng.IntN(side))
		return number{fmt.Sprint(v), func(_, _, _, _ float64) float64 { return v }}
	case 1:
		return column[rng.IntN(4)]
	case 2:
		a, by := column[rng.IntN(2)], float64(2+rng.IntN(4))
		return number{fmt.Sprintf("%s %% %g", a.text, by), func(x, y, w, h float64) float64 { return math.Mod(a.of(x, y, w, h), by) }}
	}
	a, b := someNumber(rng, depth-1, side), someNumber(rng, depth-1, side)
	switch rng.IntN(3) {
	case 0:
		return number{"(" + a.text + " + " + b.text + ")", func(x, y, w, h float64) float64 { return a.of(x, y, w, h) + b.of(x, y, w, h) }}
	case 1:
		return number{"(" + strings.TrimSpace(a.text) + " - " + b.text + " * 2)", func(x, y, w, h float64) float64 { return a.of(x, y, w, h) - b.of(x, y, w, h)*2 }}
	}
	return number{a.text + " / 2", func(x, y, w, h float64) float64 { return a.of(x, y, w, h) / 2 }}
}
