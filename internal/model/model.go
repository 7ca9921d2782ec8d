package model

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

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

// OptionError is a fault of an option of CREATE MODEL that shows only beside the model.
type OptionError struct {
	Option string
	Err    error
}

func (e *OptionError) Error() string { return e.Err.Error() }

// Unwrap returns what is wrong with it.
func (e *OptionError) Unwrap() error { return e.Err }

// Load reads a classifier. Errors name the file at fault. Option errors and a
// bad labels file are found before the model, which may be large, is read.
func Load(ctx context.Context, name, path string, o Options) (*Model, error) {
	start := time.Now()
	wrong := func(err error) error { return fmt.Errorf("model %q: %w", path, err) }
	switch o.Output {
	case "", OutputAuto, OutputSoftmax, OutputSigmoid, OutputProbabilities, OutputRaw:
	default:
		return nil, wrong(fmt.Errorf("output = '%s' is not one of auto, softmax, sigmoid, probabilities, raw", o.Output))
	}
	var labels []string
	var err error
	if o.Labels != "" {
		if labels, err = readLabels(o.Labels); err != nil {
			return nil, &OptionError{"labels", err}
		}
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop() // the hashing, when there is nothing to hash for
	sum := hashing(ctx, path)
	file, err := onnx.Read(ctx, path)
	if err != nil {
		return nil, err
	}
	r, err := importer.Import(ctx, file, importer.Options{
		Height: o.Height, Width: o.Width, Layout: o.Layout, Output: o.OutputName,
	})
	if size := (*importer.SizeError)(nil); errors.As(err, &size) {
		return nil, &OptionError{"size", wrong(err)}
	}
	if err != nil {
		return nil, wrong(err)
	}
	m := &Model{
		Name: name, Path: path, Producer: file.Producer, Opset: file.Opset,
		Net: r.Net, Labels: labels, Classes: r.Net.Output.Shape.Len(), Assumed: r.Inferred, Folded: r.Folded,
	}
	if m.Spec, err = preprocessing(o, r.Net.Input().Shape); err != nil {
		return nil, wrong(err)
	}
	if err := m.finish(o.Output, r.Last); err != nil {
		return nil, wrong(err)
	}
	if labels != nil && len(labels) != m.Classes {
		return nil, &OptionError{"labels", fmt.Errorf("labels %q: %d labels for a model of %d classes", o.Labels, len(labels), m.Classes)}
	}
	if m.Hash, m.Bytes, err = sum(); err != nil {
		return nil, wrong(err)
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
		return s, fmt.Errorf("the input takes %d channels, but channels = '%s' makes %d", in.C, o.Channels, want)
	}
	err := s.Validate()
	switch {
	case err == nil:
	case len(s.Mean) > 1 && len(s.Mean) != in.C:
		err = &OptionError{"mean", err}
	case len(s.Std) > 1 && len(s.Std) != in.C:
		err = &OptionError{"std", err}
	}
	return s, err
}

// finish decides what the output is and adds what is missing to make it
// probabilities.
func (m *Model) finish(output, last string) error {
	if output == "" || output == OutputAuto {
		switch last {
		case "Softmax", "Sigmoid", "HardSigmoid":
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
