package docs

import (
	"regexp"
	"strings"

	"github.com/clipperhouse/displaywidth"
)

// Terminal sets Markdown for a terminal of so many columns: paragraphs and tables are
// wrapped, code is indented, a picture is told by its description, a link is its text.
// With color titles and code stand out; without it there are no escape sequences, and
// code keeps its marks.
func Terminal(markdown string, columns int, color bool) string {
	t := &typesetter{columns: min(max(columns, 40), 100), color: color}
	lines := strings.Split(strings.TrimSpace(markdown), "\n")
	for len(lines) > 0 {
		lines = lines[t.block(lines):]
	}
	return t.out.String()
}

// typesetter writes blocks of Markdown, an empty line between any two that are not items
// of one list.
type typesetter struct {
	out     strings.Builder
	columns int
	color   bool
	inList  bool // the last block was an item
}

const (
	bold   = "\x1b[1m"
	cyan   = "\x1b[36m"
	normal = "\x1b[0m"
)

var (
	item    = regexp.MustCompile(`^ *(?:[-*]|\d+\.) +`)
	picture = regexp.MustCompile(`(?s)^<img .*?alt="([^"]*)".*>$`)
)

// block sets what the lines begin with, and returns how many lines that was.
func (t *typesetter) block(lines []string) int {
	first := lines[0]
	text := strings.TrimSpace(first)
	indent := first[:len(first)-len(strings.TrimLeft(first, " "))]
	switch {
	case text == "" || strings.HasPrefix(text, "<!--"):
		return 1
	case isFence(first):
		n := 1 + leading(lines[1:], func(l string) bool { return !isFence(l) })
		t.code(lines[1:n])
		return min(n+1, len(lines))
	case len(indent) >= 4 && !t.inList:
		n := leading(lines, func(l string) bool { return strings.HasPrefix(l, "    ") })
		var cut []string
		for _, l := range lines[:n] {
			cut = append(cut, l[4:])
		}
		t.code(cut)
		return n
	case heading.MatchString(first):
		m := heading.FindStringSubmatch(first)
		t.begin(false)
		title := t.inline(m[2])
		t.write("", "", t.style(bold, title))
		if rule := map[int]string{1: "═", 2: "─"}[len(m[1])]; rule != "" && !t.color {
			t.write("", "", strings.Repeat(rule, min(visibleWidth(title), t.columns)))
		}
		return 1
	case strings.HasPrefix(text, "|"):
		n := leading(lines, func(l string) bool { return strings.HasPrefix(strings.TrimSpace(l), "|") })
		t.table(lines[:n], indent)
		return n
	}
	n := 1 + leading(lines[1:], continues)
	marker := item.FindString(first)
	t.begin(marker != "")
	if marker != "" {
		indent = strings.Repeat(" ", len(marker))
	} else {
		marker = indent
	}
	joined := strings.TrimSpace(strings.Join(lines[:n], "\n")[len(marker):])
	if m := picture.FindStringSubmatch(joined); m != nil {
		joined = "(Picture: " + m[1] + ")"
	}
	t.write(marker, indent, t.inline(joined))
	return n
}

// continues reports whether a line goes on with the paragraph above.
func continues(line string) bool {
	return strings.TrimSpace(line) != "" && !item.MatchString(line) && !heading.MatchString(line) && !isFence(line) &&
		!strings.HasPrefix(line, "|") && !strings.HasPrefix(line, "<!--")
}

func isFence(line string) bool { return strings.HasPrefix(strings.TrimSpace(line), "```") }

// leading counts the lines at the beginning for which something holds.
func leading(lines []string, holds func(string) bool) int {
	for i, l := range lines {
		if !holds(l) {
			return i
		}
	}
	return len(lines)
}

// begin sets the next block off from the last.
func (t *typesetter) begin(isItem bool) {
	if t.out.Len() > 0 && !(isItem && t.inList) {
		t.out.WriteString("\n")
	}
	t.inList = isItem
}

// code sets lines as they are.
func (t *typesetter) code(lines []string) {
	inList := t.inList
	t.begin(false)
	t.inList = inList // an example may stand inside of an item
	for _, l := range lines {
		t.out.WriteString(strings.TrimRight("    "+t.style(cyan, l), " ") + "\n")
	}
}

// write wraps a text, with what its first line and the others begin with.
func (t *typesetter) write(first, others, text string) {
	for i, line := range wrap(text, t.columns-displaywidth.String(others)) {
		if i == 0 {
			line = first + line
		} else {
			line = others + line
		}
		t.out.WriteString(strings.TrimRight(line, " ") + "\n")
	}
}

