package conformance

import (
	"context"
	"errors"
	"fmt"
	"io"

	"occlude/internal/onnx"
	"occlude/operators/reference"
)

// Summary counts the cases of a run.
type Summary struct{ Passed, Failed, Skipped int }

// String is the last line of a run.
func (s Summary) String() string {
	return fmt.Sprintf("%d passed, %d failed, %d skipped", s.Passed, s.Failed, s.Skipped)
}

// Run runs every case at or below paths and prints a line for each to out as
// soon as it is done, then the summary as the last line. The error tells of
// paths without cases, of a failed write, or that ctx ended, in which case the
// summary counts what was done and is not printed. Failed cases are no error.
func Run(ctx context.Context, paths []string, out io.Writer) (Summary, error) {
	return run(ctx, paths, out, reference.RunGraph)
}

// evaluator computes a model's outputs by name from its inputs by name.
type evaluator func(ctx context.Context, m *onnx.Model, inputs map[string]*onnx.Tensor) (map[string]*onnx.Tensor, error)

func run(ctx context.Context, paths []string, out io.Writer, eval evaluator) (Summary, error) {
	var s Summary
	cases, err := find(paths)
	if err != nil {
		return s, err
	}
	p := newPrinter(out, cases)
	for _, c := range cases {
		r := c.run(ctx, eval)
		if err := ctx.Err(); err != nil {
			return s, err
		}
		switch r.verdict {
		case passed:
			s.Passed++
		case failed:
			s.Failed++
		case skipped:
			s.Skipped++
		}
		if err := p.line(c.name, r); err != nil {
			return s, err
		}
	}
	_, err = fmt.Fprintln(out, s)
	return s, err
}

type verdict string

const (
	passed  verdict = "PASS"
	failed  verdict = "FAIL"
	skipped verdict = "SKIP"
)

// result is what became of a case.
type result struct {
	verdict  verdict
	compared bool // the deviation means something
	dev      deviation
	reason   string
}

// run runs one case, whatever happens in it.
func (c testCase) run(ctx context.Context, eval evaluator) (r result) {
	defer func() {
		if p := recover(); p != nil {
			r = result{verdict: failed, reason: fmt.Sprintf("crashed: %v", p)}
		}
	}()
	if c.broken != nil {
		return result{verdict: failed, reason: c.broken.Error()}
	}
	m, err := onnx.Read(ctx, c.model)
	if err == nil {
		err = checkListed(m)
	}
	if err != nil {
		return verdictOf(err, m)
	}
	r = result{verdict: passed, compared: true}
	for _, set := range c.sets {
		dev, err := set.run(ctx, m, eval)
		r.dev = r.dev.max(dev)
		if err == nil {
			continue
		}
		if set.name != "" && len(c.sets) > 1 {
			err = fmt.Errorf("%s: %w", set.name, err)
		}
		bad := verdictOf(err, m)
		var mismatch *mismatchError
		bad.compared, bad.dev = errors.As(err, &mismatch) && mismatch.numeric, r.dev
		return bad
	}
	return r
}

// mismatchError tells that a model ran and gave something else than it should.
type mismatchError struct {
	output  string
	err     error
	numeric bool // the deviation measures it
}

func (e *mismatchError) Error() string { return fmt.Sprintf("output %q: %v", e.output, e.err) }
func (e *mismatchError) Unwrap() error { return e.err }

// run evaluates the model on one data set and compares all outputs.
func (s dataSet) run(ctx context.Context, m *onnx.Model, eval evaluator) (deviation, error) {
	var dev deviation
	if len(s.outputs) != len(m.Graph.Outputs) {
		return dev, fmt.Errorf("the model has %d outputs and the case %d", len(m.Graph.Outputs), len(s.outputs))
	}
	inputs, err := s.load(m.Graph)
	if err != nil {
		return dev, err
	}
	wants := make([]*onnx.Tensor, len(s.outputs))
	for i, path := range s.outputs {
		if wants[i], err = readAs(m.Graph.Outputs[i], path); err != nil {
			return dev, err
		}
	}
	got, err := eval(ctx, m, inputs)
	if err != nil {
		return dev, err
	}
	for i, want := range wants {
		name := m.Graph.Outputs[i].Name
		d, err := compare(got[name], want)
		dev = dev.max(d)
		if err != nil {
			return dev, &mismatchError{name, err, d != deviation{}}
		}
	}
	return dev, nil
}

// load gives the values of the graph's inputs.
func (s dataSet) load(g *onnx.Graph) (map[string]*onnx.Tensor, error) {
	if !s.lone && len(s.inputs) != len(g.Inputs) {
		return nil, fmt.Errorf("the model has %d inputs and the case %d", len(g.Inputs), len(s.inputs))
	}
	values := make(map[string]*onnx.Tensor, len(g.Inputs))
	for i, v := range g.Inputs {
		var t *onnx.Tensor
		var err error
		if s.lone {
			t, err = ramp(v)
		} else {
			t, err = readAs(v, s.inputs[i])
		}
		if err != nil {
			return nil, err
		}
		values[v.Name] = t
	}
	return values, nil
}

// readAs reads the value of a graph's input or output. ONNX's generator has
// NumPy arrays at hand, which know no bfloat16, and writes the bits as uint16.
func readAs(v onnx.ValueInfo, path string) (*onnx.Tensor, error) {
	t, err := onnx.ReadTensor(path)
	if err != nil {
		return nil, err
	}
	if bits, ok := t.Data.([]uint16); ok && v.DType == onnx.BFloat16 {
		data := make([]float32, len(bits))
		for i, b := range bits {
			data[i] = onnx.BFloat16ToFloat32(b)
		}
		t.DType, t.Data = onnx.BFloat16, data
	}
	return t, nil
}

// ramp is the input of a lone model: element i of n is float32(i)/n. A batch
// left open is 1.
func ramp(v onnx.ValueInfo) (*onnx.Tensor, error) {
	if v.DType != onnx.Float32 || !v.HasShape {
		return nil, fmt.Errorf("input %q is not float32 of a given shape, and there is no file with its values", v.Name)
	}
	dims := make([]int, len(v.Dims))
	for i, d := range v.Dims {
		switch {
		case d.Size >= 0:
			dims[i] = d.Size
		case i == 0:
			dims[i] = 1
		default:
			return nil, fmt.Errorf("input %q leaves dimension %d open, and there is no file with its values", v.Name, i)
		}
	}
	n, err := onnx.Count(dims)
	if err != nil {
		return nil, fmt.Errorf("input %q: %w", v.Name, err)
	}
	if n > maxRamp {
		return nil, fmt.Errorf("input %q has %d elements, more than %d", v.Name, n, maxRamp)
	}
	data := make([]float32, n)
	for i := range data {
		data[i] = float32(i) / float32(n)
	}
	return onnx.New(dims, data), nil
}

// maxRamp bounds the input that is made for a lone model: a file of a few bytes
// may declare any shape.
const maxRamp = 1 << 26
