package repl

import (
	"fmt"
	"io"
	"strings"

	"github.com/clipperhouse/displaywidth"
	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"

	"occlude/executor"
	"occlude/internal/settings"
	"occlude/planner"
	"occlude/planner/explain"
)

// Printer writes results.
type Printer struct {
	Out io.Writer
	// Settings say in which format.
	Settings *settings.Settings
	// Pictures makes heat maps appear as small pictures too: for terminals.
	Pictures bool
	// Columns is the terminal's width for pictures.
	Columns int

	last *planner.Occlude // whose heat map was printed last
}

// Print writes one result.
func (p *Printer) Print(r executor.Result) error {
	switch r := r.(type) {
	case executor.Message:
		if p.Settings.Format() == settings.FormatTable || p.Settings.Format() == settings.FormatVertical {
			_, err := fmt.Fprintln(p.Out, r.Text)
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
		return d.Text(p.Out)
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
	align := make([]tw.Align, len(r.Columns))
	for i := range align {
		align[i] = tw.AlignLeft
		if len(r.Rows) > 0 && isNumber(r.Rows[0][i]) {
			align[i] = tw.AlignRight
		}
	}
	cells := make([][]string, len(r.Rows))
	for i, row := range r.Rows {
		for _, v := range row {
			cells[i] = append(cells[i], cell(v))
		}
	}
	if err := columns(w, r.Columns, align, cells); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "(%s)\n", rows(len(r.Rows)))
	return err
}

// columns prints rows with lines between their columns.
func columns(w io.Writer, titles []string, align []tw.Align, rows [][]string) error {
	t := tablewriter.NewTable(w,
		tablewriter.WithRenderer(renderer.NewBlueprint(tw.Rendition{
			Borders: tw.BorderNone,
			Symbols: tw.NewSymbols(tw.StyleASCII),
			Settings: tw.Settings{
				Separators: tw.Separators{BetweenColumns: tw.On, BetweenRows: tw.Off},
				Lines:      tw.Lines{ShowHeaderLine: tw.On},
			},
		})),
		tablewriter.WithHeaderAutoFormat(tw.Off),
		tablewriter.WithHeaderAlignment(tw.AlignLeft),
		tablewriter.WithRowAutoWrap(tw.WrapNone),
		tablewriter.WithHeaderAutoWrap(tw.WrapNone),
		tablewriter.WithRowAlignmentConfig(tw.CellAlignment{PerColumn: align}),
	)
	t.Header(titles)
	for _, row := range rows {
		if err := t.Append(row); err != nil {
			return err
		}
	}
	return t.Render()
}

func rows(n int) string {
	if n == 1 {
		return "1 row"
	}
	return fmt.Sprintf("%d rows", n)
}

func isNumber(v any) bool {
	switch v.(type) {
	case int, int64, float32, float64:
		return true
	}
	return false
}

// cell prints a value for people: probabilities with five digits.
func cell(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case float32:
		return fmt.Sprintf("%.5f", v)
	case float64:
		return fmt.Sprintf("%.5g", v)
	}
	return executor.Text(v)
}

// vertical prints one value a line.
func vertical(w io.Writer, r *executor.Relation) error {
	width := 0
	for _, c := range r.Columns {
		width = max(width, displaywidth.String(c))
	}
	for i, row := range r.Rows {
		title := fmt.Sprintf("-[ RECORD %d ]", i+1)
		if _, err := fmt.Fprintln(w, title+strings.Repeat("-", max(0, width+20-len(title)))); err != nil {
			return err
		}
		for j, v := range row {
			if _, err := fmt.Fprintf(w, "%s | %s\n", r.Columns[j]+strings.Repeat(" ", width-displaywidth.String(r.Columns[j])), cell(v)); err != nil {
				return err
			}
		}
	}
	_, err := fmt.Fprintf(w, "(%s)\n", rows(len(r.Rows)))
	return err
}
