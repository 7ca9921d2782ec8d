package lang

// Expr is an expression of WHERE: the conditions *[Or], *[And], *[Not],
// *[Comparison], *[Between], *[In] and *[Inside], and the numbers *[Arith],
// *[Neg], *[Column] and [Number]. The parser hands out no tree that uses a
// condition where a number is needed or the reverse.
type Expr interface {
	Node
	expr()
}

// Or holds if one of its Terms does; there are two or more.
type Or struct {
	Located
	Terms []Expr
}

// And holds if all of its Terms do; there are two or more.
type And struct {
	Located
	Terms []Expr
}

// Not holds if X does not.
type Not struct {
	Located
	X Expr
}

// CompareOp is the operator of a comparison.
type CompareOp string

// The comparisons; != is read as <>.
const (
	Equals       CompareOp = "="
	Differs      CompareOp = "<>"
	Less         CompareOp = "<"
	LessEqual    CompareOp = "<="
	Greater      CompareOp = ">"
	GreaterEqual CompareOp = ">="
)

// Comparison compares two numbers.
type Comparison struct {
	Located
	Op          CompareOp
	Left, Right Expr
}

// Between is X [NOT] BETWEEN Low AND High, both ends included.
type Between struct {
	Located
	Not          bool
	X, Low, High Expr
}

// In is X [NOT] IN (List); the list is not empty.
type In struct {
	Located
	Not  bool
	X    Expr
	List []Expr
}

// Inside is inside('mask.png'): the patch's centre lies on a pixel of the mask
// that is not black.
type Inside struct {
	Located
	Mask String
}

// ArithOp is the operator of an Arith.
type ArithOp string

// The arithmetic operators, as in SQL: * / % bind tighter than + and -.
const (
	Plus   ArithOp = "+"
	Minus  ArithOp = "-"
	Times  ArithOp = "*"
	Divide ArithOp = "/"
	Modulo ArithOp = "%"
)

// Arith combines two numbers.
type Arith struct {
	Located
	Op          ArithOp
	Left, Right Expr
}

// Neg is -X.
type Neg struct {
	Located
	X Expr
}

// Column is one of x and y (the patch's left and top) and w and h (its size),
// all in pixels.
type Column struct {
	Located
	Name string // "x", "y", "w" or "h"
}

func (*Or) expr()         {}
func (*And) expr()        {}
func (*Not) expr()        {}
func (*Comparison) expr() {}
func (*Between) expr()    {}
func (*In) expr()         {}
func (*Inside) expr()     {}
func (*Arith) expr()      {}
func (*Neg) expr()        {}
func (*Column) expr()     {}
func (Number) expr()      {}
