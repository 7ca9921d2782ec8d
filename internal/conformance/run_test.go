package conformance

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gomlx/compute-onnx/support/protos"

	"occlude/internal/onnx"
	"occlude/internal/onnx/onnxtest"
)

// relu is a model y = max(x, 0) of n elements.
func relu(n int) *onnxtest.Model {
	return onnxtest.New(14).Input("x", onnx.Float32, n).Node("Relu", "x", "y", nil).Output("y", onnx.Float32, n)
}

func vector(v ...float32) *onnx.Tensor { return onnx.New([]int{len(v)}, v) }

// writeCase makes a case folder below root.
func writeCase(t *testing.T, root, name string, m *onnxtest.Model, inputs, outputs []*onnx.Tensor) {
	t.Helper()
	dir := filepath.Join(root, name)
	m.File(t, dir, "model.onnx")
	writeSet(t, dir, 0, inputs, outputs)
}

func writeSet(t *testing.T, dir string, number int, inputs, outputs []*onnx.Tensor) {
	t.Helper()
	set := fmt.Sprintf("test_data_set_%d/", number)
	for i, x := range inputs {
		onnxtest.TensorFile(t, dir, fmt.Sprintf("%sinput_%d.pb", set, i), x)
	}
	for i, x := range outputs {
		onnxtest.TensorFile(t, dir, fmt.Sprintf("%soutput_%d.pb", set, i), x)
	}
}

type tensors = []*onnx.Tensor

