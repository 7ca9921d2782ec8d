package planner

import (
	"context"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"occlude/lang"
)

// Copy writes what a query returns to a file.
type Copy struct {
	text
	Query Plan
	Out   Output
	File  lang.Span // where the file's name was written
}

// Formatted is a plan whose results can be written as more than rows.
type Formatted interface {
	Plan
	// Formats are the formats that its results can be written in: Write constants.
	Formats() []string
}

// Formats implements Formatted: a heat map is rows, an array and a picture.
func (p *Occlude) Formats() []string { return []string{WritePNG, WriteNPY, WriteCSV, WriteJSON} }

// formatsOf are the formats that a plan's results can be written in.
func formatsOf(p Plan) []string {
	if f, ok := p.(Formatted); ok {
		return f.Formats()
	}
	return []string{WriteCSV, WriteJSON}
}

func (b *binder) copy(ctx context.Context, s *lang.Copy) (Plan, error) {
	if q, ok := s.Query.(*lang.Occlude); ok {
		if err := notTable(q, "COPY"); err != nil {
			return nil, err
		}
	}
	inner, err := b.planner.Plan(ctx, s.Query)
	if err != nil {
		return nil, err
	}
	out, err := b.output(s.File, s.Format())
	if err != nil {
		return nil, err
	}
	if can := formatsOf(inner); !slices.Contains(can, out.Format) {
		return nil, lang.Errorf(s.File.Span(), "this query's result cannot be written as %s", out.Format).
			WithHint("it can be written as " + strings.Join(can, ", "))
	}
	if _, ok := inner.(*Query); ok && !perRow(out.Format) && columnInName.MatchString(out.Path) {
		return nil, lang.Errorf(s.File.Span(), "all rows of a SELECT go into one %s file, whose name has no column to stand in braces", out.Format).
			WithHint("a .npy or .png is written for each row")
	}
	var images []string
	heatMap := false
	switch q := inner.(type) {
	case *Occlude:
		images, heatMap = q.Images, true
		if err := checkPicture(s.File, out, q.Grid); err != nil {
			return nil, err
		}
	case *Predict:
		images = q.Images
	case *Benchmark:
		images = q.Query.Images
	case *Compare:
		images = slices.Concat(q.First.Images, q.Second.Images)
		if err := checkPicture(s.File, out, q.First.Grid); err != nil {
			return nil, err
		}
	}
	if err := checkOutputs([]lang.String{s.File}, []Output{out}, images, heatMap); err != nil {
		return nil, err
	}
	return &Copy{b.text, inner, out, s.File.Span()}, nil
}

// columnInName is a column of a SELECT in the name of a file.
var columnInName = regexp.MustCompile(`\{\w+\}`)

// perRow reports whether a SELECT may write a file of that format for each row.
func perRow(format string) bool { return format == WriteNPY || format == WritePNG }

// output reads a file name and an optional format.
func (b *binder) output(file lang.String, format string) (Output, error) {
	formats := []string{WritePNG, WriteNPY, WriteCSV, WriteJSON}
	if format == "" {
		format = strings.ToLower(strings.TrimPrefix(filepath.Ext(file.Value), "."))
	}
	if slices.Contains(formats, format) {
		return Output{Path: file.Value, Format: format}, nil
	}
	return Output{}, lang.Errorf(file.Span(), "cannot tell a format from the name %q", file.Value).
		WithHint("the name must end in ." + strings.Join(formats, ", ."))
}
