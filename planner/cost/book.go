package cost

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"
)

// Book is profiles in a file that people can read, review and commit: those of EXPORT
// and IMPORT CALIBRATION.
type Book struct {
	Format   string            `json:"format"` // bookFormat
	Version  int               `json:"version"`
	Exported string            `json:"exported"` // when, in UTC
	Units    map[string]string `json:"units"`    // what the profiles' fields mean
	Entries  []Entry           `json:"calibrations"`
}

// Entry is a profile and what it was measured on, which is where it is used.
type Entry struct {
	CPU      string   `json:"cpu"`
	Cores    int      `json:"cores"`
	Kernels  string   `json:"kernels"` // the set
	Measured string   `json:"measured"`
	Profile  *Profile `json:"profile"`
}

const (
	bookFormat  = "occlude calibration"
	bookVersion = 1
)

// units are what the fields of a profile mean.
var units = map[string]string{
	"macs_per_second":         "multiply-adds a second of a thread, by class of layer",
	"steps_per_second":        "element steps a second of a thread, by class of layer",
	"gather_bytes_per_second": "bytes a second at which a thread puts read-in contexts together",
	"weight_bytes_per_second": "bytes a second at which a thread gets weights from memory",
	"fresh_bytes_per_second":  "bytes a second at which memory comes from the system, for all threads together; 0 for at once",
	"seconds_per_run":         "seconds of a layer at a position beside its work",
	"seconds_per_group":       "seconds of a layer for a group of positions beside its work",
	"seconds_per_image":       "seconds of reading an image and writing numbers",
	"seconds_per_picture":     "seconds of drawing a picture and writing it",
	"kernels":                 "rates of a thread that works alone",
	"kernels_on_all_cores":    "rates of each thread while all cores work",
	"spread":                  "seconds of nine of ten queries over their estimate, for the model that was measured",
	"spread_of_other_models":  "the same for other models",
	"layers":                  "seconds of the model's layers over those that the rates predict, by the cells that are computed at a position",
	"base_pass_on_one_thread": "seconds of a base pass over those of its layers and its memory",
	"base_pass_on_all_cores":  "the same with a thread on each core",
}

// NewBook puts profiles into a book.
func NewBook(entries []Entry, now time.Time) *Book {
	return &Book{Format: bookFormat, Version: bookVersion, Exported: now.UTC().Format(time.RFC3339), Units: units, Entries: entries}
}

// lists are arrays of numbers, which read better on one line.
var lists = regexp.MustCompile(`\[[-+0-9.eE,\s]+\]`)

// Write writes the book as indented JSON.
func (b *Book) Write(w io.Writer) error {
	data, err := json.MarshalIndent(b, "", "  ")
	if err != nil {
		return err
	}
	data = lists.ReplaceAllFunc(data, func(list []byte) []byte {
		return []byte("[" + strings.Join(strings.Fields(string(list[1:len(list)-1])), " ") + "]")
	})
	_, err = w.Write(append(data, '\n'))
	return err
}

// ParseBook reads a book and checks every profile.
func ParseBook(data []byte) (*Book, error) {
	b := &Book{}
	d := json.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(b); err != nil {
		return nil, fmt.Errorf("this is no calibration: %w", err)
	}
	_, err := d.Token()
	switch {
	case err != io.EOF:
		return nil, fmt.Errorf("this is no calibration: something follows its last brace")
	case b.Format != bookFormat:
		return nil, fmt.Errorf("this is no calibration: format is %q, not %q", b.Format, bookFormat)
	case b.Version != bookVersion:
		return nil, fmt.Errorf("a calibration of version %d; this Occlude reads version %d", b.Version, bookVersion)
	case len(b.Entries) == 0:
		return nil, fmt.Errorf("there are no calibrations in it")
	}
	for i, e := range b.Entries {
		if err := e.check(); err != nil {
			return nil, fmt.Errorf("calibration %d: %w", i+1, err)
		}
	}
	return b, nil
}

func (e *Entry) check() error {
	switch {
	case e.CPU == "" || e.Kernels == "" || e.Cores < 1:
		return fmt.Errorf("the processor %q with %d cores and the kernels %q lacks something", e.CPU, e.Cores, e.Kernels)
	case e.Profile == nil:
		return fmt.Errorf("no profile")
	case e.Profile.Kind != Quick && e.Profile.Kind != OfModel:
		return fmt.Errorf("kind %q was not measured on a machine", e.Profile.Kind)
	case e.Profile.Kind == OfModel && e.Profile.Hash == "":
		return fmt.Errorf("the profile of model %q lacks its hash", e.Profile.Model)
	}
	if _, err := e.Time(); err != nil {
		return err
	}
	if err := e.Profile.check(); err != nil {
		return err
	}
	_, err := e.Profile.For(e.Kernels)
	return err
}

// Time is when the entry was measured.
func (e *Entry) Time() (time.Time, error) {
	t, err := time.Parse(time.RFC3339, e.Measured)
	if err != nil {
		return t, fmt.Errorf("measured %q, which is no time", e.Measured)
	}
	return t, nil
}
