package lang

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Pos is a place in a source text. Line and Col count from 1, and Col counts
// code points, so that an editor finds the same place; Offset counts bytes
// from 0. The zero Pos means "nowhere", as for a tree built by a program.
type Pos struct {
	File              string
	Offset, Line, Col int
}

// IsValid reports whether the position is known.
func (p Pos) IsValid() bool { return p.Line > 0 }

// String returns file:line:col, without what is not known.
func (p Pos) String() string {
	switch {
	case !p.IsValid():
		return p.File
	case p.File == "":
		return fmt.Sprintf("%d:%d", p.Line, p.Col)
	default:
		return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col)
	}
}

// Span is a stretch of source text, From inclusive, To exclusive.
type Span struct{ From, To Pos }

// IsValid reports whether the span is known.
func (s Span) IsValid() bool { return s.From.IsValid() }

// Join returns the smallest span that covers s and t, ignoring an unknown one.
func (s Span) Join(t Span) Span {
	switch {
	case !s.IsValid():
		return t
	case !t.IsValid():
		return s
	}
	if t.From.Offset < s.From.Offset {
		s.From = t.From
	}
	if t.To.Offset > s.To.Offset {
		s.To = t.To
	}
	return s
}

// Node is a part of a syntax tree. Span says where it was written; String
// prints it in canonical form (keywords in capitals, clauses in a fixed order,
// no final semicolon), which parses to an [Equal] tree.
type Node interface {
	Span() Span
	String() string
}

// Located is embedded by every node and remembers where it was written.
// A tree that a program builds may leave it zero.
type Located struct{ Source Span }

// Span returns where the node was written.
func (l Located) Span() Span { return l.Source }

// Script is a whole text: the statements in their order.
type Script struct {
	Located
	Statements []Statement
}

// Statement is one of *[CreateModel], *[DropModel], *[ShowModels],
// *[DescribeModel], *[AnalyzeModel], *[ShowCalibration], *[ExportCalibration],
// *[ImportCalibration], *[ShowDevices], *[ShowCache], *[ClearCache], *[Predict], *[Occlude], *[Explain], *[Benchmark],
// *[Compare], *[Evaluate], *[SQL], *[ShowTables], *[Copy], *[Set],
// *[ShowSetting], *[ShowAll], *[Reset] and *[ResetAll].
type Statement interface {
	Node
	statement()
}

// CreateModel is CREATE [OR REPLACE] MODEL model FROM 'file' [WITH (options)].
type CreateModel struct {
	Located
	Replace bool
	Model   Name
	File    String
	Options []Option
}

// DropModel is DROP MODEL [IF EXISTS] model.
type DropModel struct {
	Located
	IfExists bool
	Model    Name
}

// ShowModels is SHOW MODELS.
type ShowModels struct{ Located }

// DescribeModel is DESCRIBE MODEL model.
type DescribeModel struct {
	Located
	Model Name
}

// AnalyzeModel is ANALYZE MODEL model with its clauses: measure on this machine
// what the planner wants to know. A clause that was not written is nil.
type AnalyzeModel struct {
	Located
	Model  Name
	Sample *Sample // nil: measure times, no quality
	Patch  *Extent
	Stride *Extent
	Fill   *Fill
}

// Sample is USING SAMPLE n FROM 'files' [REPEATABLE (seed)]: the images that
// quality is measured on.
type Sample struct {
	Located
	Size  int     // images, above zero
	Files String  // one file, or a pattern such as 'scans/*.png'
	Seed  *Number // of REPEATABLE: a whole number; nil where not written
}

// ShowCalibration is SHOW CALIBRATION: what was measured of machines and models.
type ShowCalibration struct{ Located }

// ShowDevices is SHOW DEVICES: what heat maps can be computed on.
type ShowDevices struct{ Located }

// ShowCache is SHOW CACHE: what the session keeps so that queries need not compute it
// again.
type ShowCache struct{ Located }

// ClearCache is CLEAR CACHE: let go of all that.
type ClearCache struct{ Located }

// ExportCalibration is EXPORT CALIBRATION TO 'file'.
type ExportCalibration struct {
	Located
	File String
}

// ImportCalibration is IMPORT CALIBRATION FROM 'file'.
type ImportCalibration struct {
	Located
	File String
}

