package repl_test

import (
	"strings"
	"testing"

	"occlude/executor"
	"occlude/internal/settings"
	"occlude/repl"
)

// What became of the images of a query into a table: a few lines for people, a row
// for programs.
func TestIntoTable(t *testing.T) {
	f := &executor.IntoTable{Table: "it's", Images: 9, Computed: 5, Skipped: 3, Failed: 1, Rows: 845, Seconds: 1.5}
	for format, want := range map[string]string{
		"table": `OCCLUDE INTO TABLE it's
  images    9: 5 computed, 3 there already, 1 failed
  rows      845 added
  time      1.50 s
  failed    SELECT image, error FROM occlude_failure WHERE tbl = 'it''s';
`,
		"csv":  "table,images,computed,skipped,failed,rows,seconds\nit's,9,5,3,1,845,1.5\n",
		"json": "[\n  {\"table\": \"it's\", \"images\": 9, \"computed\": 5, \"skipped\": 3, \"failed\": 1, \"rows\": 845, \"seconds\": 1.5}\n]\n",
	} {
		var s settings.Settings
		if err := s.Set("format", format); err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		if err := (&repl.Printer{Out: &out, Settings: &s}).Print(f); err != nil || out.String() != want {
			t.Errorf("%s: %v\n%s", format, err, out.String())
		}
	}
	f.Failed, f.Skipped = 0, 0
	var out strings.Builder
	if err := (&repl.Printer{Out: &out, Settings: &settings.Settings{}}).Print(f); err != nil || !strings.Contains(out.String(), "9: 5 computed\n") || strings.Contains(out.String(), "failed") {
		t.Errorf("%v\n%s", err, out.String())
	}
}
