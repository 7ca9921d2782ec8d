package repl

import (
	"fmt"
	"strings"

	"occlude/executor"
	"occlude/internal/settings"
	"occlude/lang"
	"occlude/planner"
)

// intoTable tells people in a line what became of the images of a query into a table.
func (p *Printer) intoTable(f *executor.IntoTable) error {
	if p.Settings.Format() != settings.FormatTable {
		return p.relation(f.Relation())
	}
	var counts []string
	for _, c := range []struct {
		n    int
		what string
	}{{f.Computed, "computed"}, {f.Skipped, "there already"}, {f.Failed, "failed"}} {
		if c.n > 0 {
			counts = append(counts, fmt.Sprintf("%d %s", c.n, c.what))
		}
	}
	lines := [][2]string{
		{"images", fmt.Sprintf("%d: %s", f.Images, strings.Join(counts, ", "))},
		{"rows", fmt.Sprintf("%d added", f.Rows)},
		{"time", planner.FormatSeconds(f.Seconds)},
	}
	if f.Failed > 0 {
		lines = append(lines, [2]string{"failed", fmt.Sprintf("SELECT image, error FROM occlude_failure WHERE tbl = %s;", lang.String{Value: f.Table})})
	}
	if _, err := fmt.Fprintf(p.people(), "OCCLUDE INTO TABLE %s\n", f.Table); err != nil {
		return err
	}
	for _, l := range lines {
		if _, err := fmt.Fprint(p.people(), field(l[0], "%s", l[1])); err != nil {
			return err
		}
	}
	return nil
}
