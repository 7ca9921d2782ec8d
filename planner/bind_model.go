package planner

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"occlude/internal/imageio"
	"occlude/internal/memory"
	"occlude/internal/model"
	"occlude/lang"
)

func (b *binder) createModel(s *lang.CreateModel) (Plan, error) {
	name := s.Model.Key()
	if _, exists := b.env.Catalog.Lookup(name); exists && !s.Replace {
		return nil, lang.Errorf(s.Model.Span(), "there is a model %q already", s.Model.Text).
			WithHint("CREATE OR REPLACE MODEL replaces it")
	}
	if info, err := os.Stat(s.File.Value); err == nil && info.IsDir() {
		return nil, lang.Errorf(s.File.Span(), "model %q is a folder", s.File.Value).WithHint(inFolder(s.File.Value, []string{".onnx"}))
	}
	if err := checkFile(s.File, "model"); err != nil {
		return nil, err
	}
	if ext := strings.ToLower(filepath.Ext(s.File.Value)); ext == ".pt" || ext == ".pth" || ext == ".h5" || ext == ".keras" || ext == ".pb" {
		return nil, lang.Errorf(s.File.Span(), "%q is not an ONNX file", s.File.Value).
			WithHint("export the model to ONNX first, by torch.onnx.export or tf2onnx: occlude help models has the lines")
	}
	o := model.Options{Output: model.OutputAuto, Spec: imageio.DefaultSpec(0, 0)}
	read := optionReader[model.Options]{table: modelOptions, target: &o}
	if err := read.all(s.Options, "option of CREATE MODEL"); err != nil {
		return nil, err
	}
	if err := b.loadable(s); err != nil {
		return nil, err
	}
	return &CreateModel{b.text, name, s.File.Value, s.Replace, o}, nil
}

// loadable refuses a model whose weights alone, which are most of its file, leave
// nothing of the memory limit.
func (b *binder) loadable(s *lang.CreateModel) error {
	limit, auto := b.memoryLimit()
	info, err := os.Stat(s.File.Value)
	if limit == 0 || err != nil {
		return nil // which reading it tells
	}
	var known memory.Arrays
	held := int64(memory.Process)
	for _, m := range b.env.Catalog.Models() {
		if m.Name != s.Model.Key() {
			held += known.Add(m.Net.Arrays()...)
		}
	}
	if need := held + info.Size(); need > limit {
		at := "memory_limit is " + FormatBytes(limit)
		if auto {
			at = "memory_limit = 'auto' allows " + FormatBytes(limit) + ", 80% of what was free"
		}
		return lang.Errorf(s.File.Span(), "the model's weights take %s beside the %s that the process and other models hold, %s",
			FormatBytes(info.Size()), FormatBytes(held), at).
			WithHint(fmt.Sprintf("SET memory_limit = '%dMB' would let it be read; queries need more", need/1_000_000+1))
	}
	return nil
}

// modelOptionWords are the words that some of the options take.
var modelOptionWords = map[string][]string{
	"channels": {"rgb", "bgr", "gray"},
	"layout":   {"nchw", "nhwc"},
	"output":   {model.OutputAuto, model.OutputSoftmax, model.OutputSigmoid, model.OutputProbabilities, model.OutputRaw},
	"resize":   imageio.ResizeNames(),
	"window":   imageio.WindowNames(),
}

// modelOptions is the one place where an option of CREATE MODEL is made.
var modelOptions = map[string]func(o *model.Options, v lang.Value) error{
	"labels": func(o *model.Options, v lang.Value) error {
		s, ok := v.(lang.String)
		if !ok {
			return lang.Errorf(v.Span(), "takes the name of a file in single quotes")
		}
		o.Labels = s.Value
		return checkFile(s, "labels")
	},
	"size": func(o *model.Options, v lang.Value) error {
		n, err := numbers(v, 2)
		if err != nil {
			return err
		}
		for _, x := range n {
			if x != float64(int(x)) || x < 1 || x > imageio.MaxSide {
				return lang.Errorf(v.Span(), "takes n or [width, height] in whole pixels")
			}
		}
		o.Width, o.Height = int(n[0]), int(n[len(n)-1])
		return nil
	},
	"resize": func(o *model.Options, v lang.Value) error {
		r, err := imageio.ParseResize(plainText(v))
		if err != nil {
			return lang.Errorf(v.Span(), "%w", err)
		}
		o.Spec.Resize = r
		return nil
	},
	"window": func(o *model.Options, v lang.Value) (err error) {
		pair, ok := v.(lang.List)
		if !ok {
			if o.Spec.Window, err = imageio.ParseWindow(plainText(v)); err != nil {
				return lang.Errorf(v.Span(), "%w", err).WithHint("or it is [center, width], in the file's own measurements")
			}
			return nil
		}
		if len(pair.Items) != 2 {
			return lang.Errorf(v.Span(), "takes [center, width]")
		}
		n, err := numbers(v, 2)
		if err != nil {
			return err
		}
		o.Spec.Window = imageio.Window{Mode: imageio.WindowGiven, Center: n[0], Width: n[1]}
		if err := o.Spec.Window.Validate(); err != nil {
			return lang.Errorf(v.Span(), "%w", err).WithHint("the width is the second number, and at least 1")
		}
		return nil
	},
	"scale": func(o *model.Options, v lang.Value) error {
		n, err := numbers(v, 1)
		if err != nil {
			return err
		}
		if o.Spec.Scale = float32(n[0]); o.Spec.Scale == 0 {
			return lang.Errorf(v.Span(), "must not be 0")
		}
		return nil
	},
	"mean": func(o *model.Options, v lang.Value) (err error) {
		o.Spec.Mean, err = floats(v)
		return err
	},
	"std": func(o *model.Options, v lang.Value) (err error) {
		if o.Spec.Std, err = floats(v); err != nil {
			return err
		}
		for _, x := range o.Spec.Std {
			if x <= 0 {
				return lang.Errorf(v.Span(), "must be above 0")
			}
		}
		return nil
	},
	"channels":    word(func(o *model.Options, s string) { o.Channels = s }, modelOptionWords["channels"]...),
	"layout":      word(func(o *model.Options, s string) { o.Layout = s }, modelOptionWords["layout"]...),
	"output":      word(func(o *model.Options, s string) { o.Output = s }, modelOptionWords["output"]...),
	"output_name": func(o *model.Options, v lang.Value) error { o.OutputName = plainText(v); return nil },
}

func floats(v lang.Value) ([]float32, error) {
	n, err := numbers(v, 3)
	if err != nil {
		return nil, err
	}
	out := make([]float32, len(n))
	for i, x := range n {
		out[i] = float32(x)
	}
	return out, nil
}