func TestVerdicts(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	in, out := tensors{vector(-1, 2)}, tensors{vector(0, 2)}
	for _, c := range []struct {
		name  string
		write func(t *testing.T, root string)
		want  string // what the line starts with, spaces collapsed, after the verdict and the name
	}{
		{"equal", func(t *testing.T, root string) { writeCase(t, root, "c", relu(2), in, out) },
			"PASS c abs 0 rel 0"},
		{"within tolerance", func(t *testing.T, root string) {
			writeCase(t, root, "c", relu(2), in, tensors{vector(0, 2.001)})
		}, "PASS c abs 1.0e-03 rel 5.0e-04"},
		{"NaN and infinity", func(t *testing.T, root string) {
			writeCase(t, root, "c", relu(2), tensors{vector(nan, inf)}, tensors{vector(nan, inf)})
		}, "PASS c abs 0 rel 0"},
		{"empty tensor", func(t *testing.T, root string) {
			writeCase(t, root, "c", relu(0), tensors{vector()}, tensors{vector()})
		},
			"PASS c abs 0 rel 0"},
		{"other value", func(t *testing.T, root string) { writeCase(t, root, "c", relu(2), in, tensors{vector(0, 2.5)}) },
			`FAIL c abs 5.0e-01 rel 2.0e-01 output "y": 1 of 2 elements are off, most at [1]: got 2, want 2.5`},
		{"number for NaN", func(t *testing.T, root string) { writeCase(t, root, "c", relu(2), in, tensors{vector(0, nan)}) },
			`FAIL c abs +Inf rel 0 output "y": 1 of 2 elements are off, most at [1]: got 2, want NaN`},
		{"other shape", func(t *testing.T, root string) {
			writeCase(t, root, "c", relu(2), in, tensors{onnx.New([]int{2, 1}, []float32{0, 2})})
		}, `FAIL c output "y": its shape is 2 and should be 2x1`},
		{"other type", func(t *testing.T, root string) {
			writeCase(t, root, "c", relu(2), in, tensors{onnx.New([]int{2}, []float64{0, 2})})
		}, `FAIL c output "y": it is float32 and should be double`},
		{"more outputs expected", func(t *testing.T, root string) {
			writeCase(t, root, "c", relu(2), in, tensors{vector(0, 2), vector(0, 2)})
		}, "FAIL c the model has 1 outputs and the case 2"},
		{"fewer outputs expected", func(t *testing.T, root string) {
			writeCase(t, root, "c", relu(2).Node("Neg", "x", "z", nil).Output("z", onnx.Float32, 2), in, out)
		}, "FAIL c the model has 2 outputs and the case 1"},
		{"second output", func(t *testing.T, root string) {
			writeCase(t, root, "c", relu(2).Node("Neg", "x", "z", nil).Output("z", onnx.Float32, 2), in, tensors{vector(0, 2), vector(1, -2)})
		}, "PASS c abs 0 rel 0"},
		{"inputs missing", func(t *testing.T, root string) { writeCase(t, root, "c", relu(2), nil, out) },
			"FAIL c the model has 1 inputs and the case 0"},
		{"no output files", func(t *testing.T, root string) { writeCase(t, root, "c", relu(2), in, nil) },
			"FAIL c test_data_set_0 has no output_0.pb"},
		{"a gap in the inputs", func(t *testing.T, root string) {
			writeCase(t, root, "c", relu(2), in, out)
			rename(t, filepath.Join(root, "c/test_data_set_0"), "input_0.pb", "input_1.pb")
		}, "FAIL c test_data_set_0: input_0.pb is missing"},
		{"damaged model", func(t *testing.T, root string) {
			writeCase(t, root, "c", relu(2), in, out)
			truncate(t, filepath.Join(root, "c/model.onnx"), 20)
		}, "FAIL c model "},
		{"damaged output", func(t *testing.T, root string) {
			writeCase(t, root, "c", relu(2), in, out)
			truncate(t, filepath.Join(root, "c/test_data_set_0/output_0.pb"), 9)
		}, "FAIL c tensor file "},
		{"empty input", func(t *testing.T, root string) {
			writeCase(t, root, "c", relu(2), in, out)
			truncate(t, filepath.Join(root, "c/test_data_set_0/input_0.pb"), 0)
		}, "FAIL c tensor file "},
		{"no model", func(t *testing.T, root string) { writeSet(t, filepath.Join(root, "c"), 0, in, out) },
			"FAIL c the folder has data but no .onnx file"},
		{"newer opset", func(t *testing.T, root string) {
			m := relu(2)
			m.Proto.OpsetImport[0].Version = 25
			writeCase(t, root, "c", m, in, out)
		}, "FAIL c model "},
		{"node breaks its operator's rules", func(t *testing.T, root string) {
			writeCase(t, root, "c", onnxtest.New(14).Input("x", onnx.Float32, 2).Init("w", vector(1, 2, 3)).
				Node("Add", "x w", "y", nil).Output("y", onnx.Float32, 2), in, out)
		}, `FAIL c Add node that makes "y": shapes`},
		{"operator outside the list", func(t *testing.T, root string) {
			writeCase(t, root, "c", onnxtest.New(14).Input("x", onnx.Float32, 2).Node("Hardmax9", "x", "y", nil).Output("y", onnx.Float32, 2), in, out)
		}, "SKIP c operator Hardmax9 is not on the list"},
		{"operator of another domain", func(t *testing.T, root string) {
			writeCase(t, root, "c", onnxtest.New(14).Input("x", onnx.Float32, 2).Node("com.microsoft::Relu", "x", "y", nil).Output("y", onnx.Float32, 2), in, out)
		}, "SKIP c operator com.microsoft::Relu is not on the list"},
		{"graph in a node", func(t *testing.T, root string) {
			writeCase(t, root, "c", onnxtest.New(14).Input("x", onnx.Float32, 2).
				Node("Scan", "x", "y", onnxtest.Attrs{"body": &protos.GraphProto{}}).Output("y", onnx.Float32, 2), in, out)
		}, "SKIP c operator Scan is not on the list"},
		{"sequence", func(t *testing.T, root string) {
			m := onnxtest.New(14).Input("x", onnx.Float32, 2).Node("Identity", "x", "y", nil).Output("y", onnx.Float32, 2)
			m.Proto.Graph.Input[0].Type = &protos.TypeProto{Value: &protos.TypeProto_SequenceType{}}
			writeCase(t, root, "c", m, in, out)
		}, "SKIP c type sequence is not on the list"},
		{"complex input", func(t *testing.T, root string) {
			m := onnxtest.New(14).Input("x", onnx.Float32, 2).Node("Identity", "x", "y", nil).Output("y", onnx.Float32, 2)
			m.Proto.Graph.Input[0].Type.GetTensorType().ElemType = 14
			writeCase(t, root, "c", m, in, out)
		}, "SKIP c type complex64 is not on the list"},
		{"strings where the operator takes none", func(t *testing.T, root string) {
			x := onnx.New([]int{1}, []string{"a"})
			writeCase(t, root, "c", onnxtest.New(14).Input("x", onnx.String, 1).Node("Neg", "x", "y", nil).Output("y", onnx.String, 1), tensors{x}, tensors{x})
		}, "SKIP c type string is not on the list (Neg)"},
		{"every data set counts", func(t *testing.T, root string) {
			writeCase(t, root, "c", relu(2), in, out)
			writeSet(t, filepath.Join(root, "c"), 1, in, tensors{vector(1, 2)})
		}, `FAIL c abs 1.0e+00 rel 1.0e+00 test_data_set_1: output "y": 1 of 2`},
		{"several data sets", func(t *testing.T, root string) {
			writeCase(t, root, "c", relu(2), in, tensors{vector(0, 2.001)})
			writeSet(t, filepath.Join(root, "c"), 1, in, out)
			writeSet(t, filepath.Join(root, "c"), 10, in, out)
		}, "PASS c abs 1.0e-03 rel 5.0e-04"},
		{"bfloat16 bits in uint16 files", func(t *testing.T, root string) {
			bits := onnx.New([]int{1}, []uint16{0x3fc0})
			writeCase(t, root, "c", onnxtest.New(14).Input("x", onnx.BFloat16, 1).Node("Identity", "x", "y", nil).Output("y", onnx.BFloat16, 1),
				tensors{bits}, tensors{bits})
		}, "PASS c abs 0 rel 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := t.TempDir()
			c.write(t, root)
			var b strings.Builder
			s, err := Run(context.Background(), []string{root}, &b)
			if err != nil {
				t.Fatal(err)
			}
			lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
			if got := strings.Join(strings.Fields(lines[0]), " "); !strings.HasPrefix(got, c.want) {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			want := map[string]Summary{"PASS": {Passed: 1}, "FAIL": {Failed: 1}, "SKIP": {Skipped: 1}}[c.want[:4]]
			if s != want || len(lines) != 2 || lines[1] != want.String() {
				t.Errorf("summary %v, output\n%s", s, b.String())
			}
		})
	}
}

