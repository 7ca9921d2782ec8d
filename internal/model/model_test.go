package model

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "go4.org/unsafe/assume-no-moving-gc"
	"gorgonia.org/tensor"

	"occlude/internal/imageio"
	"occlude/internal/network"
	"occlude/internal/onnx"
	"occlude/internal/onnx/onnxtest"
	"occlude/operators/cpu"
)

// classifier is a model whose scores are, whatever the image, the largest value
// of each channel: with the image at hand, they are known.
func classifier(channels int, nhwc bool, tail ...string) *onnxtest.Model {
	m := onnxtest.New(13)
	last := "x"
	if nhwc {
		m.Input("x", onnx.Float32, onnxtest.Open, 4, 5, channels)
		m.Node("Transpose", "x", "t", onnxtest.Attrs{"perm": []int{0, 3, 1, 2}})
		last = "t"
	} else {
		m.Input("x", onnx.Float32, onnxtest.Open, channels, 4, 5)
	}
	m.Node("GlobalMaxPool", last, "pooled", nil).Node("Flatten", "pooled", "y0", nil)
	last = "y0"
	for i, op := range tail {
		name := "y" + string(rune('1'+i))
		switch op {
		case "Reshape":
			m.Init("to", onnx.New([]int{2}, []int64{-1, int64(channels)}))
			m.Node(op, last+" to", name, nil)
		default:
			m.Node(op, last, name, nil)
		}
		last = name
	}
	return m.Output(last, onnx.Float32, 1, channels)
}

func load(t *testing.T, path string, o Options) (*Model, error) {
	t.Helper()
	if o.Spec.Scale == 0 {
		o.Spec = imageio.DefaultSpec(0, 0)
	}
	return Load(t.Context(), "m", path, o)
}

