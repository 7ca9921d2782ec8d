package lang

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/clipperhouse/displaywidth"
)

// Format returns the diagnostic for people, its lines ended:
//
//	file:line:col: error: what is wrong
//	  OCCLUDE 'scan.png' USIN oct;
//	                     ^~~~
//	  hint: did you mean USING?
//
// src is the text that the span belongs to; a span that does not lie in it is
// left out.
func (d *Diagnostic) Format(src string) string {
	var b strings.Builder
	b.WriteString(d.Error())
	b.WriteByte('\n')
	if d.IsValid() && d.From.Offset >= 0 && d.From.Offset <= len(src) {
		text, marks := snippet(src, d.From.Offset, d.To.Offset)
		b.WriteString("  " + text + "\n  " + marks + "\n")
	}
	if d.Hint != "" {
		b.WriteString("  hint: " + shortened(d.Hint) + "\n")
	}
	return b.String()
}

// snippet returns the line of src that holds the byte from, as a terminal can
// show it, and a line that underlines it up to the byte to. Columns are those
// of the terminal: a wide character takes two, a combining one none. Of a line
// too long to be looked at, what lies around the place is shown.
func snippet(src string, from, to int) (text, marks string) {
	const before, after, tab = 60, 100, 4 // in bytes, in bytes, in columns

	line := strings.LastIndexByte(src[:from], '\n') + 1
	end := len(src)
	if n := strings.IndexByte(src[from:], '\n'); n >= 0 {
		end = from + n
	}
	if end > from && src[end-1] == '\r' {
		end--
	}
	if line == 0 && strings.HasPrefix(src, byteOrderMark) {
		line = min(len(byteOrderMark), from)
	}
	var head, tail string
	if from-line > before+after {
		line, head = runeStart(src, from-before), "..."
	}
	if end-from > before+after {
		end, tail = runeStart(src, from+after), "..."
	}
	to = max(min(to, end), from)

	var shown, under strings.Builder
	shown.WriteString(head)
	under.WriteString(strings.Repeat(" ", len(head)))
	marked := false
	for rest := displaywidth.StringGraphemes(src[line:end]); rest.Next(); {
		cluster, width := rest.Value(), rest.Width()
		if cluster == "\t" {
			width = tab - (displaywidth.String(shown.String()) % tab)
			cluster = strings.Repeat(" ", width)
		} else if width == 0 || !utf8.ValidString(cluster) || strings.ContainsFunc(cluster, unicode.IsControl) {
			cluster, width = "\uFFFD", 1
		}
		size := len(rest.Value())
		mark := " "
		if overlaps := line < to && line+size > from; overlaps || line == from {
			mark = "~"
			if !marked {
				marked, mark = true, "^"
			}
		}
		shown.WriteString(cluster)
		under.WriteString(mark)
		under.WriteString(strings.Repeat(strings.Replace(mark, "^", "~", 1), width-1))
		line += size
	}
	shown.WriteString(tail)
	if !marked {
		under.WriteString("^")
	}
	return shown.String(), strings.TrimRight(under.String(), " ")
}

// runeStart returns i or the start of the code point that it lies in. In what is no UTF-8
// that is not far away, either.
func runeStart(s string, i int) int {
	for at := i; at > max(0, i-utf8.UTFMax) && at < len(s); at-- {
		if utf8.RuneStart(s[at]) {
			return at
		}
	}
	return i
}

// Fit makes the source lines of what Format returns fit a terminal of so many columns,
// which would break them, so that the marks would stand under something else: of a line
// too long what lies around the marks is left.
func Fit(formatted string, columns int) string {
	lines := strings.Split(formatted, "\n")
	for i := 1; i < len(lines); i++ {
		if strings.TrimRight(strings.TrimLeft(lines[i], " "), "~") == "^" {
			lines[i-1], lines[i] = window(lines[i-1], lines[i], columns)
		}
	}
	return strings.Join(lines, "\n")
}

// window is the part of a line and its marks that fits into columns.
func window(line, marks string, columns int) (string, string) {
	const cut, indent = "...", 2
	room, width := columns-indent-2*len(cut), max(displaywidth.String(line), len(marks))
	if width <= columns || room <= 0 {
		return line, marks
	}
	from := min(strings.IndexByte(marks, '^'), max(indent, len(marks)-room*3/4), width-room)
	var kept strings.Builder
	column, last := 0, from
	for rest := displaywidth.StringGraphemes(line); rest.Next() && column+rest.Width() <= from+room; column += rest.Width() {
		if column >= from {
			if kept.Len() == 0 {
				from = column // a wide character may begin before
			}
			kept.WriteString(rest.Value())
			last = column + rest.Width()
		}
	}
	head, tail := cut, cut
	if from <= indent {
		head = ""
	}
	if last >= displaywidth.String(line) {
		tail = ""
	}
	blank := strings.Repeat(" ", indent)
	return blank + head + kept.String() + tail, blank + strings.Repeat(" ", len(head)) + marks[from:min(len(marks), from+room)]
}
