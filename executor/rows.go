package executor

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"

	"occlude/planner"
)

// rowWriter writes rows as they come.
type rowWriter interface {
	Columns(names []string) error
	Row(values []any) error
	Close() error // writes what is still to be written; it does not close the file
}

// newRowWriter is the one of a format: csv or json.
func newRowWriter(format string, w io.Writer) (rowWriter, error) {
	switch format {
	case planner.WriteCSV:
		return newCSV(w, ',', true), nil
	case planner.WriteJSON:
		return newJSON(w), nil
	}
	return nil, fmt.Errorf("rows cannot be written as %s", format)
}

// write hands all rows to a writer and closes it.
func (r *Relation) write(w rowWriter) error {
	if err := w.Columns(r.Columns); err != nil {
		return err
	}
	for _, row := range r.Rows {
		if err := w.Row(row); err != nil {
			return err
		}
	}
	return w.Close()
}

// CSV writes the rows, after a line of the columns' names if header is set; comma
// stands between the fields.
func (r *Relation) CSV(w io.Writer, comma rune, header bool) error {
	return r.write(newCSV(w, comma, header))
}

// JSON writes the relation as an array of objects with the columns in order.
func (r *Relation) JSON(w io.Writer) error { return r.write(newJSON(w)) }

type csvWriter struct {
	out    *csv.Writer
	header bool
	record []string
}

func newCSV(w io.Writer, comma rune, header bool) *csvWriter {
	out := csv.NewWriter(w)
	out.Comma = comma
	return &csvWriter{out: out, header: header}
}

func (c *csvWriter) Columns(names []string) error {
	c.record = make([]string, len(names))
	if !c.header {
		return nil
	}
	return c.out.Write(names)
}

func (c *csvWriter) Row(values []any) error {
	for i, v := range values {
		c.record[i] = Text(v)
	}
	return c.out.Write(c.record)
}

func (c *csvWriter) Close() error {
	c.out.Flush()
	return c.out.Error()
}

type jsonWriter struct {
	out   *bufio.Writer
	names [][]byte
	rows  int
}

func newJSON(w io.Writer) *jsonWriter { return &jsonWriter{out: bufio.NewWriter(w)} }

func (j *jsonWriter) Columns(names []string) error {
	j.names = make([][]byte, len(names))
	for i, n := range names {
		j.names[i], _ = json.Marshal(n) // a string always marshals
	}
	_, err := j.out.WriteString("[")
	return err
}

func (j *jsonWriter) Row(values []any) error {
	between := ",\n  {"
	if j.rows == 0 {
		between = "\n  {"
	}
	j.rows++
	j.out.WriteString(between) // an error of the file comes again in the end
	for i, v := range values {
		if i > 0 {
			j.out.WriteString(", ")
		}
		value, err := jsonValue(v)
		if err != nil {
			return err
		}
		j.out.Write(j.names[i])
		j.out.WriteString(": ")
		j.out.Write(value)
	}
	_, err := j.out.WriteString("}")
	return err
}

func (j *jsonWriter) Close() error {
	if j.rows > 0 {
		j.out.WriteString("\n")
	}
	j.out.WriteString("]\n")
	return j.out.Flush()
}

// jsonValue writes numbers as CSV does, null for what JSON has no number, and bytes
// in base 64.
func jsonValue(v any) ([]byte, error) {
	switch f := v.(type) {
	case float32:
		if math.IsNaN(float64(f)) || math.IsInf(float64(f), 0) {
			return []byte("null"), nil
		}
	case float64:
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return []byte("null"), nil
		}
	}
	return json.Marshal(v)
}

// Text prints a value of a relation: numbers with the digits that bring them back,
// nothing for NULL, and what they are for bytes.
func Text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case float32:
		return strconv.FormatFloat(float64(v), 'g', -1, 32)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case []byte:
		return blobText(v)
	}
	return fmt.Sprint(v)
}
