package lang

import (
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// TestGolden runs the files of testdata/golden. A test's input is a text of
// statements; its command is one of
//
//	parse     prints the statements that are right in canonical form, and then
//	          the diagnostics as a user sees them
//	optional  the same, where the last semicolon may be missing
//
// With the argument escaped, the input's backslashes are those of a Go string,
// for what an editor would not keep: tabs, line ends, bytes.
func TestGolden(t *testing.T) {
	datadriven.Walk(t, "testdata/golden", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			src := d.Input
			if d.HasArg("escaped") {
				var err error
				if src, err = strconv.Unquote(`"` + strings.ReplaceAll(src, `"`, `\"`) + `"`); err != nil {
					d.Fatalf(t, "%v", err)
				}
			}
			var o ParseOptions
			switch d.Cmd {
			case "parse":
			case "optional":
				o.OptionalFinalSemicolon = true
			default:
				d.Fatalf(t, "unknown command %s", d.Cmd)
			}
			script, diagnostics := o.Parse("q.oql", src)
			return script.String() + diagnostics.Format(src)
		})
	})
}