// Predict is PREDICT 'image' USING model [TOP n] [WITH (options)].
type Predict struct {
	Located
	Image   String
	Model   Name
	Top     *Number // a whole number above zero; nil where not written
	Options []Option
}

// Occlude is OCCLUDE 'image' USING model with its clauses. A clause that was
// not written is nil or empty: defaults belong to the planner.
type Occlude struct {
	Located
	Image       String // one file, or a pattern such as 'scans/*.png'
	Model       Name
	Target      *Target
	Patch       *Extent
	Stride      *Extent
	Fill        *Fill
	Where       Expr // a condition; never set together with At
	At          []Point
	Quality     *QualityGoal
	Within      *TimeGoal
	Verify      *Verify
	Progressive bool     // positions coarse to fine
	Into        []String // files
	Table       *Name    // of INTO TABLE; beside files or alone
	OnError     *OnError
	Colormap    *String
	Options     []Option
}

// Target says which classes are explained: FOR CLASS 'label', FOR CLASS 3 or
// FOR TOP n. Exactly one of the fields is set.
type Target struct {
	Located
	Class Value   // a String (the label) or a Number (the class's index, from 0)
	Top   *Number // a whole number above zero
}

// Extent is a size in pixels, written n or WxH; both are above zero.
type Extent struct {
	Located
	W, H int
}

// Point is a patch's left and top edge in pixels, as in AT (100, 80).
type Point struct {
	Located
	X, Y int
}

// QualityGoal is SSIM >= q: the map may be approximate as long as it is that
// similar to the exact one.
type QualityGoal struct {
	Located
	Metric  string  // "ssim"
	AtLeast float64 // above 0, up to 1
}

// TimeGoal is WITHIN t SECONDS [OR FAIL]: the best map that the time allows,
// or, with OR FAIL, none if the time allows none.
type TimeGoal struct {
	Located
	Duration time.Duration // above 0, up to a week
	OrFail   bool
}

// Verify is VERIFY n POSITIONS or VERIFY ALL: how many positions, chosen at
// random, are computed exactly to measure what an approximation missed.
type Verify struct {
	Located
	Positions int  // above zero, unless All
	All       bool // every position; Positions is zero
}

// OnError is ON ERROR STOP or ON ERROR CONTINUE: what becomes of the other
// images when one cannot be read.
type OnError struct {
	Located
	Stop bool
}

// FillKind tells the kinds of [Fill] apart.
type FillKind int

// The kinds of fill.
const (
	FillColor     FillKind = iota // black, white, gray, '#7f7f7f', rgb(r, g, b)
	FillMeanImage                 // mean(image): the mean of each channel over the image
	FillMeanPatch                 // mean(patch): the mean of each channel under the patch
	FillBlur                      // blur(r): the image under a Gaussian of sigma r pixels
	FillNoise                     // noise(seed): one uniform 0-255 image for all positions
	FillImage                     // image('f'): another picture
)

// Fill says what a patch puts in the image's place, in pixel values (0-255).
type Fill struct {
	Located
	Kind  FillKind
	Color [3]float64 // of FillColor: red, green, blue, each 0 to 255
	Sigma Number     // of FillBlur: pixels, above zero
	Seed  Number     // of FillNoise: a whole number, not negative
	Image String     // of FillImage: the file
}

// Explain is EXPLAIN [ANALYZE] query, or EXPLAIN (options) query. ANALYZE is
// kept in Analyze however it was written; the other options are flags
// (ALTERNATIVES, LAYERS, RULES: a nil Value or a Bool) and FORMAT (a Word:
// text, json or dot, in small letters). See [Explain.Flag] and [Explain.Format].
type Explain struct {
	Located
	Analyze bool
	Options []Option
	Query   Statement // *Occlude or *Predict
}

// Flag returns the flag option of that name ("layers", "rules", ...), or
// otherwise if it was not written.
func (e *Explain) Flag(name string, otherwise bool) bool {
	for _, o := range e.Options {
		if o.Name.Key() != name {
			continue
		}
		if b, ok := o.Value.(Bool); ok {
			return b.Value
		}
		return true
	}
	return otherwise
}

// Format returns the FORMAT in small letters, or "" if it was not written.
func (e *Explain) Format() string { return formatOf(e.Options) }

