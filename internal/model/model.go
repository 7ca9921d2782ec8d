package model

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"occlude/internal/imageio"
	"occlude/internal/importer"
	"occlude/internal/network"
	"occlude/internal/onnx"
)

// What the values of the model's output are.
const (
	OutputAuto          = "auto"          // decided by the last operator
	OutputSoftmax       = "softmax"       // logits: a softmax is added
	OutputSigmoid       = "sigmoid"       // logits: a sigmoid is added
	OutputProbabilities = "probabilities" // used as they are
	OutputRaw           = "raw"           // used as they are, and not called probabilities
)

// Options are what CREATE MODEL says besides the file.
type Options struct {
	Labels        string       // file of class labels, "" for none
	Width, Height int          // of the input, 0 for what the file declares
	Layout        string       // "nchw", "nhwc" or "" to look at the file
	Output        string       // one of the Output constants
	OutputName    string       // the graph's output to use, "" for the first
	Spec          imageio.Spec // preprocessing; size and channels are filled in by Load
	Channels      string       // "rgb", "bgr", "gray" or "" for what the input's depth says
}

// Model is a loaded classifier.
type Model struct {
	Name     string
	Path     string
	Hash     string // SHA-256 of the file, hexadecimal
	Bytes    int64  // size of the file
	Producer string // what wrote the file, if it says so
	Opset    int
	Net      *network.Network // from the normalised image to the class scores
	Spec     imageio.Spec     // from a picture to the normalised image
	Labels   []string         // one per class, nil without a labels file
	Classes  int
	Output   string // what the scores are: one of the Output constants but OutputAuto
	Added    string // the layer that Load added at the end, "" for none
	Assumed  bool   // the file leaves the input's size open and nobody said it
	Folded   int    // nodes evaluated at load
	Loading  time.Duration
}

// Load reads a classifier.
func Load(ctx context.Context, name, path string, o Options) (*Model, error) {
	start := time.Now()
	file, err := onnx.Read(path)
	if err != nil {
		return nil, err
	}
	r, err := importer.Import(ctx, file, importer.Options{
		Height: o.Height, Width: o.Width, Layout: o.Layout, Output: o.OutputName,
	})
	if err != nil {
		return nil, fmt.Errorf("model %q: %w", path, err)
	}
	m := &Model{
		Name: name, Path: path, Producer: file.Producer, Opset: file.Opset,
		Net: r.Net, Classes: r.Net.Output.Shape.Len(), Assumed: r.Inferred, Folded: r.Folded,
	}
	if m.Hash, m.Bytes, err = hash(path); err != nil {
		return nil, err
	}
	if m.Spec, err = preprocessing(o, r.Net.Input().Shape); err != nil {
		return nil, fmt.Errorf("model %q: %w", path, err)
	}
	if err := m.finish(o.Output, r.Last); err != nil {
		return nil, fmt.Errorf("model %q: %w", path, err)
	}
	if o.Labels != "" {
		if m.Labels, err = readLabels(o.Labels); err != nil {
			return nil, err
		}
		if len(m.Labels) != m.Classes {
			return nil, fmt.Errorf("labels %q: %d labels for a model of %d classes", o.Labels, len(m.Labels), m.Classes)
		}
	}
	m.Loading = time.Since(start)
	return m, nil
}

// preprocessing fits the user's choices to the input's shape.
func preprocessing(o Options, in network.Shape) (imageio.Spec, error) {
	s := o.Spec
	s.Width, s.Height = in.W, in.H
	switch {
	case o.Channels == "gray" || (o.Channels == "" && in.C == 1):
		s.Channels = imageio.Gray
	case o.Channels == "bgr":
		s.Channels = imageio.BGR
	default:
		s.Channels = imageio.RGB
	}
	if want := s.Channels.Count(); want != in.C {
		return s, fmt.Errorf("channels = '%s' gives %d values a pixel, the input takes %d", o.Channels, want, in.C)
	}
	return s, s.Validate()
}

// finish decides what the output is and adds what is missing to make it
// probabilities.
func (m *Model) finish(output, last string) error {
	if output == "" || output == OutputAuto {
		switch last {
		case "Softmax", "Sigmoid":
			output = OutputProbabilities
		case "LogSoftmax":
			m.Output, m.Added = OutputProbabilities, "exp"
			_, err := m.Net.Add("exp", network.Pointwise{Act: network.Activation{Fn: network.Exp}}, m.Net.Output)
			return err
		default:
			output = OutputSoftmax
			if m.Classes == 1 { // the softmax of a single logit says nothing
				output = OutputSigmoid
			}
		}
	}
	m.Output = output
	var op network.Op
	switch output {
	case OutputProbabilities, OutputRaw:
		return nil
	case OutputSoftmax:
		op = network.Softmax{}
	case OutputSigmoid:
		op = network.Pointwise{Act: network.Activation{Fn: network.Sigmoid}}
	default:
		return fmt.Errorf("output = %q is not one of auto, softmax, sigmoid, probabilities, raw", output)
	}
	m.Added = output
	_, err := m.Net.Add(output, op, m.Net.Output)
	return err
}

// Label is the name of a class: its label, or its number without labels.
func (m *Model) Label(class int) string {
	if class < len(m.Labels) {
		return m.Labels[class]
	}
	return strconv.Itoa(class)
}

// Class finds a class by its label.
func (m *Model) Class(label string) (int, bool) {
	for i, l := range m.Labels {
		if l == label {
			return i, true
		}
	}
	return 0, false
}

func hash(path string) (string, int64, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", 0, fmt.Errorf("model %q: %w", path, err)
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), int64(len(data)), nil
}

// maxLabels bounds the size of a labels file in bytes.
const maxLabels = 16 << 20

// readLabels reads one label per line, UTF-8, line i naming class i.
func readLabels(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("labels %q: %w", path, err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxLabels {
		return nil, fmt.Errorf("labels %q: not a text file of one label per line", path)
	}
	data, err := os.ReadFile(filepath.Clean(path))
	if err != nil {
		return nil, fmt.Errorf("labels %q: %w", path, err)
	}
	if !utf8.Valid(data) {
		return nil, fmt.Errorf("labels %q: not UTF-8 text", path)
	}
	text := strings.TrimPrefix(string(data), "\ufeff")
	text = strings.ReplaceAll(text, "\r\n", "\n")
	text = strings.TrimRight(text, "\n")
	if text == "" {
		return nil, fmt.Errorf("labels %q: the file is empty", path)
	}
	labels := strings.Split(text, "\n")
	for i := range labels {
		labels[i] = strings.TrimSpace(labels[i])
	}
	return labels, nil
}
