//go:build unix

package imageio

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestNoFiles: a pipe that nobody writes to would be waited for, and a device has no
// end. A file beyond the limit is not read up to it.
func TestNoFiles(t *testing.T) {
	dir := t.TempDir()
	pipe, device, huge := filepath.Join(dir, "pipe.png"), filepath.Join(dir, "zero.png"), filepath.Join(dir, "huge.png")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/dev/zero", device); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(huge, []byte("\x89PNG\r\n\x1a\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(huge, MaxFile+1); err != nil {
		t.Skip(err) // no holes in files here
	}
	for path, want := range map[string]string{pipe: "not a regular file", device: "not a regular file", huge: "more than 1073741824"} {
		if _, err := Load(path); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v, want an error with %q", path, err, want)
		}
	}
}
