package repl

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/clipperhouse/displaywidth"

	"occlude/executor"
	"occlude/internal/settings"
	"occlude/lang"
	"occlude/planner"
	"occlude/planner/explain"
	"occlude/repl/picture"
)

// Printer writes results.
type Printer struct {
	Out io.Writer
	// Settings say in which format.
	Settings *settings.Settings
	// Terminal, if it is one that Out goes to, shows heat maps as pictures too.
	Terminal *picture.Terminal
	// Above, when set, is how anything is printed while a query goes on, so that its
	// progress makes room.
	Above func(write func())
	// Arrays is a folder in which each heat map is kept as an array, 1.npy, 2.npy and so
	// on; "" keeps none.
	Arrays string

	kept int
	last *planner.Occlude // whose heat map was printed last
}

// Print writes one result.
func (p *Printer) Print(r executor.Result) (err error) {
	if p.Above == nil {
		return p.print(r)
	}
	p.Above(func() { err = p.print(r) })
	return err
}

func (p *Printer) print(r executor.Result) error {
	switch r := r.(type) {
	case executor.Message:
		if p.Settings.Format() == settings.FormatTable || p.Settings.Format() == settings.FormatVertical {
			_, err := fmt.Fprintln(p.people(), r.Text)
			return err
		}
		return nil
	case *executor.Relation:
		return p.relation(r)
	case *executor.HeatMap:
		return p.heatMap(r)
	case *executor.IntoTable:
		return p.intoTable(r)
	case *executor.Benchmark:
		return p.benchmark(r)
	case *executor.Comparison:
		return p.comparison(r)
	case *executor.Evaluation:
		return p.evaluation(r)
	case executor.Description:
		d := explain.Describe(r.Plan)
		switch p.Settings.Format() {
		case settings.FormatJSON:
			return d.JSON(p.Out)
		case settings.FormatCSV, settings.FormatTSV:
			return p.relation(&executor.Relation{Columns: d.Columns(), Rows: d.Rows()})
		}
		return d.Text(p.people())
	case *executor.Explanation:
		report := explain.New(r.Plan, r.Actual)
		switch {
		case r.Plan.Format == "json" || p.Settings.Format() == settings.FormatJSON:
			return report.JSON(p.Out)
		case r.Plan.Format == "dot":
			return report.DOT(p.Out)
		}
		return report.Text(p.Out)
	}
	return fmt.Errorf("no way to print a %T", r)
}

// people is where text for people goes. The names of files, models and classes in it may
// hold control characters, which a terminal would obey.
func (p *Printer) people() io.Writer { return visibly{p.Out} }

// visibly writes lines of text, each with its control characters made visible.
type visibly struct{ io.Writer }

func (v visibly) Write(text []byte) (int, error) {
	lines := strings.Split(string(text), "\n")
	for i := range lines {
		lines[i] = lang.Visible(lines[i])
	}
	if _, err := io.WriteString(v.Writer, strings.Join(lines, "\n")); err != nil {
		return 0, err
	}
	return len(text), nil
}

func (p *Printer) relation(r *executor.Relation) error {
	switch p.Settings.Format() {
	case settings.FormatCSV:
		return r.CSV(p.Out, ',', true)
	case settings.FormatTSV:
		return r.CSV(p.Out, '\t', true)
	case settings.FormatJSON:
		return r.JSON(p.Out)
	case settings.FormatVertical:
		return vertical(p.Out, r)
	}
	return table(p.Out, r)
}

// table prints a relation with lines between columns and the number of rows.
func table(w io.Writer, r *executor.Relation) error {
	right := make([]bool, len(r.Columns))
	for i := range right {
		right[i] = IsNumeric(r, i)
	}
	cells := make([][]string, len(r.Rows))
	for i, row := range r.Rows {
		for _, v := range row {
			cells[i] = append(cells[i], displaywidth.TruncateString(Cell(v), widest, "…"))
		}
	}
	titles := make([]string, len(r.Columns))
	for i, c := range r.Columns {
		titles[i] = displaywidth.TruncateString(lang.Visible(c), widest, "…")
	}
	if err := columns(w, titles, right, cells); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "(%s)\n", planner.Counted(len(r.Rows), "row"))
	return err
}

// widest is how many columns of the terminal a value takes in a table. What is longer
// is cut, and whole in every other format.
const widest = 100

// IsNumeric reports whether all that is in a column are numbers.
func IsNumeric(r *executor.Relation, column int) bool {
	found := false
	for _, row := range r.Rows {
		switch row[column].(type) {
		case int, int64, float32, float64:
			found = true
		case nil:
		default:
			return false
		}
	}
	return found
}

// Cell prints a value for people: probabilities with five digits, and a text in one
// line, without what would make the terminal do something.
func Cell(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case float32:
		return fmt.Sprintf("%.5f", v)
	case float64:
		if v == 0 {
			return "0" // of either sign, which rounding leaves
		}
		if size := math.Abs(v); size >= 1e5 && size < 1e15 {
			return strconv.FormatFloat(math.Round(v*100)/100, 'f', -1, 64)
		}
		return fmt.Sprintf("%.5g", v)
	case string:
		return lang.Visible(v)
	}
	return executor.Text(v)
}

// vertical prints one value a line.
func vertical(w io.Writer, r *executor.Relation) error {
	width := 0
	titles := make([]string, len(r.Columns))
	for i, c := range r.Columns {
		titles[i] = lang.Visible(c)
		width = max(width, displaywidth.String(titles[i]))
	}
	for i, row := range r.Rows {
		title := fmt.Sprintf("-[ RECORD %d ]", i+1)
		if _, err := fmt.Fprintln(w, title+strings.Repeat("-", max(0, width+20-len(title)))); err != nil {
			return err
		}
		for j, v := range row {
			if _, err := fmt.Fprintf(w, "%s | %s\n", titles[j]+strings.Repeat(" ", width-displaywidth.String(titles[j])), Cell(v)); err != nil {
				return err
			}
		}
	}
	_, err := fmt.Fprintf(w, "(%s)\n", planner.Counted(len(r.Rows), "row"))
	return err
}
