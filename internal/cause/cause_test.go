package cause

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOf(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	_, open := os.Open(missing)
	rename := os.Rename(missing, missing+"2")
	for _, err := range []error{open, rename, fmt.Errorf("around it: %w", open)} {
		got := Of(err)
		if !errors.Is(got, fs.ErrNotExist) || strings.Contains(got.Error(), "missing") {
			t.Errorf("%v became %v", err, got)
		}
	}
	if err := errors.New("of its own"); Of(err) != err {
		t.Errorf("%v became %v", err, Of(err))
	}
	if Of(nil) != nil {
		t.Error("there was no error")
	}
}