// The report as a whole: order, names under several paths, the count as the last
// line.
func TestReport(t *testing.T) {
	root := t.TempDir()
	in, out := tensors{vector(-1, 2)}, tensors{vector(0, 2)}
	writeCase(t, root, "node/test_relu", relu(2), in, out)
	writeCase(t, root, "node/test_relu_wrong", relu(2), in, tensors{vector(0, 3)})
	writeCase(t, root, "node/test_rnn", onnxtest.New(14).Input("x", onnx.Float32, 2).Node("NoOp", "x", "y", nil).Output("y", onnx.Float32, 2), in, out)
	relu(4).File(t, root, "light.onnx")
	onnxtest.TensorFile(t, root, "light_output_0.pb", vector(0, .25, .5, .75))
	relu(4).File(t, root, "no_case.onnx")
	var b strings.Builder
	s, err := Run(context.Background(), []string{filepath.Join(root, "node"), root + "/light.onnx"}, &b)
	if err != nil {
		t.Fatal(err)
	}
	got := squeeze(strings.ReplaceAll(b.String(), root, "ROOT"))
	want := `PASS ROOT/node/test_relu abs 0 rel 0
FAIL ROOT/node/test_relu_wrong abs 1.0e+00 rel 3.3e-01 output "y": 1 of 2 elements are off, most at [1]: got 2, want 3
SKIP ROOT/node/test_rnn operator NoOp is not on the list
PASS ROOT/light.onnx abs 0 rel 0
2 passed, 1 failed, 1 skipped
`
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if s != (Summary{2, 1, 1}) {
		t.Errorf("summary %v", s)
	}
	b.Reset()
	if _, err := Run(context.Background(), []string{root}, &b); err != nil {
		t.Fatal(err)
	}
	if first, _, _ := strings.Cut(squeeze(b.String()), "\n"); first != "PASS light abs 0 rel 0" {
		t.Errorf("got %s", first)
	}
}

// squeeze makes runs of spaces single.
func squeeze(s string) string {
	for strings.Contains(s, "  ") {
		s = strings.ReplaceAll(s, "  ", " ")
	}
	return s
}

