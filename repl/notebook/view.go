package notebook

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image/png"
	"strings"

	"occlude/executor"
	"occlude/internal/jupyter"
	"occlude/internal/settings"
	"occlude/planner/explain"
	"occlude/repl"
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
	if drawing := picture(r); drawing != nil {
		v.out.Display("", pictureBundle(drawing))
		switch _, isTable := r.(*executor.Relation); {
		case isTable: // that is all of it
			return nil
		case repl.Parts(r) == nil:
			// Front ends show the picture alone, so the text is an output of its own.
			v.out.Stream(jupyter.Stdout, text)
			return nil
		}
	}
	b := jupyter.Bundle{"text/plain": strings.TrimRight(text, "\n")}
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
	if t, ok := r.(executor.Tabular); err != nil && ok {
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
	case executor.Pictured:
		if r.PNG(&b) == nil {
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
		err := explain.New(r.Plan, r.Actual).HTML(&b)
		return b.String(), err
	case executor.Description:
		err := explain.Describe(r.Plan).HTML(&b)
		return b.String(), err
	case *executor.Relation:
		table(&b, r)
	case executor.Tabular:
		table(&b, shortened(r.Relation()))
	}
	return b.String(), nil
}
