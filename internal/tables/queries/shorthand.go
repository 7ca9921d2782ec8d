package queries

import (
	"slices"
	"strings"
)

// A shorthand is a call that leaves out the columns of an OCCLUDE's relation.
type shorthand struct {
	function string
	// fits reports whether the arguments as they are written make the short form.
	fits func(arguments [][]token) bool
	// front and back are put before and behind them.
	front, back string
}

var shorthands = []shorthand{
	{function: "inside", fits: single(text), front: "x, y, w, h"},
	{function: "heatmap", fits: none, front: "x, y, w, h, p_drop"},
	{function: "heatmap", fits: single(text), front: "x, y, w, h, p_drop"},
	{function: "peak", fits: none, front: "x, y, p_drop"},
	{function: "mass_in", fits: func(a [][]token) bool { return len(a) == 4 }, back: "x, y, w, h, p_drop"},
}

func none(arguments [][]token) bool { return len(arguments) == 0 }

func single(k kind) func([][]token) bool {
	return func(a [][]token) bool { return len(a) == 1 && len(a[0]) == 1 && a[0][0].kind == k }
}

// call is a call of a function in the text of a statement.
type call struct {
	function  token
	arguments [][]token
	end       int // where the ) is
}

// calls finds those of the functions of this package, in the order of their names'
// places. What stands behind certain words is no call but a table with its columns.
func calls(tokens []token) []call {
	var found []call
	for i := 0; i+1 < len(tokens); i++ {
		if tokens[i].kind != word || tokens[i+1].text != "(" || !slices.Contains(functionNames, strings.ToLower(tokens[i].text)) {
			continue
		}
		if i > 0 && (tokens[i-1].text == "." || slices.Contains(beforeTables, strings.ToUpper(tokens[i-1].text))) {
			continue
		}
		if arguments, end, ok := argumentsOf(tokens[i+2:]); ok {
			found = append(found, call{tokens[i], arguments, end})
		}
	}
	return found
}

var beforeTables = []string{"TABLE", "EXISTS", "INTO", "WITH", "RECURSIVE", "VIEW"}

// argumentsOf splits what follows a ( at the commas up to its ).
func argumentsOf(tokens []token) (arguments [][]token, end int, ok bool) {
	depth, from := 0, 0
	for i, t := range tokens {
		switch {
		case t.text == "(":
			depth++
		case t.text == ")" && depth > 0:
			depth--
		case t.text == ")" || t.text == "," && depth == 0:
			if t.text == "," || i > 0 {
				arguments = append(arguments, tokens[from:i])
			}
			if t.text == ")" {
				return arguments, t.from, true
			}
			from = i + 1
		}
	}
	return nil, 0, false
}

// expansion is a statement in which short forms were written out.
type expansion struct {
	sql      string
	inserted []insertion // in the order of their places
}

// insertion is what was put in: n bytes at from of the new text, for the function
// at byte function of the old one.
type insertion struct{ from, n, function int }

// expand writes short forms out.
func expand(sql string) expansion {
	type edit struct {
		at, function int
		text         string
	}
	var edits []edit
	for _, c := range calls(scan(sql)) {
		for _, s := range shorthands {
			if !strings.EqualFold(s.function, c.function.text) || !s.fits(c.arguments) {
				continue
			}
			separator := ""
			if len(c.arguments) > 0 {
				separator = ", "
			}
			if s.front != "" {
				at := c.end
				if len(c.arguments) > 0 {
					at = c.arguments[0][0].from
				}
				edits = append(edits, edit{at, c.function.from, s.front + separator})
			} else {
				edits = append(edits, edit{c.end, c.function.from, separator + s.back})
			}
			break
		}
	}
	slices.SortStableFunc(edits, func(a, b edit) int { return a.at - b.at })
	var e expansion
	var out strings.Builder
	from := 0
	for _, d := range edits {
		out.WriteString(sql[from:d.at])
		e.inserted = append(e.inserted, insertion{out.Len(), len(d.text), d.function})
		out.WriteString(d.text)
		from = d.at
	}
	out.WriteString(sql[from:])
	e.sql = out.String()
	return e
}

// origin is where the byte at an offset of the new text stands in the old one; what
// was put in stands where the function does. short reports whether it was.
func (e expansion) origin(offset int) (at int, short bool) {
	at = offset
	for _, i := range e.inserted {
		switch {
		case offset >= i.from+i.n:
			at -= i.n
		case offset >= i.from:
			return i.function, true
		}
	}
	return at, false
}
