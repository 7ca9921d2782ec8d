package lang

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// This file prints trees in canonical form: keywords in capitals, clauses in
// one order, one space where space is needed, parentheses only where the
// tree's shape asks for them.

// String prints each statement on a line of its own, with its semicolon.
func (s *Script) String() string {
	var b strings.Builder
	for _, stmt := range s.Statements {
		b.WriteString(stmt.String())
		b.WriteString(";\n")
	}
	return b.String()
}

func (s *CreateModel) String() string {
	verb := "CREATE MODEL "
	if s.Replace {
		verb = "CREATE OR REPLACE MODEL "
	}
	return verb + s.Model.String() + " FROM " + s.File.String() + with(s.Options)
}

func (s *DropModel) String() string {
	if s.IfExists {
		return "DROP MODEL IF EXISTS " + s.Model.String()
	}
	return "DROP MODEL " + s.Model.String()
}

func (s *ShowModels) String() string      { return "SHOW MODELS" }
func (s *ShowTables) String() string      { return "SHOW TABLES" }
func (s *ShowCalibration) String() string { return "SHOW CALIBRATION" }
func (s *ShowDevices) String() string     { return "SHOW DEVICES" }
func (s *ShowCache) String() string       { return "SHOW CACHE" }
func (s *ClearCache) String() string      { return "CLEAR CACHE" }
func (s *DescribeModel) String() string   { return "DESCRIBE MODEL " + s.Model.String() }

func (s *ExportCalibration) String() string { return "EXPORT CALIBRATION TO " + s.File.String() }
func (s *ImportCalibration) String() string { return "IMPORT CALIBRATION FROM " + s.File.String() }

func (s *AnalyzeModel) String() string {
	var b strings.Builder
	b.WriteString("ANALYZE MODEL " + s.Model.String())
	clause := clauses(&b)
	if s.Sample != nil {
		clause("USING", s.Sample)
	}
	patches(&b, s.Patch, s.Stride, s.Fill)
	return b.String()
}

func (s *Sample) String() string {
	out := "SAMPLE " + strconv.Itoa(s.Size) + " FROM " + s.Files.String()
	if s.Seed != nil {
		out += " REPEATABLE (" + s.Seed.String() + ")"
	}
	return out
}

func (s *Predict) String() string {
	out := "PREDICT " + s.Image.String() + " USING " + s.Model.String()
	if s.Top != nil {
		out += " TOP " + s.Top.String()
	}
	return out + with(s.Options)
}

func (s *Occlude) String() string {
	var b strings.Builder
	b.WriteString("OCCLUDE " + s.Image.String() + " USING " + s.Model.String())
	clause := clauses(&b)
	if s.Target != nil {
		clause("FOR", s.Target)
	}
	patches(&b, s.Patch, s.Stride, s.Fill)
	if s.Where != nil {
		clause("WHERE", s.Where)
	}
	if len(s.At) > 0 {
		b.WriteString(" AT " + list(s.At))
	}
	if s.Quality != nil {
		b.WriteString(" " + s.Quality.String())
	}
	if s.Within != nil {
		b.WriteString(" " + s.Within.String())
	}
	if s.Verify != nil {
		b.WriteString(" " + s.Verify.String())
	}
	if s.Progressive {
		b.WriteString(" PROGRESSIVE")
	}
	if s.Table != nil || len(s.Into) > 0 {
		b.WriteString(" INTO " + s.into())
	}
	if s.OnError != nil {
		b.WriteString(" " + s.OnError.String())
	}
	if s.Colormap != nil {
		clause("COLORMAP", s.Colormap)
	}
	b.WriteString(with(s.Options))
	return b.String()
}

// into prints where results go, the table first.
func (s *Occlude) into() string {
	switch {
	case s.Table == nil:
		return list(s.Into)
	case len(s.Into) == 0:
		return "TABLE " + s.Table.String()
	}
	return "TABLE " + s.Table.String() + ", " + list(s.Into)
}

func (o *OnError) String() string {
	if o.Stop {
		return "ON ERROR STOP"
	}
	return "ON ERROR CONTINUE"
}

// clauses returns what prints a clause behind its word.
func clauses(b *strings.Builder) func(keyword string, n Node) {
	return func(keyword string, n Node) { b.WriteString(" " + keyword + " " + n.String()) }
}

// patches prints the clauses that say how large a patch is, how far it moves and what it
// shows, as far as they were written.
func patches(b *strings.Builder, patch, stride *Extent, fill *Fill) {
	clause := clauses(b)
	if patch != nil {
		clause("PATCH", patch)
	}
	if stride != nil {
		clause("STRIDE", stride)
	}
	if fill != nil {
		clause("FILL", fill)
	}
}

