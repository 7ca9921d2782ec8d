package docs_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The diagram of docs/architecture.md has every package of the program, and packages import
// only what stands below them in it. What only tests and measurements need is told beside it.
func TestArchitecture(t *testing.T) {
	text, err := os.ReadFile("architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	_, diagram, _ := strings.Cut(string(text), "\n```text\n")
	diagram, rest, _ := strings.Cut(diagram, "\n```\n")
	imports := importsOf(t, "..")
	order := map[string]int{} // of the lines
	for i, line := range strings.Split(diagram, "\n") {
		fields := strings.Fields(line)
		if len(fields) == 0 || imports[fields[0]] == nil && !strings.Contains(fields[0], "/") {
			continue // a title, or an arrow
		}
		if imports[fields[0]] == nil {
			t.Errorf("the diagram has %s, which is no package", fields[0])
		}
		if _, twice := order[fields[0]]; twice {
			t.Errorf("the diagram has %s twice", fields[0])
		}
		order[fields[0]] = i
	}
	for name, list := range imports {
		line, drawn := order[name]
		if !drawn && !strings.Contains(rest, "`"+name+"`") && !strings.HasPrefix(name, "examples/benchmarks") {
			t.Errorf("the page does not have %s", name)
		}
		for _, imported := range list {
			below, known := order[imported]
			switch {
			case !drawn:
			case !known:
				t.Errorf("%s imports %s, which is not in the diagram", name, imported)
			case below <= line:
				t.Errorf("%s imports %s, which is not below it", name, imported)
			}
		}
	}
}

// importsOf are the packages of this module with those that each imports, whatever it is
// built for, by their folder; the program itself is main.
func importsOf(t *testing.T, root string) map[string][]string {
	all := map[string][]string{}
	err := filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			_, other := os.Stat(filepath.Join(file, "go.mod"))
			if file != root && (other == nil || entry.Name() == "testdata" || strings.HasPrefix(entry.Name(), ".")) {
				return filepath.SkipDir // no part of the module, or hidden
			}
			return nil
		}
		if !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		folder, err := filepath.Rel(root, filepath.Dir(file))
		if err != nil {
			return err
		}
		name := filepath.ToSlash(folder)
		if name == "." {
			name = "main"
		}
		all[name] = slices.Grow(all[name], 1) // one without imports is there, too
		for _, s := range parsed.Imports {
			if imported, ours := strings.CutPrefix(strings.Trim(s.Path.Value, `"`), "occlude/"); ours {
				all[name] = append(all[name], path.Clean(imported))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, list := range all {
		slices.Sort(list)
		all[name] = slices.Compact(list)
	}
	return all
}