// table sets the rows of a table as columns, the head off by a line if it says anything.
func (t *typesetter) table(lines []string, indent string) {
	t.begin(false)
	var rows [][]string
	columns := 0
	for i, l := range lines {
		if i == 1 {
			continue // the dashes
		}
		row := cells(l)
		for j := range row {
			row[j] = t.inline(row[j])
		}
		columns = max(columns, len(row))
		rows = append(rows, row)
	}
	widths := t.widths(rows, columns)
	for i, row := range rows {
		if i == 0 && strings.Join(row, "") == "" {
			continue
		}
		var wrapped [][]string
		height := 1
		for j, cell := range row {
			if i == 0 {
				cell = t.style(bold, cell)
			}
			wrapped = append(wrapped, wrap(cell, widths[j]))
			height = max(height, len(wrapped[j]))
		}
		for k := range height {
			line := indent
			for j, w := range wrapped {
				cell := ""
				if k < len(w) {
					cell = w[k]
				}
				line += cell + strings.Repeat(" ", widths[j]-visibleWidth(cell)+2)
			}
			t.out.WriteString(strings.TrimRight(line, " ") + "\n")
		}
		if i == 0 {
			line := indent
			for j := range row {
				line += strings.Repeat("─", widths[j]) + "  "
			}
			t.out.WriteString(strings.TrimRight(line, " ") + "\n")
		}
	}
}

// widths shares the terminal's columns out: the widest columns of a table get what the
// others leave, and no word is cut.
func (t *typesetter) widths(rows [][]string, columns int) []int {
	widths, least := make([]int, columns), make([]int, columns)
	for _, row := range rows {
		for j, cell := range row {
			widths[j] = max(widths[j], visibleWidth(cell))
			for _, w := range strings.Fields(cell) {
				least[j] = max(least[j], visibleWidth(w))
			}
		}
	}
	for {
		total, widest := 0, -1
		for j, w := range widths {
			total += w + 2
			if w > least[j] && (widest < 0 || w > widths[widest]) {
				widest = j
			}
		}
		if total-2 <= t.columns || widest < 0 {
			return widths
		}
		widths[widest]--
	}
}

// cells are those of a row; a bar in code, or behind a backslash, is no border.
func cells(line string) []string {
	line = strings.TrimSpace(line)
	line = strings.TrimSuffix(strings.TrimPrefix(line, "|"), "|")
	var all []string
	var b strings.Builder
	inCode := false
	for i, r := range line {
		switch {
		case r == '|' && !inCode && !strings.HasSuffix(line[:i], `\`):
			all = append(all, strings.TrimSpace(b.String()))
			b.Reset()
			continue
		case r == '\\' && strings.HasPrefix(line[i+1:], "|"):
			continue
		case r == '`':
			inCode = !inCode
		}
		b.WriteRune(r)
	}
	return append(all, strings.TrimSpace(b.String()))
}

var (
	link     = regexp.MustCompile(`!?\[([^\]]*)\]\(([^)]*)\)`)
	strong   = regexp.MustCompile(`\*\*([^*]+)\*\*`)
	emphasis = regexp.MustCompile(`(^|[\s(])\*([^*\s][^*]*)\*`)
	codeSpan = regexp.MustCompile("`[^`]*`")
	entities = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&")
)

// inline sets what stands inside of a line: links, code, bold and italic type.
func (t *typesetter) inline(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	text = link.ReplaceAllStringFunc(text, func(l string) string {
		m := link.FindStringSubmatch(l)
		if strings.Contains(m[2], "://") && m[1] != m[2] {
			return m[1] + " (" + m[2] + ")"
		}
		return m[1]
	})
	// Marks count in prose only: a letter that no page has stands for code meanwhile.
	const aside = '\uE000'
	var codes []string
	text = codeSpan.ReplaceAllStringFunc(text, func(c string) string {
		if t.color {
			c = t.style(cyan, strings.Trim(c, "`"))
		}
		codes = append(codes, string(aside+rune(len(codes))), c)
		return codes[len(codes)-2]
	})
	restore := strings.NewReplacer(codes...)
	text = entities.Replace(emphasis.ReplaceAllString(text, "$1$2"))
	text = strong.ReplaceAllStringFunc(text, func(s string) string {
		return t.style(bold, restore.Replace(strings.Trim(s, "*")))
	})
	return restore.Replace(text)
}

// style gives a text a color or a weight. Styles do not nest.
func (t *typesetter) style(style, text string) string {
	if !t.color || text == "" {
		return text
	}
	return style + strings.ReplaceAll(text, normal, normal+style) + normal
}

var escape = regexp.MustCompile("\x1b\\[[0-9]*m")

func visibleWidth(text string) int { return displaywidth.String(escape.ReplaceAllString(text, "")) }

// wrap breaks a text at spaces, but not at those that are not to be broken. A style that
// is on at the end of a line is ended there and taken up again in the next.
func wrap(text string, width int) []string {
	var lines []string
	line, style := "", ""
	for word := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ' ' || r == '\n' }) {
		if line != "" && visibleWidth(line)+1+visibleWidth(word) > width {
			if style != "" {
				line += normal
			}
			lines = append(lines, line)
			line = style
		} else if visibleWidth(line) > 0 {
			line += " "
		}
		line += word
		if all := escape.FindAllString(word, -1); len(all) > 0 {
			style = all[len(all)-1]
			if style == normal {
				style = ""
			}
		}
	}
	return append(lines, line)
}