func TestAlignment(t *testing.T) {
	root := t.TempDir()
	writeCase(t, root, "short", relu(1), tensors{vector(1)}, tensors{vector(1)})
	writeCase(t, root, "a_longer_name", relu(1), tensors{vector(1)}, tensors{vector(1.0005)})
	var b strings.Builder
	if _, err := Run(context.Background(), []string{root}, &b); err != nil {
		t.Fatal(err)
	}
	want := `PASS  a_longer_name  abs 5.0e-04  rel 5.0e-04
PASS  short          abs 0        rel 0
2 passed, 0 failed, 0 skipped
`
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
}

// A lone model is run on float32(i)/n; an open batch is one image.
func TestRamp(t *testing.T) {
	root := t.TempDir()
	for name, m := range map[string]*onnxtest.Model{
		"closed": onnxtest.New(14).Input("x", onnx.Float32, 1, 2, 2).Node("Identity", "x", "y", nil).Output("y", onnx.Float32),
		"open":   onnxtest.New(14).Input("x", onnx.Float32, onnxtest.Open, 2, 2).Node("Identity", "x", "y", nil).Output("y", onnx.Float32),
		"old": func() *onnxtest.Model { // weights made by a node, shapes listed among the inputs
			m := onnxtest.New(9).Input("x", onnx.Float32, 1, 2, 2).Input("shape", onnx.Int64, 1).Init("shape", onnx.New([]int{1}, []int64{2})).
				Node("Add", "x w", "y", nil).
				Node("ConstantOfShape", "shape", "w", nil).Output("y", onnx.Float32)
			m.Proto.IrVersion = 3
			return m
		}(),
	} {
		m.File(t, root, name+".onnx")
		onnxtest.TensorFile(t, root, name+"_output_0.pb", onnx.New([]int{1, 2, 2}, []float32{0, .25, .5, .75}))
	}
	var b strings.Builder
	s, err := Run(context.Background(), []string{root}, &b)
	if err != nil || s != (Summary{Passed: 3}) {
		t.Errorf("%v, %v\n%s", s, err, b.String())
	}

	for name, m := range map[string]*onnxtest.Model{
		`dimension 2 open`:     onnxtest.New(14).Input("x", onnx.Float32, 1, 3, onnxtest.Open).Node("Relu", "x", "y", nil).Output("y", onnx.Float32),
		`not float32`:          onnxtest.New(14).Input("x", onnx.Int64, 4).Node("Relu", "x", "y", nil).Output("y", onnx.Int64),
		`1000000000 elements`:  onnxtest.New(14).Input("x", onnx.Float32, 1e9).Node("Relu", "x", "y", nil).Output("y", onnx.Float32),
		`more than 2147483647`: onnxtest.New(14).Input("x", onnx.Float32, 1e9, 1e9).Node("Relu", "x", "y", nil).Output("y", onnx.Float32),
	} {
		root := t.TempDir()
		path := m.File(t, root, "m.onnx")
		onnxtest.TensorFile(t, root, "m_output_0.pb", vector(1))
		b.Reset()
		s, err := Run(context.Background(), []string{path}, &b)
		if err != nil || s != (Summary{Failed: 1}) || !strings.Contains(b.String(), name) {
			t.Errorf("%s: %v, %v\n%s", name, s, err, b.String())
		}
	}
}

func TestFolderWithSeveralModels(t *testing.T) {
	root := t.TempDir()
	relu(2).File(t, root, "a.onnx")
	onnxtest.New(14).Input("x", onnx.Float32, 2).Node("Neg", "x", "y", nil).Output("y", onnx.Float32, 2).File(t, root, "b.onnx")
	writeSet(t, root, 0, tensors{vector(-1, 2)}, tensors{vector(0, 2)})
	var b strings.Builder
	s, err := Run(context.Background(), []string{root}, &b)
	if err != nil || s != (Summary{Passed: 1, Failed: 1}) || !strings.Contains(b.String(), "a.onnx ") {
		t.Errorf("%v, %v\n%s", s, err, b.String())
	}
	b.Reset()
	s, err = Run(context.Background(), []string{filepath.Join(root, "a.onnx")}, &b)
	if err != nil || s != (Summary{Passed: 1}) {
		t.Errorf("%v, %v\n%s", s, err, b.String())
	}
}

