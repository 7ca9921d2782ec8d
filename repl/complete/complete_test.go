package complete_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"occlude/repl/complete"
)

type fake struct{}

func (fake) Models() []string { return []string{"chest", "resnet-18", "Oct"} }

func (fake) Labels(model string) []string {
	return map[string][]string{"chest": {"nodule", "clear", "it's odd"}, "Oct": {"DME"}}[model]
}

// The bar is the cursor; what stands behind => are the candidates, those behind ! are
// none. A candidate is told with what it replaces: from which text it makes which.
func TestAt(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for _, name := range []string{"a.png", "b.onnx", "c.txt", ".hidden.png", "it's.png", "scans/1.dcm", "scans/2.PNG", "models/m.onnx"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("nowhere", "dangling.png"); err != nil {
		t.Logf("no dangling link: %v", err)
	}
	for _, c := range []struct{ text, yes, no string }{
		{"|", "CREATE|OCCLUDE|SELECT", "USING|chest"},
		{"occ|", "occlude", "OCCLUDE|Occlude"},
		{"OCC|", "OCCLUDE", "occlude"},
		{"occlude 'a.png' |", "USING", "PATCH"},
		{"OCCLUDE 'a.png' USING |", `chest|"resnet-18"|"Oct"`, "USING"},
		{"OCCLUDE 'a.png' USING CH|", "chest", `"resnet-18"`},
		{`OCCLUDE 'a.png' USING "r|`, `"resnet-18"`, "chest"},
		{`OCCLUDE 'a.png' USING "r|";`, `"resnet-18`, `"resnet-18"`},
		{"OCCLUDE 'a.png' USING chest FOR CLASS |", "'nodule'|'clear'|'it''s odd'", "'DME'"},
		{"OCCLUDE 'a.png' USING Chest FOR CLASS 'no|", "'nodule'", "'clear'"},
		{"OCCLUDE 'a.png' USING chest FOR CLASS 'it''s|", "'it''s odd'", "'clear'"},
		{`OCCLUDE 'a.png' USING "Oct" FOR CLASS |`, "'DME'", "'nodule'"},
		{"OCCLUDE |", "'a.png'|'it''s.png'|'scans/|'models/", "'b.onnx'|'c.txt'|'.hidden.png'|'dangling.png'"},
		{"OCCLUDE 'scans/|", "'scans/1.dcm'|'scans/2.PNG'", "'a.png'"},
		{"OCCLUDE 'sc|' USING chest;", "'scans/", "'a.png'"},
		{"OCCLUDE 'a|' USING chest;", "'a.png", "'a.png'"},
		{"OCCLUDE '.|", "'.hidden.png'", "'a.png'"},
		{"OCCLUDE 'nowhere/|", "", "'a.png'"},
		{"CREATE MODEL m FROM '|", "'b.onnx'|'models/", "'a.png'"},
		{"CREATE MODEL m FROM 'b.onnx' WITH (|", "labels|mean|resize", "tau|plan"},
		{"OCCLUDE 'a.png' USING chest WITH (t|", "tau|tolerance", "labels|plan"},
		{"OCCLUDE 'a.png' USING chest WITH (plan = |", "full|incremental|approximate", "auto"},
		{"OCCLUDE 'a.png' USING chest COLORMAP |", "viridis|jet_r", ""},
		{"OCCLUDE 'a.png' USING chest WITH (kernels = |", "auto|avx2", "cpu"},
		{"OCCLUDE 'a.png' USING chest WITH (tau = |", "", "1|above 0"},
		{"CREATE MODEL m FROM 'b.onnx' WITH (resize = '|", "'squash'|'crop'", "auto"},
		{"CREATE MODEL m FROM 'b.onnx' WITH (channels = r|", "rgb", "bgr"},
		{"OCCLUDE 'a.png' USING chest INTO |", "'c.txt'|TABLE", ""},
		{"BENCHMARK (PLANS (|", "full|approximate", ""},
		{"SET |", "threads|memory_limit", "plan"},
		{"SET device = |", "cpu|auto", "full"},
		{"SET device = 'c|", "'cpu'", "cpu"},
		{"SET device = cu|", "'cuda:0'", `"cuda:0"`},
		{"OCCLUDE 'a' USING m WITH (convolution = |", "'F(4x4)'", `"F(4x4)"`},
		{"SHOW |", "MODELS|ALL|threads", ""},
		{"SELECT |", "", "chest"},
		{"-- |", "", "CREATE"},
	} {
		cursor := strings.IndexByte(c.text, '|')
		got := complete.At(strings.Replace(c.text, "|", "", 1), cursor, fake{})
		var texts []string
		for _, x := range got.Candidates {
			texts = append(texts, x.Text)
			if x.Kind == "" || strings.Contains(x.Text, "\n") {
				t.Errorf("%s: %+v", c.text, x)
			}
		}
		for _, want := range strings.Split(c.yes, "|") {
			if want != "" && !slices.Contains(texts, want) {
				t.Errorf("%s: not %s, only %s", c.text, want, texts)
			}
		}
		for _, not := range strings.Split(c.no, "|") {
			if slices.Contains(texts, not) {
				t.Errorf("%s: %s, which does not fit", c.text, not)
			}
		}
		if c.yes == "" && len(texts) > 0 {
			t.Errorf("%s: %s", c.text, texts)
		}
	}
	if got := complete.At("OCCLUDE 'a.p", 12, fake{}); got.From != 8 {
		t.Errorf("replaced from %d", got.From)
	}
}

// A folder full of files is not listed without end.
func TestManyFiles(t *testing.T) {
	t.Chdir(t.TempDir())
	for i := range 300 {
		if err := os.WriteFile(strings.Repeat("x", i/20+1)+string(rune('a'+i%20))+".png", nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(complete.At("PREDICT 'x", 10, fake{}).Candidates); n != 200 {
		t.Errorf("%d files are offered", n)
	}
}
