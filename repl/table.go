package repl

import (
	"fmt"
	"strings"

	"occlude/executor"
	"occlude/internal/settings"
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
	images := "images"
	if f.Images == 1 {
		images = "image"
	}
	_, err := fmt.Fprintf(p.Out, "OCCLUDE INTO TABLE %s\n  %-9s %d %s: %s\n  %-9s %d added\n  %-9s %s\n", f.Table,
		"images", f.Images, images, strings.Join(counts, ", "), "rows", f.Rows, "time", planner.FormatSeconds(f.Seconds))
	return err
}
