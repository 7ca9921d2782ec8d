//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gomlx/compute-onnx/support/protos"

	"occlude/internal/onnx"
	"occlude/internal/onnx/onnxtest"
)

// TestHostile runs the program on models, images and texts that were made to do harm.
// Each run ends with status 1, an error that names what is at fault, and no trace of the
// program's insides, in memory that has nothing to do with the numbers in the input.
func TestHostile(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data") // the machine is measured once
	const uses = "CREATE MODEL m FROM 'sound.onnx'; "
	type attrs = onnxtest.Attrs
	for name, c := range map[string]struct {
		text string
		make func(t *testing.T, dir string) // what the text names beside sound.onnx and sound.png
		says string
	}{
		"a window over nothing": {"CREATE MODEL m FROM 'bad.onnx';", badModel(func(m *onnxtest.Model) string {
			m.Init("w", zeros(2, 3, 3, 3)).Node("Conv", "x w", "y", attrs{"auto_pad": "SAME_UPPER", "strides": []int{16384, 16384}, "dilations": []int{16384, 16384}})
			return "y"
		}), "beyond the limit of 16 times"},
		"a normalization over everything": {"CREATE MODEL m FROM 'bad.onnx';", badModel(func(m *onnxtest.Model) string {
			m.Node("LRN", "x", "y", attrs{"size": 1 << 62})
			return "y"
		}), "LRN node"},
		"a product of gigabytes": {"CREATE MODEL m FROM 'bad.onnx';", badModel(func(m *onnxtest.Model) string {
			m.Init("s", onnx.New([]int{2}, []int64{8000, 8000})).Node("ConstantOfShape", "s", "c", nil).Node("MatMul", "c c", "d", nil)
			m.Node("ReduceMax", "d", "r", attrs{"keepdims": 0}).Node("Add", "x r", "y", nil)
			return "y"
		}), "takes too long"},
		"gigabytes declared in a kilobyte": {"CREATE MODEL m FROM 'bad.onnx';", badModel(func(m *onnxtest.Model) string {
			m.Init("w", zeros(2, 3, 1, 1)).Node("Conv", "x w", "y", nil)
			m.Proto.Graph.Initializer[0].Dims = []int64{1 << 15, 1 << 15, 1, 1}
			return "y"
		}), `initializer "w"`},
		"a cycle": {"CREATE MODEL m FROM 'bad.onnx';", badModel(func(m *onnxtest.Model) string {
			m.Node("Add", "x b", "a", nil).Node("Abs", "a", "b", nil)
			return "b"
		}), "cycle"},
		"a name that moves the cursor": {"CREATE MODEL m FROM 'bad.onnx';", badModel(func(m *onnxtest.Model) string {
			m.Node("\x1b[2JRelu", "x", "y", nil)
			return "y"
		}), `"\x1b[2JRelu" is no operator's name`},
		"weights above":     {"CREATE MODEL m FROM 'bad.onnx';", outside("../secret"), "outside of the model's folder"},
		"weights elsewhere": {"CREATE MODEL m FROM 'bad.onnx';", outside("/etc/passwd"), "outside of the model's folder"},
		"weights behind a link": {"CREATE MODEL m FROM 'bad.onnx';", func(t *testing.T, dir string) {
			must(t, os.Symlink("/etc/passwd", filepath.Join(dir, "link")))
			outside("link")(t, dir)
		}, `"link"`},
		"weights in a pipe": {"CREATE MODEL m FROM 'bad.onnx';", func(t *testing.T, dir string) {
			must(t, syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600))
			outside("pipe")(t, dir)
		}, "not a regular file"},
		"a model of nothing":     {"CREATE MODEL m FROM 'bad.onnx';", sized("bad.onnx", "", 900<<20), "there is no field 0"},
		"a model that is a pipe": {"CREATE MODEL m FROM 'pipe';", pipe, "not a regular file"},

		"an image that is a pipe":   {uses + "PREDICT 'pipe' USING m;", pipe, "not a regular file"},
		"an image without end":      {uses + "PREDICT '/dev/zero' USING m;", nil, "not a regular file"},
		"an image of a terabyte":    {uses + "PREDICT 'bad.png' USING m;", sized("bad.png", "\x89PNG\r\n\x1a\n", 1<<40), "more than 1073741824"},
		"an image of gigapixels":    {uses + "PREDICT 'bad.png' USING m;", content("bad.png", "BM\x00\x00\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00\x28\x00\x00\x00\x00\xea\x00\x00\x00\xea\x00\x00\x01\x00\x18\x00"+strings.Repeat("\x00", 24)), "more than 100 million"},
		"an array of exabytes":      {uses + "PREDICT 'bad.npy' USING m;", content("bad.npy", "\x93NUMPY\x01\x00\x50\x00{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4)}      "), "impossible"},
		"a text in an image's coat": {uses + "PREDICT 'bad.png' USING m;", content("bad.png", "hello"), "none of the formats"},
		"a mask that is a pipe":     {uses + "OCCLUDE 'sound.png' USING m PATCH 4 WHERE inside('pipe');", pipe, "not a regular file"},
		"labels that are a pipe":    {"CREATE MODEL m FROM 'sound.onnx' WITH (labels = 'pipe');", pipe, "not a regular file"},

		"parentheses":       {uses + "OCCLUDE 'sound.png' USING m PATCH 4 WHERE " + strings.Repeat("(", 1e6) + ";", nil, "nested too deeply"},
		"a long string":     {uses + "PREDICT '" + strings.Repeat("a", 5e6) + "' USING m;", nil, "too long"},
		"a large patch":     {uses + "OCCLUDE 'sound.png' USING m PATCH 1000000000;", nil, "1000000000 pixels are too many"},
		"an endless patch":  {uses + "OCCLUDE 'sound.png' USING m PATCH 99999999999999999999;", nil, "99999999999999999999"},
		"a place outside":   {uses + "OCCLUDE 'sound.png' USING m PATCH 4 AT (15, 0);", nil, "reaches past the input of 16x16"},
		"a stride of zero":  {uses + "OCCLUDE 'sound.png' USING m PATCH 4 STRIDE 0;", nil, "STRIDE"},
		"quotients":         {uses + "OCCLUDE 'sound.png' USING m PATCH 4 WHERE " + strings.Repeat("1/(", 60) + "x" + strings.Repeat(")", 60) + " > 0;", nil, "division by zero"},
		"a blob":            {"SELECT hex(zeroblob(2000000000));", nil, "too big"},
		"a file of queries": {"SELECT load_extension('x');", nil, "not authorized"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			soundModel().File(t, dir, "sound.onnx")
			picture, err := os.ReadFile("examples/images/clear.png")
			must(t, err)
			content("sound.png", string(picture))(t, dir)
			content("query.oql", c.text)(t, dir)
			if c.make != nil {
				c.make(t, dir)
			}
			status, stderr, peak := runText(t, dir, "query.oql", data)
			if status != 1 || !strings.Contains(stderr, c.says) || !strings.HasPrefix(stderr, "query.oql:1:") {
				t.Errorf("status %d, want 1, and an error that says %q:\n%.2000s", status, c.says, stderr)
			}
			for _, inside := range []string{"goroutine ", "internal error", "fault in occlude", "runtime error", "\x1b"} {
				if strings.Contains(stderr, inside) {
					t.Errorf("the error shows %q:\n%.2000s", inside, stderr)
				}
			}
			if peak > 1<<30 {
				t.Errorf("took %d MB of memory", peak>>20)
			}
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func zeros(dims ...int) *onnx.Tensor {
	n, err := onnx.Count(dims)
	if err != nil {
		panic(err)
	}
	return onnx.New(dims, make([]float32, n))
}

// imageModel is a model whose body makes a map of the image x.
func imageModel(body func(m *onnxtest.Model) string) *onnxtest.Model {
	m := onnxtest.New(13).Input("x", onnx.Float32, 1, 3, 16, 16)
	return m.Node("GlobalAveragePool", body(m), "mean", nil).Node("Flatten", "mean", "out", nil).Output("out", onnx.Float32)
}

func soundModel() *onnxtest.Model {
	return imageModel(func(m *onnxtest.Model) string {
		m.Init("w", zeros(2, 3, 3, 3)).Node("Conv", "x w", "y", nil)
		return "y"
	})
}

func badModel(body func(m *onnxtest.Model) string) func(*testing.T, string) {
	return func(t *testing.T, dir string) { imageModel(body).File(t, dir, "bad.onnx") }
}

// outside is a model with weights in another file.
func outside(location string) func(*testing.T, string) {
	return badModel(func(m *onnxtest.Model) string {
		m.Proto.Graph.Initializer = append(m.Proto.Graph.Initializer, &protos.TensorProto{
			Name: "w", DataType: 1, Dims: []int64{2, 3, 1, 1}, DataLocation: protos.TensorProto_EXTERNAL,
			ExternalData: []*protos.StringStringEntryProto{{Key: "location", Value: location}},
		})
		m.Node("Conv", "x w", "y", nil)
		return "y"
	})
}

func content(name, text string) func(*testing.T, string) { return sized(name, text, int64(len(text))) }

// sized is a file that begins with the text and goes on with zeros.
func sized(name, text string, size int64) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		path := filepath.Join(dir, name)
		must(t, os.WriteFile(path, []byte(text), 0o600))
		if err := os.Truncate(path, size); err != nil {
			t.Skip(err) // no holes in files here
		}
	}
}

// pipe is one that nobody writes to.
func pipe(t *testing.T, dir string) { must(t, syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600)) }

// runText runs a file of queries, and tells the most memory that this took.
func runText(t *testing.T, dir, file, data string) (status int, stderr string, peak int64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // which is for ever
	defer cancel()
	c := exec.CommandContext(ctx, "occlude", "--no-rc", "-f", file)
	c.Dir = dir
	c.Env = append(os.Environ(), "OCCLUDE_DATA="+data)
	var text bytes.Buffer
	c.Stderr = &text
	err := c.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if u, ok := c.ProcessState.SysUsage().(*syscall.Rusage); ok {
		peak = u.Maxrss << 10
	}
	return c.ProcessState.ExitCode(), text.String(), peak
}
