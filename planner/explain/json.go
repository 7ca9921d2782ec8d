package explain

import (
	"encoding/json"
	"fmt"
	"io"
)

// JSON writes the report as one JSON object; docs/explain.md documents its
// fields.
func (r *Report) JSON(w io.Writer) error { return writeJSON(w, r) }

// JSON writes the report as one JSON object; docs/explain.md documents its
// fields.
func (m *ModelReport) JSON(w io.Writer) error { return writeJSON(w, m) }

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("report as JSON: %w", err)
	}
	return nil
}