// Copy is COPY (query) TO 'file' [(options)]. The only option is FORMAT, whose
// value is a Word: csv, json, npy or png, in small letters. See [Copy.Format].
type Copy struct {
	Located
	Query   Statement // *Occlude, *Predict, *Benchmark, *Compare, *Evaluate, *SQL or one of SHOW
	File    String
	Options []Option
}

// Format returns the FORMAT in small letters, or "" if it was not written (the
// file's ending decides then).
func (c *Copy) Format() string { return formatOf(c.Options) }

func formatOf(options []Option) string {
	for _, o := range options {
		if w, ok := o.Value.(Word); ok && o.Name.Key() == "format" {
			return w.Text
		}
	}
	return ""
}

// Set is SET setting = value.
type Set struct {
	Located
	Setting Name
	Value   Value
}

// ShowSetting is SHOW setting.
type ShowSetting struct {
	Located
	Setting Name
}

// ShowAll is SHOW ALL: every setting.
type ShowAll struct{ Located }

// Reset is RESET setting.
type Reset struct {
	Located
	Setting Name
}

// ResetAll is RESET ALL.
type ResetAll struct{ Located }

func (*CreateModel) statement()       {}
func (*DropModel) statement()         {}
func (*ShowModels) statement()        {}
func (*DescribeModel) statement()     {}
func (*AnalyzeModel) statement()      {}
func (*ShowCalibration) statement()   {}
func (*ExportCalibration) statement() {}
func (*ImportCalibration) statement() {}
func (*ShowDevices) statement()       {}
func (*ShowCache) statement()         {}
func (*ClearCache) statement()        {}
func (*Predict) statement()           {}
func (*Occlude) statement()           {}
func (*Explain) statement()           {}
func (*Benchmark) statement()         {}
func (*Compare) statement()           {}
func (*Evaluate) statement()          {}
func (*SQL) statement()               {}
func (*ShowTables) statement()        {}
func (*Copy) statement()              {}
func (*Set) statement()               {}
func (*ShowSetting) statement()       {}
func (*ShowAll) statement()           {}
func (*Reset) statement()             {}
func (*ResetAll) statement()          {}

// Option is a name with a value, as in WITH (batch = 64, plan = full).
type Option struct {
	Located
	Name  Name
	Value Value // nil for a flag of EXPLAIN
}

// Name is the name of a model, a setting, an option or a column.
type Name struct {
	Located
	Text   string // as written, without the quotes
	Quoted bool   // written in "double quotes"
}

// Key returns what tells names apart: a bare name is the same in any case
// (oct, Oct and "oct"), a quoted one is kept exactly.
func (n Name) Key() string {
	if n.Quoted {
		return n.Text
	}
	return strings.ToLower(n.Text)
}

// Value is the value of an option or a setting: [String], [Number], [Bool],
// [Word] or [List].
type Value interface {
	Node
	value()
}

// String is a text in single quotes, its quotes and their doubling taken off.
// A backslash stands for itself.
type String struct {
	Located
	Value string
}

// Number is a number, finite. In a condition it is never negative, since the
// minus is an operator there.
type Number struct {
	Located
	Value float64
	Text  string // as written; may be empty in a tree built by a program
}

// Int returns the number as an integer, exactly, and whether it is one: 3,
// 3.0 and 3e0 are, 3.5 and whatever does not fit in 63 bits are not.
func (n Number) Int() (int, bool) {
	if i, err := strconv.ParseInt(n.Text, 10, 64); err == nil {
		return int(i), true
	}
	// 2^53: above it a float64 no longer knows its neighbours.
	if n.Value != math.Trunc(n.Value) || math.Abs(n.Value) > 1<<53 {
		return 0, false
	}
	return int(n.Value), true
}

// IsInt reports whether the number is an integer; see [Number.Int].
func (n Number) IsInt() bool {
	_, ok := n.Int()
	return ok
}

// Bool is true, false, on or off.
type Bool struct {
	Located
	Value bool
}

// Word is a bare word such as auto, as written.
type Word struct {
	Located
	Text string
}

// List is [a, b, ...].
type List struct {
	Located
	Items []Value
}

func (String) value() {}
func (Number) value() {}
func (Bool) value()   {}
func (Word) value()   {}
func (List) value()   {}
