package explain

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/pkg/twwidth"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"
)

// pageWidth is the number of columns that no line goes beyond.
const pageWidth = 100

const gap = 2 // columns between a table's columns

// column is a table's column. Text stands left and may be shortened to make
// the table fit; numbers stand right and never are.
type column struct {
	title string
	kind  kind
}

type kind int

const (
	number kind = iota
	text        // loses its end
	name        // loses its middle: both ends of a layer's name tell it apart
)

// Names give way first, down to leastName, then all texts, the widest first, but
// never below leastText.
const (
	leastName = 20
	leastText = 10
)

// table is a page-wide table.
type table struct {
	columns []column
	rows    [][]string
}

func (t *table) add(cells ...string) {
	for i := range cells {
		lines := strings.Split(cells[i], "\n")
		for j := range lines {
			lines[j] = oneLine(lines[j])
		}
		cells[i] = strings.Join(lines, "\n")
	}
	t.rows = append(t.rows, cells)
}

// widths measures the columns.
func (t *table) widths() (each []int, total int) {
	each = make([]int, len(t.columns))
	for i, c := range t.columns {
		each[i] = width(c.title)
		for _, row := range t.rows {
			for _, line := range strings.Split(row[i], "\n") {
				each[i] = max(each[i], width(line))
			}
		}
		total += each[i] + gap
	}
	return each, total - gap
}

// fit shortens texts until the table fits the page.
func (t *table) fit() {
	each, total := t.widths()
	widest := func(least int, kinds ...kind) int {
		found := -1
		for i, c := range t.columns {
			if slices.Contains(kinds, c.kind) && each[i] > least && (found < 0 || each[i] > each[found]) {
				found = i
			}
		}
		return found
	}
	for total > pageWidth {
		i := widest(leastName, name)
		if i < 0 {
			i = widest(leastText, name, text)
		}
		if i < 0 {
			return
		}
		each[i]--
		total--
	}
	for _, row := range t.rows {
		for i, c := range t.columns {
			if c.kind == number {
				continue
			}
			lines := strings.Split(row[i], "\n")
			for j, line := range lines {
				if c.kind == name {
					lines[j] = shortenMiddle(line, each[i])
				} else {
					lines[j] = shortenEnd(line, each[i])
				}
			}
			row[i] = strings.Join(lines, "\n")
		}
	}
}

// write renders the table.
func (t *table) write(w io.Writer) error {
	t.fit()
	align := make(tw.Alignment, len(t.columns))
	head := make([]any, len(t.columns))
	for i, c := range t.columns {
		head[i] = c.title
		align[i] = tw.AlignLeft
		if c.kind == number {
			align[i] = tw.AlignRight
		}
	}
	padding := make([]tw.Padding, len(t.columns))
	for i := range padding {
		padding[i] = tw.Padding{Right: strings.Repeat(" ", gap), Overwrite: true}
	}
	padding[len(padding)-1] = tw.PaddingNone
	var b bytes.Buffer
	out := tablewriter.NewTable(&b,
		tablewriter.WithRenderer(renderer.NewBlueprint(tw.Rendition{
			Borders: tw.BorderNone,
			Symbols: tw.NewSymbols(tw.StyleLight),
			Settings: tw.Settings{
				Separators: tw.Separators{ShowHeader: tw.On, ShowFooter: tw.Off, BetweenRows: tw.Off, BetweenColumns: tw.Off},
				Lines:      tw.Lines{ShowTop: tw.Off, ShowBottom: tw.Off, ShowHeaderLine: tw.On, ShowFooterLine: tw.Off},
			},
		})),
		// The defaults would trim a tree's indentation and turn titles into capitals.
		tablewriter.WithTrimSpace(tw.Off),
		tablewriter.WithHeaderAutoFormat(tw.Off),
		tablewriter.WithHeaderAutoWrap(tw.WrapNone),
		tablewriter.WithRowAutoWrap(tw.WrapNone),
		tablewriter.WithHeaderPaddingPerColumn(padding),
		tablewriter.WithRowPaddingPerColumn(padding),
		tablewriter.WithAlignment(align),
	)
	out.Header(head...)
	for _, row := range t.rows {
		if err := out.Append(row); err != nil {
			return fmt.Errorf("table: %w", err)
		}
	}
	if err := out.Render(); err != nil {
		return fmt.Errorf("table: %w", err)
	}
	for line := range strings.Lines(b.String()) {
		if _, err := io.WriteString(w, strings.TrimRight(line, " \n")+"\n"); err != nil {
			return err
		}
	}
	return nil
}

// facts is a block of names and values, the values wrapped to the page.
type facts struct {
	lines [][2]string
}

func (f *facts) add(name, format string, args ...any) {
	f.lines = append(f.lines, [2]string{name, fmt.Sprintf(format, args...)})
}

func (f *facts) write(w io.Writer) error {
	indent := 0
	for _, l := range f.lines {
		indent = max(indent, width(l[0])+gap)
	}
	for _, l := range f.lines {
		for i, line := range wrap(oneLine(l[1]), pageWidth-indent) {
			head := l[0]
			if i > 0 {
				head = ""
			}
			if _, err := fmt.Fprintf(w, "%-*s%s\n", indent, head, line); err != nil {
				return err
			}
		}
	}
	return nil
}

// wrap breaks a text at spaces into lines of at most n columns, but not between a number and
// its unit; a word that is longer is shortened in its middle.
func wrap(s string, n int) []string {
	var lines []string
	line := ""
	words := strings.Fields(s)
	for i := 0; i < len(words); i++ {
		word := words[i]
		if i+1 < len(words) && isDigit(word[0]) && slices.Contains(units, strings.TrimRight(words[i+1], ".,;:)")) {
			i++
			word += " " + words[i]
		}
		word = shortenMiddle(word, n)
		switch {
		case line == "":
			line = word
		case width(line)+1+width(word) <= n:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
	}
	return append(lines, line)
}

// units are those of planner.FormatBytes and FormatSeconds that are one word.
var units = []string{"B", "KiB", "MiB", "GiB", "us", "ms", "s", "min"}

func isDigit(b byte) bool { return '0' <= b && b <= '9' }

const ellipsis = "…"

// shortenMiddle cuts the middle out of what is wider than n columns.
func shortenMiddle(s string, n int) string {
	if width(s) <= n {
		return s
	}
	runes := []rune(s)
	// The end tells more than the start: names grow from the general to the
	// particular.
	head := (n - 1) / 5
	tail := n - 1 - head
	left, right := "", ""
	for _, r := range runes {
		if width(left+string(r)) > head {
			break
		}
		left += string(r)
	}
	for i := len(runes) - 1; i >= 0; i-- {
		if width(string(runes[i])+right) > tail {
			break
		}
		right = string(runes[i]) + right
	}
	return left + ellipsis + right
}

// shortenEnd cuts off the end of what is wider than n columns.
func shortenEnd(s string, n int) string {
	if width(s) <= n {
		return s
	}
	left := ""
	for _, r := range s {
		if width(left+string(r)) > n-1 {
			break
		}
		left += string(r)
	}
	return strings.TrimRight(left, " ,") + ellipsis
}

func width(s string) int { return twwidth.Width(s) }

// oneLine keeps names from files from breaking the lines of a report.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
}
