//go:build unix

package atomicfile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestPermissions(t *testing.T) {
	dir := t.TempDir()
	plain, err := os.Create(filepath.Join(dir, "plain"))
	if err != nil {
		t.Fatal(err)
	}
	plain.Close()
	mode := func(name string) os.FileMode {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return info.Mode()
	}
	path := filepath.Join(dir, "ours")
	if err := Write(path, content("1")); err != nil {
		t.Fatal(err)
	}
	if mode("ours") != mode("plain") {
		t.Errorf("a new file has mode %v, os.Create gives %v", mode("ours"), mode("plain"))
	}
	for _, want := range []os.FileMode{0o600, 0o666, 0o755} {
		if err := os.Chmod(path, want); err != nil {
			t.Fatal(err)
		}
		if err := Write(path, content("2")); err != nil {
			t.Fatal(err)
		}
		if mode("ours") != want {
			t.Errorf("mode %v became %v", want, mode("ours"))
		}
	}
}

func TestReadOnly(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("the superuser may write everywhere")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "guarded")
	if err := os.WriteFile(path, []byte("old"), 0o444); err != nil {
		t.Fatal(err)
	}
	if err := Write(path, content("new")); err == nil || !strings.Contains(err.Error(), "guarded") {
		t.Errorf("a read-only file: %v", err)
	}
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	if err := Write(filepath.Join(dir, "new"), content("new")); err == nil || !strings.Contains(err.Error(), "cannot be written to") {
		t.Errorf("a read-only folder: %v", err)
	}
	expect(t, dir, map[string]string{"guarded": "old"})
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
}

func TestSymbolicLinks(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink("sub/real", link); err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"through a dangling link", "through a link"} {
		if err := Write(link, content(s)); err != nil {
			t.Fatal(err)
		}
		expect(t, filepath.Join(dir, "sub"), map[string]string{"real": s})
	}
	if to, err := os.Readlink(link); err != nil || to != "sub/real" {
		t.Errorf("the link became %q, %v", to, err)
	}
	loop := filepath.Join(dir, "loop")
	if err := os.Symlink("loop", loop); err != nil {
		t.Fatal(err)
	}
	if err := Write(loop, content("x")); err == nil {
		t.Error("a link to itself was written")
	}
}

func TestPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip(err)
	}
	got := make(chan string)
	go func() {
		r, err := os.Open(path)
		if err != nil {
			got <- err.Error()
			return
		}
		defer r.Close()
		b, _ := io.ReadAll(r)
		got <- string(b)
	}()
	if err := Write(path, content("into the pipe")); err != nil {
		t.Error(err)
	}
	if s := <-got; s != "into the pipe" {
		t.Errorf("got %q", s)
	}
	if info, err := os.Lstat(path); err != nil || info.Mode()&os.ModeNamedPipe == 0 {
		t.Errorf("the pipe became %v, %v", info, err)
	}
}

// A pipe that nobody reads is not waited for without end, nor one whose reader leaves.
func TestUnreadPipe(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip(err)
	}
	if err := Write(path, content("for nobody")); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%q: nobody reads", path)) {
		t.Errorf("a pipe without a reader: %v", err)
	}
	r, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	err = Write(path, func(w io.Writer) error {
		r.Close()
		_, err := io.WriteString(w, strings.Repeat("x", 1<<20))
		return err
	})
	if !errors.Is(err, syscall.EPIPE) {
		t.Errorf("a pipe whose reader leaves: %v", err)
	}
}

// What the system says of a write names the file that was asked for, once, and not the
// temporary one, however the writer wraps it.
func TestFullDevice(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip(err)
	}
	for _, size := range []int{10, 1 << 20} {
		err := Write("/dev/full", content(strings.Repeat("x", size)))
		if !errors.Is(err, syscall.ENOSPC) || err.Error() != `write "/dev/full": no space left on device` {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
	dir := t.TempDir()
	cmd := exec.Command("sh", "-c", `ulimit -f 100 && exec "$0" -test.run='^TestLimited$'`, os.Args[0])
	cmd.Env = append(os.Environ(), "ATOMICFILE_LIMITED="+filepath.Join(dir, "large"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	expect(t, dir, nil)
}

// TestLimited is run by TestFullDevice, where files may not grow large.
func TestLimited(t *testing.T) {
	path := os.Getenv("ATOMICFILE_LIMITED")
	if path == "" {
		t.Skip("is part of another test")
	}
	err := Write(path, content(strings.Repeat("x", 1<<20)))
	if want := fmt.Sprintf("write %q: file too large", path); fmt.Sprint(err) != want {
		t.Errorf("%v, want %s", err, want)
	}
}

// TestStandardOutput runs this test binary with its standard output in a file:
// what was there before and after must stay around what is written.
func TestStandardOutput(t *testing.T) {
	if os.Getenv("ATOMICFILE_STDOUT") != "" {
		os.Stdout.WriteString("before ")
		if err := Write("/dev/stdout", content("between")); err != nil {
			t.Fatal(err)
		}
		os.Stdout.WriteString(" after\n")
		return
	}
	if _, err := os.Stat("/dev/stdout"); err != nil {
		t.Skip(err)
	}
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	cmd := exec.Command(os.Args[0], "-test.run=^TestStandardOutput$")
	cmd.Env = append(os.Environ(), "ATOMICFILE_STDOUT=1")
	cmd.Stdout = out
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(out.Name())
	if err != nil || !strings.HasPrefix(string(b), "before between after\n") {
		t.Errorf("the file holds %q, %v", b, err)
	}
}
