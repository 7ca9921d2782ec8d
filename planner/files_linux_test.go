package planner

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"occlude/lang"
)

// asUser runs a function as an ordinary user, to whom permissions matter: as nobody, if
// this process is root's.
func asUser(t *testing.T, do func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		do()
		return
	}
	done := make(chan bool)
	go func() {
		defer close(done)
		runtime.LockOSThread() // and the thread ends with the goroutine
		const nobody = 65534
		if _, _, errno := syscall.RawSyscall(syscall.SYS_SETFSUID, nobody, 0, 0); errno == 0 {
			do()
		}
	}()
	<-done
}

// Permissions are looked at before the work, and what may not be read is no empty folder.
func TestPermissions(t *testing.T) {
	dir, err := os.MkdirTemp("", "occlude-planner-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	in := func(name string) string { return filepath.Join(dir, name) }
	for name, mode := range map[string]fs.FileMode{"read.csv": 0o444, "open/a.png": 0o644, "shut/b.png": 0o644} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(in(name)), 0o777), os.WriteFile(in(name), nil, mode)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.Chmod(dir, 0o777), os.Chmod(in("shut"), 0o311)); err != nil {
		t.Fatal(err)
	}
	asUser(t, func() {
		files := newOutputFiles(nil)
		if err := files.writable(in("new.csv")); err != nil {
			t.Error(err)
		}
		if err := files.writable(in("read.csv")); err == nil || !strings.HasSuffix(err.Error(), `read.csv": permission denied`) {
			t.Errorf("a file that may only be read: %v", err)
		}
		if found, err := imagesOf(lang.String{Value: in("open/*.png")}); err != nil || len(found) != 1 {
			t.Errorf("%v, %v", found, err)
		}
		for _, pattern := range []string{"shut/*.png", "*/*.png", "*/?.png"} {
			if found, err := imagesOf(lang.String{Value: in(pattern)}); err == nil || !strings.Contains(err.Error(), `shut" cannot be read: permission denied`) {
				t.Errorf("%s: %v, %v", pattern, found, err)
			}
		}
	})
	if err := os.Chmod(in("shut"), 0o755); err != nil {
		t.Fatal(err)
	}
}
