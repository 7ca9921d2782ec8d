package lang

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// Diagnostic is one complaint about a source text, in the words of the
// language's user. It is an error; its Error is the first line of [Diagnostic.Format].
type Diagnostic struct {
	Span
	Summary string // what is wrong: one line, small letter, no full stop
	Hint    string // what to do about it, or ""
	Err     error  // the error that led here, for errors.Is; may be nil
}

// Errorf returns an error about a stretch of source. An operand of %w is kept
// for errors.Is and errors.As.
func Errorf(span Span, format string, args ...any) *Diagnostic {
	err := fmt.Errorf(format, args...)
	return &Diagnostic{Span: span, Summary: err.Error(), Err: err}
}

// WithHint adds a hint and returns the diagnostic. An empty hint changes
// nothing, so that the result of [DidYouMean] can be handed over as it is.
func (d *Diagnostic) WithHint(hint string) *Diagnostic {
	if hint != "" {
		d.Hint = hint
	}
	return d
}

// Error returns file:line:col: error: summary.
func (d *Diagnostic) Error() string {
	out := "error: " + shortened(d.Summary)
	if at := d.From.String(); at != "" {
		out = at + ": " + out
	}
	return out
}

// maxSummary is how many bytes of a summary or a hint are shown.
const maxSummary = 4000

// shortened is a summary or a hint as it is shown: what is complained of may quote a
// file, and a file must not move a terminal's cursor, or fill its screens.
func shortened(s string) string {
	if len(s) > maxSummary {
		s = strings.ToValidUTF8(s[:maxSummary], "") + "..."
	}
	return Visible(s)
}

// Visible writes control characters, which a terminal would obey, as Go does: \n, \x1b.
func Visible(s string) string {
	if !strings.ContainsFunc(s, unicode.IsControl) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if unicode.IsControl(r) {
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// Unwrap returns the error that led to this one, if any.
func (d *Diagnostic) Unwrap() error { return d.Err }

// Diagnostics are complaints in the order of the source. Err makes an error of
// them.
type Diagnostics []*Diagnostic

// Err returns the diagnostics as an error, or nil if there are none.
func (ds Diagnostics) Err() error {
	if len(ds) == 0 {
		return nil
	}
	return ds
}

// Error returns the diagnostics one per line, without source lines.
func (ds Diagnostics) Error() string {
	lines := make([]string, len(ds))
	for i, d := range ds {
		lines[i] = d.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the single diagnostics, for errors.Is and errors.As.
func (ds Diagnostics) Unwrap() []error {
	out := make([]error, len(ds))
	for i, d := range ds {
		out[i] = d
	}
	return out
}

// Format returns the diagnostics with their source lines; src is the text they
// were found in.
func (ds Diagnostics) Format(src string) string {
	var b strings.Builder
	for _, d := range ds {
		b.WriteString(d.Format(src))
	}
	return b.String()
}

// Place is the span of a text's bytes from one offset to before another, for errors
// about what this package has not read.
func Place(file, src string, from, to int) Span {
	at := newScanner(file, "").pos
	at.Advance(src[:from])
	end := at
	end.Advance(src[from:to])
	return Span{position(at), position(end)}
}
