package atomicfile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"occlude/internal/cause"
)

// Write gives the file at path the content that write produces. The writer that
// write gets is buffered. If write fails, its error is returned wrapped with
// the path and the file is left as it was.
func Write(path string, write func(io.Writer) error) error {
	if err := dispatch(path, write); err != nil {
		return fmt.Errorf("write %q: %w", path, err)
	}
	return nil
}

func dispatch(path string, write func(io.Writer) error) error {
	if path == "" {
		return errors.New("the file has no name")
	}
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return errors.New("it is a folder")
	case os.IsPathSeparator(path[len(path)-1]):
		return errors.New("a file name is missing after the folder")
	case err == nil && (!info.Mode().IsRegular() || isStream(path)):
		return writeDirectly(path, write)
	case err == nil:
		return replace(path, info, write)
	case errors.Is(err, fs.ErrNotExist):
		return replace(path, nil, write)
	}
	return cause.Of(err)
}

// isStream tells the names of streams that are already open; what they lead to
// may look like a plain file.
func isStream(path string) bool {
	abs, err := filepath.Abs(path)
	return err == nil && (abs == "/dev/stdout" || abs == "/dev/stderr" ||
		strings.HasPrefix(abs, "/dev/fd/") || strings.HasPrefix(abs, "/proc/"))
}

// writeDirectly fills a pipe or a device. The process's own streams are used
// as they are open: opening /dev/stdout anew would start again at its first
// byte when it is a file.
func writeDirectly(path string, write func(io.Writer) error) error {
	switch filepath.Clean(path) {
	case "/dev/stdout":
		return buffered(os.Stdout, write)
	case "/dev/stderr":
		return buffered(os.Stderr, write)
	}
	f, err := openDirectly(path)
	if err != nil {
		return err
	}
	if err := buffered(f, write); err != nil {
		f.Close()
		return err
	}
	return cause.Of(f.Close())
}

// patience is how long a pipe may have no reader. To open it would wait for one for
// ever, and nothing can end that.
const patience = 2 * time.Second

// openDirectly opens a pipe or a device. A pipe without a reader is asked again and again.
func openDirectly(path string) (*os.File, error) {
	mode := os.O_WRONLY | os.O_APPEND
	if info, err := os.Stat(path); err == nil && info.Mode()&fs.ModeNamedPipe != 0 {
		mode |= syscall.O_NONBLOCK
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		f, err := os.OpenFile(path, mode, 0)
		switch {
		case err == nil:
			return f, nil
		case mode&syscall.O_NONBLOCK == 0 || !errors.Is(err, syscall.ENXIO):
			return nil, cause.Of(err)
		case time.Now().After(deadline):
			return nil, errors.New("nobody reads the pipe")
		}
	}
}

// replace writes beside the target and renames; old describes the existing
// file, nil if there is none.
func replace(path string, old fs.FileInfo, write func(io.Writer) error) error {
	target, err := Target(path)
	if err != nil {
		return err
	}
	if old != nil {
		// Renaming would get around the file's own permissions.
		f, err := os.OpenFile(target, os.O_WRONLY, 0)
		if err != nil {
			return cause.Of(err)
		}
		f.Close()
	}
	tmp, err := create(filepath.Dir(target))
	if err != nil {
		return err
	}
	done := false
	defer func() { // also when write panics
		if !done {
			tmp.Close()
			os.Remove(tmp.Name())
		}
	}()
	if err := buffered(tmp, write); err != nil {
		return err
	}
	if old != nil && old.Mode().Perm() != permOf(tmp) {
		if err := tmp.Chmod(old.Mode().Perm()); err != nil {
			return cause.Of(err)
		}
	}
	if err := tmp.Sync(); err != nil {
		return cause.Of(err)
	}
	if err := tmp.Close(); err != nil {
		return cause.Of(err)
	}
	if err := os.Rename(tmp.Name(), target); err != nil {
		return cause.Of(err)
	}
	done = true
	syncFolder(filepath.Dir(target))
	return nil
}

func permOf(f *os.File) fs.FileMode {
	info, err := f.Stat()
	if err != nil {
		return 0
	}
	return info.Mode().Perm()
}

// Target finds the file that path means and Write replaces, through symbolic links, the
// last of which may point to a file that does not exist yet.
func Target(path string) (string, error) {
	for range 40 {
		info, err := os.Lstat(path)
		if err != nil || info.Mode()&fs.ModeSymlink == 0 {
			return path, nil
		}
		next, err := os.Readlink(path)
		if err != nil {
			return "", cause.Of(err)
		}
		if !filepath.IsAbs(next) {
			next = filepath.Join(filepath.Dir(path), next)
		}
		path = next
	}
	return "", errors.New("too many symbolic links")
}

// create makes a temporary file in dir. os.CreateTemp would do, but its files
// are private to their owner and the umask cannot be asked for without being
// changed.
func create(dir string) (*os.File, error) {
	for {
		name := filepath.Join(dir, fmt.Sprintf(".occlude-%08x.tmp", rand.Uint32()))
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		switch {
		case err == nil:
			return f, nil
		case errors.Is(err, fs.ErrExist):
			continue
		case errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("the folder %q does not exist", dir)
		}
		return nil, fmt.Errorf("the folder %q cannot be written to: %w", dir, cause.Of(err))
	}
}

// stale is how old a temporary file is that nobody writes any more.
const stale = time.Hour

// Sweep takes away the temporary files of a folder whose writers were killed. It is for
// folders that belong to the program; others keep theirs.
func Sweep(dir string) {
	left, _ := os.ReadDir(dir)
	for _, f := range left {
		if !strings.HasPrefix(f.Name(), ".occlude-") || !strings.HasSuffix(f.Name(), ".tmp") {
			continue
		}
		if info, err := f.Info(); err == nil && time.Since(info.ModTime()) > stale {
			_ = os.Remove(filepath.Join(dir, f.Name()))
		}
	}
}

func buffered(f *os.File, write func(io.Writer) error) error {
	w := bufio.NewWriterSize(nameless{f}, 1<<16)
	if err := write(w); err != nil {
		return err
	}
	return w.Flush()
}

// nameless writes to a file, with errors that do not name it: whoever writes may wrap them.
type nameless struct{ file *os.File }

func (n nameless) Write(p []byte) (int, error) {
	written, err := n.file.Write(p)
	return written, cause.Of(err)
}

// syncFolder makes the rename itself lasting. Some systems cannot flush a
// folder; the file is whole all the same, so nobody needs to know.
func syncFolder(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		d.Close()
	}
}
