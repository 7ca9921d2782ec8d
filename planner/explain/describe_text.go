package explain

import (
	"fmt"
	"io"
	"strings"

	"occlude/internal/imageio"
	"occlude/planner"
)

// Text writes the report for people, at most 100 columns wide.
func (m *ModelReport) Text(w io.Writer) error { return writeText(w, m.sections()) }

// sections are the report's parts in their order.
func (m *ModelReport) sections() []section {
	sections := []section{m.header, m.layerTable, m.speedupTable}
	if len(m.Curves) > 0 {
		sections = append(sections, m.curveTable)
	}
	return sections
}

func (m *ModelReport) header(p page) error {
	var f facts
	f.add("Model", "%s", m.Name)
	f.add("File", "%s, %s, sha256 %.12s", m.File, planner.FormatBytes(m.FileBytes), m.Hash)
	producer := m.Producer
	if producer == "" {
		producer = "an unnamed producer"
	}
	f.add("Format", "ONNX opset %d, written by %s", m.Opset, producer)
	f.add("Input", "%s", m.Preprocessing)
	f.add("Output", "%s", m.output())
	f.add("Classes", "%s", m.classes())
	f.add("Size", "%s, %s parameters, %s multiply-adds and %s of activations an image",
		planner.Counted(len(m.Layers)-1, "layer"), planner.FormatCount(int64(m.Parameters)),
		planner.FormatCount(m.MACs), planner.FormatBytes(m.ViewBytes))
	r := Report{Rules: m.Rules}
	f.add("Rules", "%s", r.fired())
	f.add("Cost", "%s", m.Profile)
	return p.facts(&f)
}

func (p Preprocessing) String() string {
	s := fmt.Sprintf("%dx%d %s; resize %s", p.Width, p.Height, p.Channels, p.Resize)
	if p.Assumed {
		s += "; the size is a guess, for the file leaves it open"
	}
	if p.Window != (imageio.Window{}).String() {
		s += "; window " + p.Window
	}
	x := "pixel * " + scale(p.Scale)
	if len(p.Mean) > 0 {
		x += " - " + list(p.Mean)
	}
	if len(p.Std) > 0 {
		if len(p.Mean) > 0 {
			x = "(" + x + ")"
		}
		x += " / " + list(p.Std)
	}
	return s + "; x = " + x
}

func scale(f float32) string {
	if f == 1.0/255 {
		return "1/255"
	}
	return fmt.Sprint(f)
}

func list(values []float32) string {
	if len(values) == 1 {
		return fmt.Sprint(values[0])
	}
	return strings.ReplaceAll(fmt.Sprint(values), " ", ", ")
}

func (m *ModelReport) output() string {
	switch {
	case m.Output == "raw":
		return "raw scores, used as they are"
	case m.Added == "exp":
		return "probabilities, by an exponential added to the file's log softmax"
	case m.Added != "":
		return "probabilities, by a " + m.Added + " added to the file's logits"
	}
	return "probabilities, as the file has them"
}

// shownLabels is how many labels are named.
const shownLabels = 6

func (m *ModelReport) classes() string {
	if m.Labels == nil {
		return fmt.Sprintf("%d, without labels", m.Classes)
	}
	s := fmt.Sprintf("%d: ", m.Classes)
	if len(m.Labels) <= shownLabels+1 {
		return s + strings.Join(m.Labels, ", ")
	}
	return s + strings.Join(m.Labels[:shownLabels], ", ") + fmt.Sprintf(", … and %d more", len(m.Labels)-shownLabels)
}

func (m *ModelReport) layerTable(p page) error {
	t := table{columns: []column{{title: "#"}, {"layer", name}, {"operation", text}, {title: "output"},
		{title: "params"}, {title: "mult-adds"}, {title: "sees"}, {title: "reach"}}}
	names := make([]string, len(m.Layers))
	for i, l := range m.Layers {
		names[i] = l.Name
	}
	names = layerNames(names)
	for i, l := range m.Layers {
		t.add(fmt.Sprint(l.Index), names[i], operation(l.Kind, l.Detail), l.Shape.String(),
			amount(int64(l.Parameters)), amount(l.MACs), l.Receptive.text("image"), l.Projective.text("all"))
	}
	if err := p.title("sees: the receptive field, in pixels of the image"); err != nil {
		return err
	}
	if err := p.title(fmt.Sprintf("reach: the cells that a patch of %s pixels in the image's middle changes", m.Patch)); err != nil {
		return err
	}
	return p.table(&t)
}

// text prints a field; a constant has none.
func (f Field) text(whole string) string {
	switch {
	case f.Whole:
		return whole
	case f.Width == 0:
		return ""
	}
	return fmt.Sprintf("%dx%d", f.Width, f.Height)
}

// speedupTable shows what incremental inference can save at best.
func (m *ModelReport) speedupTable(p page) error {
	if m.MACs == 0 || len(m.Speedups) == 0 {
		return nil
	}
	dense := false
	for _, s := range m.Speedups {
		dense = dense || times(s.Mean.Convolutions) != times(s.Mean.All) || times(s.Central.Convolutions) != times(s.Central.All)
	}
	t := table{columns: []column{{title: "patch"}, {title: "central"}, {title: "grid"}, {title: "positions"}}}
	if dense {
		t.columns = []column{{title: "patch"}, {title: "central"}, {title: "conv only"},
			{title: "grid"}, {title: "conv only"}, {title: "positions"}}
	}
	for _, s := range m.Speedups {
		patch := Size{s.Patch, s.Patch}.String()
		if dense {
			t.add(patch, times(s.Central.All), times(s.Central.Convolutions),
				times(s.Mean.All), times(s.Mean.Convolutions), fmt.Sprint(s.Positions))
		} else {
			t.add(patch, times(s.Central.All), times(s.Mean.All), fmt.Sprint(s.Positions))
		}
	}
	head := "Theoretical speedup: full over incremental multiply-adds, of a patch in the image's middle and of\n" +
		"all patches of a grid with stride 4 (ratio of the sums)"
	if dense {
		head += "; conv only leaves out fully-connected layers"
	}
	if err := p.title(head); err != nil {
		return err
	}
	return p.table(&t)
}