func mustLoad(t *testing.T, m *onnxtest.Model, o Options) *Model {
	t.Helper()
	got, err := load(t, m.File(t, t.TempDir(), "m.onnx"), o)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// scores runs a model on an image whose channels' largest values are given.
func scores(t *testing.T, m *Model, largest ...float32) []float32 {
	t.Helper()
	s := m.Net.Input().Shape
	data := make([]float32, s.Len())
	for i := range data {
		data[i] = largest[i%s.C] - float32(i/s.C)
	}
	p, err := cpu.New(context.Background(), m.Net, cpu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	views, err := p.Base(t.Context(), tensor.New(tensor.WithShape(s.H, s.W, s.C), tensor.WithBacking(data)), 1)
	if err != nil {
		t.Fatal(err)
	}
	return views.Output(m.Net.Output.Index)
}

func softmax(x ...float32) []float32 {
	out, sum := make([]float32, len(x)), 0.
	for _, v := range x {
		sum += math.Exp(float64(v))
	}
	for i, v := range x {
		out[i] = float32(math.Exp(float64(v)) / sum)
	}
	return out
}

func each(f func(float64) float64, x ...float32) []float32 {
	out := make([]float32, len(x))
	for i, v := range x {
		out[i] = float32(f(float64(v)))
	}
	return out
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

func TestOutputs(t *testing.T) {
	x := []float32{.5, -1, 2}
	for name, c := range map[string]struct {
		tail   []string
		output string
		is     string // Model.Output
		added  string
		want   []float32
	}{
		"logits":                      {nil, "auto", OutputSoftmax, "softmax", softmax(x...)},
		"logits, nothing said":        {nil, "", OutputSoftmax, "softmax", softmax(x...)},
		"logits behind a reshape":     {[]string{"Reshape"}, "auto", OutputSoftmax, "softmax", softmax(x...)},
		"softmax":                     {[]string{"Softmax"}, "auto", OutputProbabilities, "", softmax(x...)},
		"softmax, reshaped":           {[]string{"Softmax", "Reshape"}, "auto", OutputProbabilities, "", softmax(x...)},
		"softmax, dropped and passed": {[]string{"Softmax", "Dropout", "Identity"}, "auto", OutputProbabilities, "", softmax(x...)},
		"log softmax":                 {[]string{"LogSoftmax"}, "auto", OutputProbabilities, "exp", softmax(x...)},
		"log softmax, reshaped":       {[]string{"LogSoftmax", "Reshape"}, "auto", OutputProbabilities, "exp", softmax(x...)},
		"sigmoid":                     {[]string{"Sigmoid"}, "auto", OutputProbabilities, "", each(sigmoid, x...)},
		"hard sigmoid":                {[]string{"HardSigmoid"}, "auto", OutputProbabilities, "", []float32{.6, .3, .9}},
		"softmax in the middle":       {[]string{"Softmax", "Neg"}, "auto", OutputSoftmax, "softmax", softmax(each(func(v float64) float64 { return -v }, softmax(x...)...)...)},
		"softmax asked for":           {nil, "softmax", OutputSoftmax, "softmax", softmax(x...)},
		"sigmoid asked for":           {nil, "sigmoid", OutputSigmoid, "sigmoid", each(sigmoid, x...)},
		"probabilities asked for":     {nil, "probabilities", OutputProbabilities, "", x},
		"raw asked for":               {nil, "raw", OutputRaw, "", x},
		"raw of a softmax":            {[]string{"Softmax"}, "raw", OutputRaw, "", softmax(x...)},
		"raw of a log softmax":        {[]string{"LogSoftmax"}, "raw", OutputRaw, "", each(math.Log, softmax(x...)...)},
		"a second softmax, asked for": {[]string{"Softmax"}, "softmax", OutputSoftmax, "softmax", softmax(softmax(x...)...)},
	} {
		t.Run(name, func(t *testing.T) {
			m := mustLoad(t, classifier(3, false, c.tail...), Options{Output: c.output})
			if m.Output != c.is || m.Added != c.added || m.Classes != 3 {
				t.Errorf("output is %q with %q added and %d classes, want %q with %q and 3", m.Output, m.Added, m.Classes, c.is, c.added)
			}
			for i, got := range scores(t, m, x...) {
				if math.Abs(float64(got-c.want[i])) > 1e-6 {
					t.Errorf("class %d: %g, want %g", i, got, c.want[i])
				}
			}
		})
	}
}

// TestSingleScore: the softmax of one number is 1, whatever it is.
func TestSingleScore(t *testing.T) {
	m := mustLoad(t, classifier(1, false), Options{})
	if got, want := scores(t, m, .75)[0], float32(sigmoid(.75)); m.Output != OutputSigmoid || math.Abs(float64(got-want)) > 1e-6 {
		t.Errorf("a single score is %s and gives %g, want %g", m.Output, got, want)
	}
	if m := mustLoad(t, classifier(1, false, "Sigmoid"), Options{}); m.Added != "" {
		t.Errorf("%q was added behind a sigmoid", m.Added)
	}
}

func TestOutputName(t *testing.T) {
	m := classifier(3, false, "Softmax")
	m.Output("y0", onnx.Float32, 1, 3)
	if got := mustLoad(t, m, Options{OutputName: "y0"}); got.Output != OutputSoftmax || got.Added != "softmax" {
		t.Errorf("the logits are taken for %s", got.Output)
	}
	if got := mustLoad(t, m, Options{OutputName: "y1"}); got.Added != "" {
		t.Errorf("%s was added to probabilities", got.Added)
	}
	_, err := load(t, m.File(t, t.TempDir(), "m.onnx"), Options{OutputName: "z"})
	says(t, err, "m.onnx", `no output "z"`, `"y1" "y0"`)
}

func TestPreprocessing(t *testing.T) {
	for name, c := range map[string]struct {
		depth    int
		nhwc     bool
		o        Options
		channels imageio.Channels
	}{
		"as it is":        {3, false, Options{}, imageio.RGB},
		"channels last":   {3, true, Options{}, imageio.RGB},
		"rgb":             {3, false, Options{Channels: "rgb"}, imageio.RGB},
		"bgr":             {3, true, Options{Channels: "bgr", Layout: "nhwc"}, imageio.BGR},
		"gray":            {1, false, Options{Channels: "gray", Layout: "nchw"}, imageio.Gray},
		"one channel":     {1, true, Options{}, imageio.Gray},
		"size as it is":   {3, false, Options{Width: 5, Height: 4}, imageio.RGB},
		"size, last":      {3, true, Options{Width: 5, Height: 4}, imageio.RGB},
		"all that is set": {3, false, Options{Width: 5, Height: 4, Layout: "nchw", Channels: "bgr", Output: "raw"}, imageio.BGR},
	} {
		t.Run(name, func(t *testing.T) {
			m := mustLoad(t, classifier(c.depth, c.nhwc), c.o)
			s := m.Spec
			if s.Width != 5 || s.Height != 4 || s.Channels != c.channels || s.Channels.Count() != c.depth {
				t.Errorf("pictures become %dx%d of %v", s.Width, s.Height, s.Channels)
			}
			if in := m.Net.Input().Shape; in != (network.Shape{H: 4, W: 5, C: c.depth}) || m.Assumed {
				t.Errorf("the input is %s, assumed: %v", in, m.Assumed)
			}
		})
	}
	for name, c := range map[string]struct {
		depth int
		o     Options
		says  string
	}{
		"gray into three":  {3, Options{Channels: "gray"}, "takes 3 channels, but channels = 'gray' makes 1"},
		"rgb into one":     {1, Options{Channels: "rgb"}, "takes 1 channels, but channels = 'rgb' makes 3"},
		"bgr into one":     {1, Options{Channels: "bgr"}, "channels = 'bgr' makes 3"},
		"another size":     {3, Options{Width: 8, Height: 8}, "cannot be set to 8"},
		"the other layout": {3, Options{Layout: "nhwc"}, "has 5 channels"},
		"means too few":    {3, Options{Spec: imageio.Spec{Scale: 1, Mean: []float32{1, 2}}}, "mean"},
		"unknown output":   {3, Options{Output: "logits"}, "output = 'logits'"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, classifier(c.depth, false).File(t, t.TempDir(), "m.onnx"), c.o)
			says(t, err, "m.onnx", c.says)
		})
	}
}

func TestOpenSize(t *testing.T) {
	m := onnxtest.New(13).Input("x", onnx.Float32, -1, 3, -1, -1).Node("GlobalMaxPool", "x", "y", nil).Output("y", onnx.Float32)
	if got := mustLoad(t, m, Options{}); !got.Assumed || got.Spec.Width != 224 || got.Spec.Height != 224 {
		t.Errorf("an open size is %dx%d, assumed: %v", got.Spec.Width, got.Spec.Height, got.Assumed)
	}
	if got := mustLoad(t, m, Options{Width: 30, Height: 20}); got.Assumed || got.Net.Input().Shape != (network.Shape{H: 20, W: 30, C: 3}) {
		t.Errorf("a size of 30x20 becomes %s, assumed: %v", got.Net.Input().Shape, got.Assumed)
	}
}

func TestFacts(t *testing.T) {
	path := classifier(3, false).File(t, t.TempDir(), "m.onnx")
	m, err := load(t, path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(data)
	if m.Hash != hex.EncodeToString(sum[:]) || m.Bytes != int64(len(data)) {
		t.Errorf("hash %s of %d bytes, want %x of %d", m.Hash, m.Bytes, sum, len(data))
	}
	if m.Name != "m" || m.Path != path || m.Producer != "onnxtest" || m.Opset != 13 || m.Loading <= 0 {
		t.Errorf("the facts are %+v", *m)
	}
	if m.Label(2) != "2" {
		t.Errorf("class 2 without labels is %q", m.Label(2))
	}
}

// TestHashOfALargeFile: longer than the buffer, and not a multiple of it.
func TestHashOfALargeFile(t *testing.T) {
	data := make([]byte, 3<<20+17)
	for i := range data {
		data[i] = byte(i * i >> 7)
	}
	path := filepath.Join(t.TempDir(), "large")
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	want := sha256.Sum256(data)
	got, n, err := hash(t.Context(), path)
	if err != nil || got != hex.EncodeToString(want[:]) || n != int64(len(data)) {
		t.Errorf("hash %s of %d bytes, %v, want %x", got, n, err, want)
	}
}

func TestUnreadable(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text.onnx")
	if err := os.WriteFile(text, []byte("hello\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(dir, "missing.onnx"), dir, text, os.DevNull} {
		_, err := load(t, path, Options{})
		says(t, err, path)
	}
	_, err := load(t, filepath.Join(dir, "missing.onnx"), Options{})
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the error is %v", err)
	}
	lstm := onnxtest.New(13).Input("x", onnx.Float32, 1, 3, 4, 4).Node("LSTM", "x", "y", nil).Output("y", onnx.Float32)
	_, err = load(t, lstm.File(t, dir, "lstm.onnx"), Options{})
	says(t, err, "lstm.onnx", "LSTM", "not supported")
}

func TestCancelled(t *testing.T) {
	path := classifier(3, false).File(t, t.TempDir(), "m.onnx")
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	cancel(why)
	if _, err := Load(ctx, "m", path, Options{Spec: imageio.DefaultSpec(0, 0)}); !errors.Is(err, why) {
		t.Errorf("the error is %v", err)
	}
}

// says checks that an error says all of this.
func says(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one that says %q", parts)
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("the error %q does not say %q", err, p)
		}
	}
}
