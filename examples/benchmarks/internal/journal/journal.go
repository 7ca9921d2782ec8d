// Package journal keeps what a benchmark measured: in memory, and in a file as it
// comes, a line of JSON each, so that a run which was interrupted goes on where it was.
package journal

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// Journal are records of type R. Their keys of type K are what makes a measurement
// another one.
type Journal[K comparable, R any] struct {
	Records []*R // in the order in which they came

	key   func(*R) K
	known map[K]bool
	file  *os.File // nil for none
}

// Open reads the records that are in a file, which may not be there yet; with "" they
// are kept in memory alone. Errors name the file.
func Open[K comparable, R any](path string, key func(*R) K) (*Journal[K, R], error) {
	j := &Journal[K, R]{key: key, known: map[K]bool{}}
	if path == "" {
		return j, nil
	}
	old, err := os.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	default:
		err = j.read(old)
		old.Close()
		if err != nil {
			return nil, fmt.Errorf("log %q: %w", path, err)
		}
	}
	j.file, err = os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	return j, err
}

// Use opens a journal for those who add to it or read it, and closes it.
func Use[K comparable, R any](path string, key func(*R) K, use func(*Journal[K, R]) error) error {
	j, err := Open(path, key)
	if err != nil {
		return err
	}
	defer j.Close()
	if err := use(j); err != nil {
		return err
	}
	return j.Close()
}

func (j *Journal[K, R]) read(from io.Reader) error {
	d := json.NewDecoder(bufio.NewReader(from))
	for {
		var r R
		switch err := d.Decode(&r); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		j.keep(&r)
	}
}

func (j *Journal[K, R]) keep(r *R) {
	j.Records = append(j.Records, r)
	j.known[j.key(r)] = true
}

// Knows reports whether there is a record of a key.
func (j *Journal[K, R]) Knows(k K) bool { return j.known[k] }

// Add keeps a record, and writes it down.
func (j *Journal[K, R]) Add(r *R) error {
	j.keep(r)
	if j.file == nil {
		return nil
	}
	return json.NewEncoder(j.file).Encode(r)
}

// Close closes the file. A second time does nothing.
func (j *Journal[K, R]) Close() error {
	if j.file == nil {
		return nil
	}
	err := j.file.Close()
	j.file = nil
	return err
}
