package repl_test

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"occlude/executor"
	"occlude/internal/engine"
	"occlude/internal/store"
	"occlude/lang"
	"occlude/repl"
)

// block is an example of a page and, if it follows, what it prints.
var block = regexp.MustCompile("(?ms)^```sql\n(.*?)^```$(?:\n```text\n(.*?)^```$)?")

// The examples of the page on tables run as they stand, one after the other, and print
// what the page says.
func TestTablesPage(t *testing.T) {
	page, err := os.ReadFile("../docs/tables.md")
	if err != nil {
		t.Fatal(err)
	}
	examples, err := filepath.Abs("../examples")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	if err := os.Symlink(examples, "examples"); err != nil {
		t.Fatal(err)
	}
	e := engine.New()
	e.Session.Store = store.Open("data/occlude.db")
	defer e.Session.Close()
	blocks, printed := 0, 0
	for _, b := range block.FindAllStringSubmatch(string(page), -1) {
		blocks++
		var out strings.Builder
		p := &repl.Printer{Out: &out, Settings: &e.Session.Settings}
		err := e.Run(context.Background(), engine.Text{Name: "tables.md", Source: b[1]}, func(_ lang.Statement, r executor.Result) error { return p.Print(r) })
		if err != nil {
			repl.ShowError(&out, err)
			t.Fatalf("%s\n%s", b[1], out.String())
		}
		if b[2] != "" {
			printed++
			if out.String() != b[2] {
				t.Errorf("%s\nprints\n%s\nthe page says\n%s", b[1], out.String(), b[2])
			}
		}
	}
	if blocks < 8 || printed < 4 {
		t.Errorf("%d examples, %d of them with what they print", blocks, printed)
	}
	if left, _ := filepath.Glob("data/arrays/slices/*.npy"); len(left) > 0 {
		t.Errorf("%q are left", left)
	}
	for _, file := range []string{"peaks.csv", "cavity-2.npy", "cavities.png", "clear.png"} {
		if _, err := os.Stat(file); err != nil {
			t.Error(err)
		}
	}
}
