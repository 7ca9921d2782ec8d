package history

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"occlude/internal/atomicfile"
	"occlude/internal/cause"
	"occlude/internal/store"
)

// Bounds of the file.
const (
	maxEntries = 2000
	maxBytes   = 1 << 20
	maxEntry   = 64 << 10 // bytes of one entry as it was typed
)

// patience is how long another process is waited for that holds the lock. Holding it
// takes milliseconds, unless that process was stopped in the middle.
const patience = time.Second

// File is a history on disk. The zero value, without a path, keeps nothing. A File may be
// used by one goroutine at a time; other processes, or other Files, may share its path.
type File struct {
	path    string
	entries []string    // as they were read last
	seen    fs.FileInfo // the file at that time, nil if there was none
}

// Open makes the history kept at a path, which need not exist; "" keeps none.
func Open(path string) *File { return &File{path: path} }

// DefaultPath is where a user's history is: the file history beside the database, ""
// where there is no place for either.
func DefaultPath() string {
	database := store.DefaultPath()
	if database == "" {
		return ""
	}
	return filepath.Join(filepath.Dir(database), "history")
}

// Entries are what was typed, the oldest first, by all who share the file. The caller
// must not change them.
func (f *File) Entries() ([]string, error) {
	if f.path == "" {
		return nil, nil
	}
	now, err := os.Stat(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		f.entries, f.seen = nil, nil
		return nil, nil
	}
	if err != nil {
		return f.entries, f.failure(err)
	}
	if f.seen != nil && os.SameFile(f.seen, now) && f.seen.Size() == now.Size() && f.seen.ModTime().Equal(now.ModTime()) {
		return f.entries, nil
	}
	file, err := os.Open(f.path)
	if err != nil {
		return f.entries, f.failure(err)
	}
	defer file.Close()
	data, err := readAll(file)
	if err != nil {
		return f.entries, f.failure(err)
	}
	f.entries, f.seen = decode(data), now
	return f.entries, nil
}

// Add appends an entry, without the white space around it. Nothing is added that is
// empty, too long, or what was added last.
func (f *File) Add(entry string) error {
	entry = strings.TrimSpace(entry)
	if f.path == "" || entry == "" || len(entry) > maxEntry {
		return nil
	}
	if err := f.add(entry); err != nil {
		return f.failure(err)
	}
	return nil
}

func (f *File) add(entry string) error {
	if err := os.MkdirAll(filepath.Dir(f.path), 0o700); err != nil {
		return err
	}
	file, err := openLocked(f.path)
	if err != nil {
		return err
	}
	defer file.Close() // which unlocks it
	data, err := readAll(file)
	if err != nil {
		return err
	}
	line := encode(entry)
	if last := data[bytes.LastIndexByte(bytes.TrimSuffix(data, []byte{'\n'}), '\n')+1:]; bytes.Equal(last, line) {
		return nil
	}
	if n := len(data); n > 0 && data[n-1] != '\n' {
		line = append([]byte{'\n'}, line...) // somebody was killed while writing
	}
	if bytes.Count(data, []byte{'\n'}) >= maxEntries || len(data)+len(line) > maxBytes {
		return rewrite(f.path, append(decode(data), entry))
	}
	_, err = file.Write(line) // at the end, in one piece
	return err
}

// rewrite replaces the file by the newest of the entries.
func rewrite(path string, entries []string) error {
	lines, size := make([][]byte, 0, len(entries)), 0
	for _, entry := range slices.Backward(entries) {
		line := encode(entry)
		if size += len(line); len(lines) >= maxEntries/4*3 || size > maxBytes/4*3 {
			break
		}
		lines = append(lines, line)
	}
	slices.Reverse(lines)
	return atomicfile.Write(path, func(w io.Writer) error {
		_, err := w.Write(bytes.Join(lines, nil))
		return err
	})
}

// readAll reads a history, of one that others have made too large its end.
func readAll(file *os.File) ([]byte, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is not a plain file")
	}
	const most = 2 * maxBytes
	return io.ReadAll(io.NewSectionReader(file, max(0, info.Size()-most), most))
}

// encode writes an entry as a line.
func encode(entry string) []byte {
	var b bytes.Buffer
	to := json.NewEncoder(&b)
	to.SetEscapeHTML(false)                             // < stays < for those who read the file
	_ = to.Encode(strings.ToValidUTF8(entry, "\uFFFD")) // a string always has an encoding
	return b.Bytes()
}

// decode reads entries, and passes over what is none, and what comes twice in a row
// since what stood between is none.
func decode(data []byte) []string {
	var entries []string
	for line := range bytes.Lines(data) {
		var entry string
		if json.Unmarshal(line, &entry) == nil && entry != "" {
			entries = append(entries, entry)
		}
	}
	return slices.Compact(entries)
}

// failure names the file in an error.
func (f *File) failure(err error) error {
	return fmt.Errorf("history %q: %w", f.path, cause.Of(err))
}

// openLocked opens a file for reading and appending, and locks it.
func openLocked(path string) (*os.File, error) {
	for deadline := time.Now().Add(patience); ; {
		// Anything but a plain file would be waited for, or written into.
		if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
			return nil, errors.New("it is not a plain file")
		}
		file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
		if err != nil {
			return nil, err
		}
		err = lock(file)
		if err == nil && stillAt(file, path) {
			return file, nil
		}
		file.Close()
		switch {
		case err != nil && !errors.Is(err, errLocked):
			return nil, err
		case time.Now().After(deadline):
			return nil, errors.New("another process keeps it locked")
		case err != nil:
			time.Sleep(2 * time.Millisecond)
		}
	}
}

// stillAt reports whether a file is the one at a path, and was not replaced meanwhile.
func stillAt(file *os.File, path string) bool {
	mine, err := file.Stat()
	if err != nil {
		return false
	}
	there, err := os.Stat(path)
	return err == nil && os.SameFile(mine, there)
}
