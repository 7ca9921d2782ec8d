package lang

import (
	"strings"

	"github.com/alecthomas/participle/v2/lexer"
)

// This file builds the expressions of WHERE. One grammar reads conditions and
// numbers; here each place asks for the kind it needs.

// maxTerms bounds x + x + ...: a sum becomes a tree as deep as it is long.
const maxTerms = 1000

func isCondition(e Expr) bool {
	switch e.(type) {
	case *Or, *And, *Not, *Comparison, *Between, *In, *Inside:
		return true
	}
	return false
}

// condition complains if e is a number. why says who asked.
func (b *builder) condition(e Expr, why string) Expr {
	if !isCondition(e) {
		b.errorf(e.Span(), "%s, and this is a number", why).
			WithHint("compare it with something, as in x >= 100")
	}
	return e
}

// numeric complains if e is a condition. op is the operator that asked.
func (b *builder) numeric(e Expr, op string) Expr {
	if isCondition(e) {
		b.errorf(e.Span(), "%s needs a number, and this is a condition", op).
			WithHint("conditions are combined with AND, OR and NOT")
	}
	return e
}

func (b *builder) or(s *conditionSyntax) Expr {
	if len(s.Terms) == 1 {
		return b.and(s.Terms[0])
	}
	or := &Or{Located: Located{s.span()}}
	for _, t := range s.Terms {
		or.Terms = append(or.Terms, b.condition(b.and(t), "OR needs conditions"))
	}
	return or
}

func (b *builder) and(s *conjunctionSyntax) Expr {
	if len(s.Terms) == 1 {
		return b.not(s.Terms[0])
	}
	and := &And{Located: Located{s.span()}}
	for _, t := range s.Terms {
		and.Terms = append(and.Terms, b.condition(b.not(t), "AND needs conditions"))
	}
	return and
}

func (b *builder) not(s *negationSyntax) Expr {
	e := b.comparison(s.X)
	for i := len(s.Nots) - 1; i >= 0; i-- {
		e = &Not{Located{tokenSpan(s.Nots[i]).Join(s.span())}, b.condition(e, "NOT needs a condition")}
	}
	return e
}

func (b *builder) comparison(s *comparisonSyntax) Expr {
	left := b.sum(s.Left)
	if s.Test == nil {
		return left
	}
	here, test := Located{s.span()}, s.Test
	switch {
	case test.Op != nil:
		op := CompareOp(test.Op.Value)
		if op == "!=" {
			op = Differs
		}
		return &Comparison{here, op, b.numeric(left, test.Op.Value), b.numeric(b.sum(test.Right), test.Op.Value)}
	case test.Low != nil:
		return &Between{here, test.Not, b.numeric(left, "BETWEEN"),
			b.numeric(b.sum(test.Low), "BETWEEN"), b.numeric(b.sum(test.High), "BETWEEN")}
	default:
		in := &In{Located: here, Not: test.Not, X: b.numeric(left, "IN")}
		for _, item := range test.List {
			in.List = append(in.List, b.numeric(b.sum(item), "IN"))
		}
		return in
	}
}

func (b *builder) sum(s *sumSyntax) Expr {
	e := b.product(s.First)
	if !b.bounded(s.syntax, len(s.Rest)) {
		return e
	}
	for _, t := range s.Rest {
		right := b.product(t.X)
		e = b.arith(e, t.Op, right)
	}
	return e
}

func (b *builder) product(s *productSyntax) Expr {
	e := b.factor(s.First)
	if !b.bounded(s.syntax, len(s.Rest)) {
		return e
	}
	for _, t := range s.Rest {
		right := b.factor(t.X)
		e = b.arith(e, t.Op, right)
	}
	return e
}

func (b *builder) bounded(s syntax, n int) bool {
	if n > maxTerms {
		b.errorf(tokenSpan(s.Tokens[0]), "this has too many terms: more than %d", maxTerms)
		return false
	}
	return true
}

func (b *builder) arith(left Expr, op lexer.Token, right Expr) Expr {
	return &Arith{Located{left.Span().Join(right.Span())}, ArithOp(op.Value), b.numeric(left, op.Value), b.numeric(right, op.Value)}
}

func (b *builder) factor(s *factorSyntax) Expr {
	var e Expr
	switch {
	case s.Number != nil:
		e = b.number(s.Number)
	case s.Column != nil:
		t := s.Column.Token
		e = &Column{Located{tokenSpan(t)}, strings.ToLower(t.Value)}
	case s.Mask != nil:
		e = &Inside{Located{s.span()}, b.file(&s.Mask.Token)}
	default:
		e = b.or(s.Group)
	}
	for i := len(s.Minus) - 1; i >= 0; i-- {
		e = &Neg{Located{tokenSpan(s.Minus[i]).Join(e.Span())}, b.numeric(e, s.Minus[i].Value)}
	}
	return e
}