func (t *Target) String() string {
	if t.Top != nil {
		return "TOP " + t.Top.String()
	}
	return "CLASS " + t.Class.String()
}

func (e *Extent) String() string {
	if e.W == e.H {
		return strconv.Itoa(e.W)
	}
	return fmt.Sprintf("%dx%d", e.W, e.H)
}

func (p Point) String() string { return fmt.Sprintf("(%d, %d)", p.X, p.Y) }

func (q *QualityGoal) String() string {
	return strings.ToUpper(q.Metric) + " >= " + float(q.AtLeast)
}

// String prints the time in seconds, or in milliseconds below one.
func (w *TimeGoal) String() string {
	unit, name := time.Second, "SECONDS"
	if w.Duration < time.Second {
		unit, name = time.Millisecond, "MILLISECONDS"
	}
	out := "WITHIN " + float(float64(w.Duration)/float64(unit)) + " " + name
	if w.OrFail {
		out += " OR FAIL"
	}
	return out
}

func (v *Verify) String() string {
	if v.All {
		return "VERIFY ALL"
	}
	return "VERIFY " + strconv.Itoa(v.Positions) + " POSITIONS"
}

func (f *Fill) String() string {
	switch f.Kind {
	case FillMeanImage:
		return "mean(image)"
	case FillMeanPatch:
		return "mean(patch)"
	case FillBlur:
		return "blur(" + f.Sigma.String() + ")"
	case FillNoise:
		return "noise(" + f.Seed.String() + ")"
	case FillImage:
		return "image(" + f.Image.String() + ")"
	}
	for _, c := range colors {
		if c.rgb == f.Color {
			return c.name
		}
	}
	whole := true
	for _, v := range f.Color {
		whole = whole && v == math.Trunc(v)
	}
	r, g, b := f.Color[0], f.Color[1], f.Color[2]
	if whole {
		return fmt.Sprintf("'#%02x%02x%02x'", int(r), int(g), int(b))
	}
	return "rgb(" + float(r) + ", " + float(g) + ", " + float(b) + ")"
}

// colors are the colours that have a name.
var colors = []struct {
	name string
	rgb  [3]float64
}{
	{"black", [3]float64{0, 0, 0}},
	{"gray", [3]float64{128, 128, 128}},
	{"white", [3]float64{255, 255, 255}},
}

func (s *Explain) String() string {
	if len(s.Options) == 0 {
		if s.Analyze {
			return "EXPLAIN ANALYZE " + s.Query.String()
		}
		return "EXPLAIN " + s.Query.String()
	}
	var items []string
	if s.Analyze {
		items = append(items, "ANALYZE")
	}
	for _, o := range s.Options {
		items = append(items, bareOption(o))
	}
	return "EXPLAIN (" + strings.Join(items, ", ") + ") " + s.Query.String()
}

func (s *Copy) String() string {
	out := "COPY (" + s.Query.String() + ") TO " + s.File.String()
	if len(s.Options) > 0 {
		items := make([]string, len(s.Options))
		for i, o := range s.Options {
			items[i] = bareOption(o)
		}
		out += " (" + strings.Join(items, ", ") + ")"
	}
	return out
}

// bareOption prints an option of EXPLAIN or COPY, which has no equals sign.
func bareOption(o Option) string {
	name := o.Name.String()
	if !o.Name.Quoted {
		name = strings.ToUpper(name)
	}
	switch v := o.Value.(type) {
	case nil:
		return name
	case Bool:
		if v.Value {
			return name + " on"
		}
		return name + " off"
	default:
		return name + " " + v.String()
	}
}

func (s *Set) String() string         { return "SET " + s.Setting.String() + " = " + s.Value.String() }
func (s *ShowSetting) String() string { return "SHOW " + setting(s.Setting) }
func (s *ShowAll) String() string     { return "SHOW ALL" }
func (s *Reset) String() string       { return "RESET " + setting(s.Setting) }
func (s *ResetAll) String() string    { return "RESET ALL" }

// setting prints a setting's name where ALL, MODELS and the like would mean
// something else.
func setting(n Name) string {
	if key := n.Key(); slices.Contains(showWords(), strings.ToUpper(key)) {
		return quoteName(key)
	}
	return n.String()
}

// showWords are the words that SHOW takes for something else than a setting.
var showWords = sync.OnceValue(func() []string {
	const text = "SHOW "
	return NextAt(text, len(text)).Words
})