func TestNothingFound(t *testing.T) {
	root := t.TempDir()
	lone := relu(2).File(t, root, "lone.onnx")
	text := filepath.Join(root, "notes.txt")
	if err := os.WriteFile(text, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	good := filepath.Join(t.TempDir(), "good")
	writeCase(t, filepath.Dir(good), "good", relu(1), tensors{vector(1)}, tensors{vector(1)})
	for _, c := range []struct {
		paths []string
		want  string
	}{
		{nil, "no path"},
		{[]string{root}, "no test case found"},
		{[]string{good, lone}, "no test case found"},
		{[]string{good, text}, "neither a folder nor an .onnx file"},
		{[]string{good, filepath.Join(root, "missing")}, "missing"},
	} {
		var b strings.Builder
		if _, err := Run(context.Background(), c.paths, &b); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: the error is %v, want one with %q", c.paths, err, c.want)
		}
		if b.Len() > 0 {
			t.Errorf("%q: work was begun:\n%s", c.paths, b.String())
		}
	}
}

func TestCrashFails(t *testing.T) {
	root := t.TempDir()
	writeCase(t, root, "a", relu(1), tensors{vector(1)}, tensors{vector(1)})
	writeCase(t, root, "b", relu(1), tensors{vector(2)}, tensors{vector(2)})
	var b strings.Builder
	s, err := run(context.Background(), []string{root}, &b,
		func(_ context.Context, _ *onnx.Model, in map[string]*onnx.Tensor) (map[string]*onnx.Tensor, error) {
			if in["x"].Data.([]float32)[0] == 1 {
				panic("out of luck")
			}
			return map[string]*onnx.Tensor{"y": in["x"]}, nil
		})
	if err != nil || s != (Summary{Passed: 1, Failed: 1}) || !strings.Contains(b.String(), "crashed: out of luck") {
		t.Errorf("%v, %v\n%s", s, err, b.String())
	}
}

// An output that was not computed is never taken for right.
func TestMissingOutputFails(t *testing.T) {
	root := t.TempDir()
	writeCase(t, root, "a", relu(1), tensors{vector(1)}, tensors{vector(1)})
	var b strings.Builder
	s, err := run(context.Background(), []string{root}, &b,
		func(context.Context, *onnx.Model, map[string]*onnx.Tensor) (map[string]*onnx.Tensor, error) {
			return nil, nil
		})
	if err != nil || s != (Summary{Failed: 1}) {
		t.Errorf("%v, %v\n%s", s, err, b.String())
	}
}

func TestCancel(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{"a", "b", "c"} {
		writeCase(t, root, name, relu(1), tensors{vector(1)}, tensors{vector(1)})
	}
	ctx, cancel := context.WithCancel(context.Background())
	calls := 0
	var b strings.Builder
	s, err := run(ctx, []string{root}, &b,
		func(ctx context.Context, _ *onnx.Model, in map[string]*onnx.Tensor) (map[string]*onnx.Tensor, error) {
			if calls++; calls == 2 {
				cancel()
				return nil, ctx.Err()
			}
			return map[string]*onnx.Tensor{"y": in["x"]}, nil
		})
	if !errors.Is(err, context.Canceled) || s != (Summary{Passed: 1}) {
		t.Errorf("%v, %v", s, err)
	}
	if got := strings.Count(b.String(), "\n"); got != 1 {
		t.Errorf("one case was done, the output is\n%s", b.String())
	}
}

func TestWriteError(t *testing.T) {
	root := t.TempDir()
	writeCase(t, root, "a", relu(1), tensors{vector(1)}, tensors{vector(1)})
	full := errors.New("disk full")
	if _, err := Run(context.Background(), []string{root}, failingWriter{full}); !errors.Is(err, full) {
		t.Errorf("the error is %v", err)
	}
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

func rename(t *testing.T, dir, from, to string) {
	t.Helper()
	if err := os.Rename(filepath.Join(dir, from), filepath.Join(dir, to)); err != nil {
		t.Fatal(err)
	}
}

func truncate(t *testing.T, path string, size int64) {
	t.Helper()
	if err := os.Truncate(path, size); err != nil {
		t.Fatal(err)
	}
}
