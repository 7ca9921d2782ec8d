package planner

import (
	"context"
	"math"

	"occlude/lang"
)

// Mask is a picture read as a region of the model's input.
type Mask interface{ On(x, y int) bool }

// condition compiles a WHERE expression into a predicate over positions.
type condition func(p Position) bool

// compileWhere binds an expression for patches of w x h pixels.
func (b *binder) compileWhere(ctx context.Context, e lang.Expr, w, h int) (condition, error) {
	switch e := e.(type) {
	case *lang.Or:
		return b.fold(ctx, e.Terms, w, h, true)
	case *lang.And:
		return b.fold(ctx, e.Terms, w, h, false)
	case *lang.Not:
		c, err := b.compileWhere(ctx, e.X, w, h)
		return func(p Position) bool { return !c(p) }, err
	case *lang.Comparison:
		return b.compileComparison(e, w, h)
	case *lang.Between:
		x, err := b.number(e.X, w, h)
		if err != nil {
			return nil, err
		}
		low, err := b.number(e.Low, w, h)
		if err != nil {
			return nil, err
		}
		high, err := b.number(e.High, w, h)
		return func(p Position) bool {
			v := x(p)
			return (v >= low(p) && v <= high(p)) != e.Not
		}, err
	case *lang.In:
		return b.compileIn(e, w, h)
	case *lang.Inside:
		if err := checkImage(e.Mask, "mask"); err != nil {
			return nil, err
		}
		m, err := b.mask(ctx, e.Mask.Value, e.Mask.Span())
		if err != nil {
			return nil, err
		}
		return func(p Position) bool { return m.On(p.X+w/2, p.Y+h/2) }, nil
	}
	return nil, lang.Errorf(e.Span(), "%s is not a condition", e)
}

// mask reads a picture that is named at a place in the statement.
func (b *binder) mask(ctx context.Context, path string, at lang.Span) (Mask, error) {
	m, err := b.env.Mask(ctx, path, b.spec)
	if err != nil && ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return nil, lang.Errorf(at, "%w", err)
	}
	return m, nil
}

// maxNumbers bounds how many numbers of a condition are looked at, over all positions:
// about a second's worth.
const maxNumbers = 1 << 28

// fold joins terms by OR (stop is true) or AND.
func (b *binder) fold(ctx context.Context, terms []lang.Expr, w, h int, stop bool) (condition, error) {
	conditions := make([]condition, len(terms))
	for i, t := range terms {
		var err error
		if conditions[i], err = b.compileWhere(ctx, t, w, h); err != nil {
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

func (b *binder) compileComparison(e *lang.Comparison, w, h int) (condition, error) {
	l, err := b.number(e.Left, w, h)
	if err != nil {
		return nil, err
	}
	r, err := b.number(e.Right, w, h)
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
	x, err := b.number(e.X, w, h)
	if err != nil {
		return nil, err
	}
	list := make([]number, len(e.List))
	for i, item := range e.List {
		if list[i], err = b.number(item, w, h); err != nil {
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

func (b *binder) number(e lang.Expr, w, h int) (number, error) {
	b.numbers++
	switch e := e.(type) {
	case lang.Number:
		return func(Position) float64 { return e.Value }, nil
	case *lang.Neg:
		x, err := b.number(e.X, w, h)
		return func(p Position) float64 { return -x(p) }, err
	case *lang.Column:
		return column(e, w, h)
	case *lang.Arith:
		return b.arith(e, w, h)
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

func (b *binder) arith(e *lang.Arith, w, h int) (number, error) {
	l, err := b.number(e.Left, w, h)
	if err != nil {
		return nil, err
	}
	r, err := b.number(e.Right, w, h)
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
		return b.defined(e, l, r, func(x, y float64) float64 { return x / y }), nil
	case lang.Modulo:
		return b.defined(e, l, r, math.Mod), nil
	}
	return nil, lang.Errorf(e.Span(), "there is no operator %s", e.Op)
}

// defined guards a division: by zero it has no value, and to call the condition
// true or false would make one up. The divisor is computed once, for it may be a
// quotient of quotients.
func (b *binder) defined(e *lang.Arith, dividend, divisor number, quotient func(x, y float64) float64) number {
	return func(p Position) float64 {
		by := divisor(p)
		if by == 0 && b.undefined == nil {
			b.undefined = lang.Errorf(e.Span(), "division by zero at the position (%d, %d)", p.X, p.Y).
				WithHint("AND looks at its right side only where the left one holds: x > 0 AND y / x < 2")
		}
		return quotient(dividend(p), by)
	}
}