// String prints the option as WITH writes it: name = value.
func (o Option) String() string {
	if o.Value == nil {
		return o.Name.String()
	}
	return o.Name.String() + " = " + o.Value.String()
}

func with(options []Option) string {
	if len(options) == 0 {
		return ""
	}
	return " WITH (" + list(options) + ")"
}

// String prints the name bare where it can stand so, else in double quotes.
func (n Name) String() string {
	switch {
	case n.Quoted:
		return quoteName(n.Text)
	case isBareName(n.Text):
		return n.Text
	default:
		return quoteName(n.Key())
	}
}

func quoteName(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }

func (s String) String() string { return "'" + strings.ReplaceAll(s.Value, "'", "''") + "'" }

func (n Number) String() string {
	if n.Text != "" {
		return n.Text
	}
	return float(n.Value)
}

func float(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

func (b Bool) String() string { return strconv.FormatBool(b.Value) }
func (w Word) String() string { return w.Text }
func (l List) String() string { return "[" + list(l.Items) + "]" }

func list[T Node](items []T) string {
	var b strings.Builder
	for i, item := range items {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(item.String())
	}
	return b.String()
}

// How tightly each kind of expression binds, from loosest to tightest.
const (
	bindOr = iota
	bindAnd
	bindNot
	bindCompare
	bindSum
	bindProduct
	bindNeg
	bindAtom
)

func binding(e Expr) int {
	switch e := e.(type) {
	case *Or:
		return bindOr
	case *And:
		return bindAnd
	case *Not:
		return bindNot
	case *Comparison, *Between, *In:
		return bindCompare
	case *Arith:
		if e.Op == Plus || e.Op == Minus {
			return bindSum
		}
		return bindProduct
	case *Neg:
		return bindNeg
	case Number:
		if e.Value < 0 { // only in a tree that a program built
			return bindNeg
		}
	}
	return bindAtom
}

// printer prints expressions into one buffer: a tree may be deep.
type printer struct{ strings.Builder }

func printExpr(e Expr) string {
	var p printer
	p.expr(e)
	return p.String()
}

func (p *printer) expr(e Expr) {
	switch e := e.(type) {
	case *Or:
		p.list(e.Terms, bindAnd, " OR ")
	case *And:
		p.list(e.Terms, bindNot, " AND ")
	case *Not:
		p.WriteString("NOT ")
		p.operand(e.X, bindNot)
	case *Comparison:
		p.binary(e.Left, bindSum, string(e.Op), e.Right, bindSum)
	case *Between:
		p.operand(e.X, bindSum)
		p.not(e.Not)
		p.WriteString(" BETWEEN ")
		p.binary(e.Low, bindSum, "AND", e.High, bindSum)
	case *In:
		p.operand(e.X, bindSum)
		p.not(e.Not)
		p.WriteString(" IN (")
		p.list(e.List, bindSum, ", ")
		p.WriteString(")")
	case *Arith:
		level := binding(e)
		p.binary(e.Left, level, string(e.Op), e.Right, level+1)
	case *Neg:
		// A minus before a minus would begin a comment: the inner one is wrapped.
		p.WriteString("-")
		p.operand(e.X, bindAtom)
	default:
		p.WriteString(e.String())
	}
}

// operand prints e, in parentheses if it binds less tightly than its place asks.
func (p *printer) operand(e Expr, least int) {
	if binding(e) >= least {
		p.expr(e)
		return
	}
	p.WriteString("(")
	p.expr(e)
	p.WriteString(")")
}

func (p *printer) binary(left Expr, leftLeast int, op string, right Expr, rightLeast int) {
	p.operand(left, leftLeast)
	p.WriteString(" " + op + " ")
	p.operand(right, rightLeast)
}

func (p *printer) list(terms []Expr, least int, separator string) {
	for i, t := range terms {
		if i > 0 {
			p.WriteString(separator)
		}
		p.operand(t, least)
	}
}

func (p *printer) not(yes bool) {
	if yes {
		p.WriteString(" NOT")
	}
}

func (e *Or) String() string         { return printExpr(e) }
func (e *And) String() string        { return printExpr(e) }
func (e *Not) String() string        { return printExpr(e) }
func (e *Comparison) String() string { return printExpr(e) }
func (e *Between) String() string    { return printExpr(e) }
func (e *In) String() string         { return printExpr(e) }
func (e *Arith) String() string      { return printExpr(e) }
func (e *Neg) String() string        { return printExpr(e) }
func (e *Inside) String() string     { return "inside(" + e.Mask.String() + ")" }
func (e *Column) String() string     { return e.Name }
