package planner

import (
	"fmt"
	"math"

	"occlude/lang"
)

// Mask is a picture read as a region of the model's input.
type Mask interface{ On(x, y int) bool }

// condition compiles a WHERE expression into a predicate over positions.
type condition func(p Position) bool

// compileWhere binds an expression for patches of w x h pixels; mask reads the
// picture that inside names.
func (b *binder) compileWhere(e lang.Expr, w, h int) (condition, error) {
	switch e := e.(type) {
	case *lang.Or:
		return b.fold(e.Terms, w, h, true)
	case *lang.And:
		return b.fold(e.Terms, w, h, false)
	case *lang.Not:
		c, err := b.compileWhere(e.X, w, h)
		return func(p Position) bool { return !c(p) }, err
	case *lang.Compare:
		return b.compileCompare(e, w, h)
	case *lang.Between:
		x, err := compileNumber(e.X, w, h)
		if err != nil {
			return nil, err
		}
		low, err := compileNumber(e.Low, w, h)
		if err != nil {
			return nil, err
		}
		high, err := compileNumber(e.High, w, h)
		return func(p Position) bool {
			v := x(p)
			return (v >= low(p) && v <= high(p)) != e.Not
		}, err
	case *lang.In:
		return b.compileIn(e, w, h)
	case *lang.Inside:
		if err := checkFile(e.Mask, "mask"); err != nil {
			return nil, err
		}
		m, err := b.env.Mask(e.Mask.Value, b.spec)
		if err != nil {
			return nil, lang.Errorf(e.Mask.Span(), "%w", err)
		}
		return func(p Position) bool { return m.On(p.X+w/2, p.Y+h/2) }, nil
	}
	return nil, lang.Errorf(e.Span(), "%s is not a condition", e)
}

// fold joins terms by OR (stop is true) or AND.
func (b *binder) fold(terms []lang.Expr, w, h int, stop bool) (condition, error) {
	conditions := make([]condition, len(terms))
	for i, t := range terms {
		var err error
		if conditions[i], err = b.compileWhere(t, w, h); err != nil {
			return nil, err
		}
	}
	return func(p Position) bool {
		for _, c := range conditions {
			if c(p) == stop {
				return stop
			}
		}
		return !stop
	}, nil
}

func (b *binder) compileCompare(e *lang.Compare, w, h int) (condition, error) {
	l, err := compileNumber(e.Left, w, h)
	if err != nil {
		return nil, err
	}
	r, err := compileNumber(e.Right, w, h)
	if err != nil {
		return nil, err
	}
	holds := map[lang.CompareOp]func(a, b float64) bool{
		lang.Equals:       func(a, b float64) bool { return a == b },
		lang.Differs:      func(a, b float64) bool { return a != b },
		lang.Less:         func(a, b float64) bool { return a < b },
		lang.LessEqual:    func(a, b float64) bool { return a <= b },
		lang.Greater:      func(a, b float64) bool { return a > b },
		lang.GreaterEqual: func(a, b float64) bool { return a >= b },
	}[e.Op]
	if holds == nil {
		return nil, lang.Errorf(e.Span(), "%s is not a comparison", e.Op)
	}
	return func(p Position) bool { return holds(l(p), r(p)) }, nil
}

func (b *binder) compileIn(e *lang.In, w, h int) (condition, error) {
	x, err := compileNumber(e.X, w, h)
	if err != nil {
		return nil, err
	}
	list := make([]number, len(e.List))
	for i, item := range e.List {
		if list[i], err = compileNumber(item, w, h); err != nil {
			return nil, err
		}
	}
	return func(p Position) bool {
		v := x(p)
		for _, item := range list {
			if item(p) == v {
				return !e.Not
			}
		}
		return e.Not
	}, nil
}

type number func(p Position) float64

func compileNumber(e lang.Expr, w, h int) (number, error) {
	switch e := e.(type) {
	case lang.Number:
		return func(Position) float64 { return e.Value }, nil
	case *lang.Neg:
		x, err := compileNumber(e.X, w, h)
		return func(p Position) float64 { return -x(p) }, err
	case *lang.Column:
		return column(e, w, h)
	case *lang.Arith:
		return compileArith(e, w, h)
	}
	return nil, lang.Errorf(e.Span(), "%s is not a number", e)
}

func column(e *lang.Column, w, h int) (number, error) {
	switch e.Name {
	case "x":
		return func(p Position) float64 { return float64(p.X) }, nil
	case "y":
		return func(p Position) float64 { return float64(p.Y) }, nil
	case "w":
		return func(Position) float64 { return float64(w) }, nil
	case "h":
		return func(Position) float64 { return float64(h) }, nil
	}
	return nil, lang.Errorf(e.Span(), "there is no column %q here", e.Name).
		WithHint("a position has x, y, w and h")
}

func compileArith(e *lang.Arith, w, h int) (number, error) {
	l, err := compileNumber(e.Left, w, h)
	if err != nil {
		return nil, err
	}
	r, err := compileNumber(e.Right, w, h)
	if err != nil {
		return nil, err
	}
	switch e.Op {
	case lang.Plus:
		return func(p Position) float64 { return l(p) + r(p) }, nil
	case lang.Minus:
		return func(p Position) float64 { return l(p) - r(p) }, nil
	case lang.Times:
		return func(p Position) float64 { return l(p) * r(p) }, nil
	case lang.Divide:
		return func(p Position) float64 { return l(p) / r(p) }, nil
	case lang.Modulo:
		return func(p Position) float64 { return math.Mod(l(p), r(p)) }, nil
	}
	return nil, lang.Errorf(e.Span(), "%s", fmt.Sprintf("there is no operator %s", e.Op))
}
