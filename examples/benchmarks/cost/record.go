package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// record is what was measured of one query.
type record struct {
	Network   string `json:"network"`
	Profile   string `json:"profile"` // what its estimate rests on
	Name      string `json:"name"`
	Query     string `json:"query"`
	Threads   int    `json:"threads"`
	Patch     int    `json:"patch"`
	Stride    int    `json:"stride"`
	Plan      string `json:"plan"` // that ran
	Positions int    `json:"positions"`

	Estimate parts `json:"estimate"`
	Actual   parts `json:"actual"`
	// Others are the seconds of the plans that were not chosen, by their hints, and
	// Chosen those of the chosen one: the least of runs in turn with each other.
	Others map[string]float64 `json:"others,omitempty"`
	Chosen float64            `json:"chosen,omitempty"`
}

// parts are seconds, and the most bytes of activations.
type parts struct {
	Seconds float64 `json:"seconds"`
	Low     float64 `json:"low,omitempty"` // of an estimate's range
	High    float64 `json:"high,omitempty"`
	Base    float64 `json:"base"`
	Bytes   float64 `json:"bytes"`
}

type key struct {
	network, profile, query string
	threads                 int
}

func (r *record) key() key { return key{r.Network, r.Profile, r.Query, r.Threads} }

// log are the records, which go to a file as they come.
type log struct {
	records []*record
	known   map[key]bool
	file    *os.File // nil for none
}

// openLog reads what is in a log; it may not be there yet, and "" is none.
func openLog(path string) (*log, error) {
	l := &log{known: map[key]bool{}}
	if path == "" {
		return l, nil
	}
	old, err := os.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	default:
		err = l.read(old)
		old.Close()
		if err != nil {
			return nil, fmt.Errorf("log %q: %w", path, err)
		}
	}
	l.file, err = os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	return l, err
}

func (l *log) read(r io.Reader) error {
	d := json.NewDecoder(bufio.NewReader(r))
	for {
		var r record
		switch err := d.Decode(&r); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		l.keep(&r)
	}
}

func (l *log) keep(r *record) {
	l.records = append(l.records, r)
	l.known[r.key()] = true
}

func (l *log) add(r *record) error {
	l.keep(r)
	if l.file == nil {
		return nil
	}
	return json.NewEncoder(l.file).Encode(r)
}

func (l *log) close() error {
	if l.file == nil {
		return nil
	}
	err := l.file.Close()
	l.file = nil
	return err
}
