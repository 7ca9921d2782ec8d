package notebook

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image/png"
	"io"
	"strings"

	"occlude/executor"
	"occlude/internal/heatmap"
	"occlude/internal/jupyter"
	"occlude/internal/settings"
	"occlude/planner/explain"
	"occlude/repl"
)

// What a result may be besides printed.
type (
	pictured interface{ PNG(io.Writer) error }
	figured  interface{ Figure() heatmap.Figure }
	tabular  interface{ Relation() *executor.Relation }
	paged    interface{ HTML(io.Writer) error }
)

// view shows a cell's results.
type view struct {
	out      *jupyter.Output
	settings *settings.Settings
	printer  *repl.Printer
	printed  bytes.Buffer
}

func newView(out *jupyter.Output, s *settings.Settings) *view {
	v := &view{out: out, settings: s}
	v.printer = &repl.Printer{Out: &v.printed, Settings: s}
	return v
}

// show shows one result as the most that it can be.
func (v *view) show(r executor.Result) error {
	if m, ok := r.(*executor.Relation); ok {
		r = shortened(m)
	}
	text, err := v.print(r)
	if err != nil {
		return err
	}
	if _, done := r.(executor.Message); done || v.settings.Format() != settings.FormatTable {
		v.out.Stream(jupyter.Stdout, text)
		return nil
	}
	plain := strings.TrimRight(text, "\n")
	drawing := picture(r)
	if drawing != nil {
		v.out.Display("", pictureBundle(drawing))
		switch r.(type) {
		case *executor.Relation: // that is all of it
			return nil
		case *executor.Benchmark, *executor.Evaluation: // which have tables, too
		default:
			// Front ends show the picture alone, so the text is an output of its own.
			v.out.Stream(jupyter.Stdout, text)
			return nil
		}
	}
	b := jupyter.Bundle{"text/plain": plain}
	page, err := htmlOf(r)
	if err != nil {
		return err
	}
	if page != "" {
		b["text/html"] = page
	}
	v.out.Result(b)
	return nil
}

// pictureBundle is a picture, told of where there are none.
func pictureBundle(data []byte) jupyter.Bundle {
	told := "<png>"
	if c, err := png.DecodeConfig(bytes.NewReader(data)); err == nil {
		told = fmt.Sprintf("<png %dx%d>", c.Width, c.Height)
	}
	return jupyter.Bundle{"image/png": base64.StdEncoding.EncodeToString(data), "text/plain": told}
}

// print is a result as a terminal would get it; what cannot be printed may have rows
// that can.
func (v *view) print(r executor.Result) (string, error) {
	v.printed.Reset()
	err := v.printer.Print(r)
	if t, ok := r.(tabular); err != nil && ok {
		v.printed.Reset()
		err = v.printer.Print(shortened(t.Relation()))
	}
	return v.printed.String(), err
}

// picture draws a result, nil if it cannot be drawn: positions given by hand form no
// map.
func picture(r executor.Result) []byte {
	var b bytes.Buffer
	switch r := r.(type) {
	case pictured:
		if r.PNG(&b) == nil {
			return b.Bytes()
		}
	case figured:
		if heatmap.EncodePNG(&b, r.Figure()) == nil {
			return b.Bytes()
		}
	case *executor.Relation: // of a picture alone, as SELECT heatmap('png') makes one
		if len(r.Rows) == 1 && len(r.Columns) == 1 {
			if data, ok := r.Rows[0][0].([]byte); ok && isPNG(data) {
				return data
			}
		}
	}
	return nil
}

// htmlOf is a result as HTML, "" if it has none.
func htmlOf(r executor.Result) (string, error) {
	var b bytes.Buffer
	if all := repl.Parts(r); all != nil {
		parts(&b, all)
		return b.String(), nil
	}
	switch r := r.(type) {
	case *executor.Explanation:
		if r.Plan.Format == "json" || r.Plan.Format == "dot" {
			return "", nil // asked for as text
		}
		err := paged(explain.New(r.Plan, r.Actual)).HTML(&b)
		return b.String(), err
	case executor.Description:
		err := paged(explain.Describe(r.Plan)).HTML(&b)
		return b.String(), err
	case *executor.Relation:
		table(&b, r)
	case tabular:
		table(&b, shortened(r.Relation()))
	}
	return b.String(), nil
}
