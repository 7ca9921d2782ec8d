package planner_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"occlude/internal/imageio"
	"occlude/internal/memory/memorytest"
	"occlude/internal/model"
	"occlude/lang"
)

// FuzzPlan: whatever the text, each statement of it is planned, or is refused with the
// place of what is wrong; soon, and in memory that does not depend on the numbers in it.
func FuzzPlan(f *testing.F) {
	for _, text := range planned(f) {
		f.Add(text)
	}
	dir := f.TempDir()
	files(f, dir)
	m, err := model.Load(context.Background(), "m", filepath.Join(dir, "small.onnx"), model.Options{Spec: imageio.DefaultSpec(0, 0)})
	if err != nil {
		f.Fatal(err)
	}
	names := elsewhere(dir)
	f.Fuzz(func(t *testing.T, text string) {
		if others := strings.ReplaceAll(text, "'scans/", ""); strings.ContainsAny(others, "/\\~") || strings.Contains(text, "..") {
			return // another folder's files
		}
		text = names.Replace(text)
		const forever, most = 20 * time.Second, 256 << 20
		ctx, cancel := context.WithTimeout(t.Context(), forever)
		defer cancel()
		before := memorytest.Allocated()
		w := newWorld(t)
		w.models["m"] = m
		script, _ := lang.Parse("fuzz", text)
		for _, s := range script.Statements[:min(len(script.Statements), 5)] {
			_, err := w.planner.Plan(ctx, s)
			if ctx.Err() != nil {
				t.Fatalf("%q is planned for ever", s)
			}
			if d := (*lang.Diagnostic)(nil); err != nil && (!errors.As(err, &d) || d.Summary == "" || d.To.Offset > len(text) || d.From.Offset > len(text)) {
				t.Errorf("%q: %v is no diagnostic", s, err)
			}
		}
		if n := memorytest.Allocated() - before; n > most {
			t.Errorf("%d bytes of memory for a text of %d", n, len(text))
		}
	})
}

// elsewhere puts names of files into the folder that they are in: a process that fuzzes
// must not leave its own.
func elsewhere(dir string) *strings.Replacer {
	var pairs []string
	for _, name := range []string{"scan.png", "scans/", "roi.png", "broken.png", "black.png", "three.txt", "twice.txt", "many.txt", "small.onnx", "wide.onnx"} {
		pairs = append(pairs, "'"+name, "'"+filepath.Join(dir, name))
	}
	return strings.NewReplacer(pairs...)
}

// planned are the statements of the golden files, with all of their models called m.
func planned(t testing.TB) (texts []string) {
	files, err := filepath.Glob("testdata/bind/*")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d golden files, %v", len(files), err)
	}
	for _, name := range files {
		golden, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for block := range strings.SplitSeq(string(golden), "\n\n") {
			_, text, found := strings.Cut(block, "\n")
			if text, _, ended := strings.Cut(text, "\n----"); found && ended {
				for _, part := range lang.Split(text) {
					if !slices.Contains(texts, part.Text) {
						texts = append(texts, part.Text)
					}
				}
			}
		}
	}
	return texts
}
