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
	// Devices are those of GPUs, which say themselves what they were measured on.
	DeviceUnits map[string]string `json:"gpu_units,omitempty"`
	Devices     []*Device         `json:"gpus,omitempty"`
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

// deviceUnits are what the fields of a GPU's profile mean.
var deviceUnits = map[string]string{
	"processors":                     "multiprocessors",
	"macs_per_second":                "multiply-adds of whole tiles a second of all multiprocessors, by kind of kernel",
	"memory_bytes_per_second":        "bytes a second that launches read and write of its memory",
	"seconds_per_launch":             "seconds of a launch beside its work",
	"seconds_per_copy":               "seconds of a copy beside its bytes",
	"seconds_per_allocation":         "seconds of taking a piece of memory and giving it back",
	"upload_bytes_per_second":        "bytes a second of copies to the GPU, with their writing",
	"download_bytes_per_second":      "bytes a second of copies from the GPU",
	"weight_upload_bytes_per_second": "bytes a second of weights, with what puts them into the kernels' order",
	"spread":                         "seconds of nine of ten queries over their estimate",
}

// NewBook puts profiles into a book.
func NewBook(entries []Entry, gpus []*Device, now time.Time) *Book {
	b := &Book{Format: bookFormat, Version: bookVersion, Exported: now.UTC().Format(time.RFC3339), Units: units, Entries: entries, Devices: gpus}
	if entries == nil {
		b.Entries = []Entry{} // a list all the same
	}
	if len(gpus) > 0 {
		b.DeviceUnits = deviceUnits
	}
	return b
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
	case len(b.Entries)+len(b.Devices) == 0:
		return nil, fmt.Errorf("there are no calibrations in it")
	}
	for i, e := range b.Entries {
		if err := e.check(); err != nil {
			return nil, fmt.Errorf("calibration %d: %w", i+1, err)
		}
	}
	for i, d := range b.Devices {
		if err := d.checkEntry(); err != nil {
			return nil, fmt.Errorf("GPU %d: %w", i+1, err)
		}
		d.usual()
	}
	return b, nil
}

// checkEntry checks a profile that was measured on a card with a name.
func (d *Device) checkEntry() error {
	switch {
	case d == nil || d.Name == "":
		return fmt.Errorf("it has no name")
	case d.Kind == OfProperties:
		return fmt.Errorf("kind %q was not measured on a card", d.Kind)
	}
	if _, err := d.Time(); err != nil {
		return err
	}
	return d.check()
}

// Time is when the profile was measured.
func (d *Device) Time() (time.Time, error) { return measuredAt(d.Measured) }

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
func (e *Entry) Time() (time.Time, error) { return measuredAt(e.Measured) }

func measuredAt(text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, fmt.Errorf("measured %q, which is no time", text)
	}
	return t, nil
}
