//go:build unix

package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The tests of this file run the test binary again, as other processes. The
// environment tells them what to do, with which file.
const (
	roleVariable = "OCCLUDE_STORE_TEST_ROLE"
	pathVariable = "OCCLUDE_STORE_TEST_PATH"
)

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		if err := roles[role](os.Getenv(pathVariable)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

var roles = map[string]func(path string) error{
	"write forever": writeForever,
	"write some":    func(path string) error { return writeSome(path, 25) },
	"read only":     readOnlyRole,
	"limited":       limited,
}

// process prepares another process with a role.
func process(t testing.TB, role, path string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	must(t, err)
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), roleVariable+"="+role, pathVariable+"="+path)
	return cmd
}

// numbered is the calibration that a process stores as its nth.
func numbered(pid, n int) Calibration {
	return Calibration{Machine{fmt.Sprint("process ", pid), 1, fmt.Sprint(n)}, "c0ffee", []byte(strconv.Itoa(n)), noon}
}

// writeForever says each number that is stored.
func writeForever(path string) error {
	s := Open(path)
	for n := 0; ; n++ {
		if err := s.Put(context.Background(), []Calibration{numbered(os.Getpid(), n)}, nil); err != nil {
			return err
		}
		fmt.Println(n)
	}
}

// writeSome opens the file again for each number, as short-lived processes would.
func writeSome(path string, count int) error {
	for n := range count {
		s := Open(path)
		s.patience = time.Minute // machines may be slow
		if err := s.Put(context.Background(), []Calibration{numbered(os.Getpid(), n)}, nil); err != nil {
			return err
		}
		if err := s.Close(); err != nil {
			return err
		}
	}
	return nil
}

// stored demands that the first count numbers of a process are there.
func stored(t testing.TB, s *Store, pid, count int) {
	t.Helper()
	for n := range count {
		want := numbered(pid, n)
		if c, ok, err := s.Calibration(t.Context(), want.Machine, want.Model); err != nil || !ok || string(c.Profile) != string(want.Profile) {
			t.Fatalf("number %d of %d: %v, %v, %v", n, count, c, ok, err)
		}
	}
}

// TestProcesses: several make the file at once, and lose nothing.
func TestProcesses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", fileName)
	var others []*exec.Cmd
	for range 5 {
		cmd := process(t, "write some", path)
		cmd.Stderr = os.Stderr
		must(t, cmd.Start())
		others = append(others, cmd)
	}
	s := open(t, path)
	for _, cmd := range others {
		// This process reads while they write.
		if _, _, err := s.Curve(t.Context(), key); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Fatal(err)
		}
		stored(t, s, cmd.Process.Pid, 25)
	}
	sound(t, s)
}

// sound lets SQLite check the whole file.
func sound(t testing.TB, s *Store) {
	t.Helper()
	var verdict string
	if err := s.db.QueryRow("PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
		t.Errorf("the file is not sound: %s, %v", verdict, err)
	}
}

// TestKilled kills processes that write, at any moment: what they said to have
// stored is there, and the file is sound.
func TestKilled(t *testing.T) {
	path := file(t)
	for round := range 6 {
		cmd := process(t, "write forever", path)
		out, err := cmd.StdoutPipe()
		must(t, err)
		must(t, cmd.Start())
		said := bufio.NewScanner(out)
		count := 0
		for said.Scan() {
			if count++; count == 1+7*round {
				must(t, cmd.Process.Kill())
			}
		}
		if err := cmd.Wait(); err == nil || count < 1+7*round {
			t.Fatalf("the process ended by itself after %d: %v", count, err)
		}
		s := open(t, path)
		stored(t, s, cmd.Process.Pid, count)
		sound(t, s)
		fill(t, s)
		holds(t, s)
		must(t, s.Close())
	}
}

// TestReadOnly runs as an ordinary user, to whom permissions matter.
func TestReadOnly(t *testing.T) {
	folder, err := os.MkdirTemp("", "occlude-store-")
	must(t, err)
	t.Cleanup(func() {
		filepath.WalkDir(folder, func(path string, d fs.DirEntry, _ error) error {
			if d.IsDir() {
				return os.Chmod(path, 0o700)
			}
			return nil
		})
		os.RemoveAll(folder)
	})
	must(t, os.Chmod(folder, 0o755)) // of any user
	path := filepath.Join(folder, "data", fileName)
	s := open(t, path)
	fill(t, s)
	must(t, s.Close())
	secret := filepath.Join(folder, "data", "secret.db")
	must(t, os.WriteFile(secret, nil, 0o600))
	must(t, os.Chmod(secret, 0o000))
	must(t, os.Chmod(path, 0o444))
	must(t, os.Chmod(filepath.Dir(path), 0o555))
	asUser(t, process(t, "read only", path))
}

// TestNoRoom runs where files may not grow as large as SQLite needs one beside the
// database, which it tells as it does a full disk.
func TestNoRoom(t *testing.T) {
	if out, err := process(t, "limited", file(t)).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func limited(path string) error {
	limit := syscall.Rlimit{Cur: 8 << 10, Max: 8 << 10}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	err := Open(path).Put(context.Background(), []Calibration{rates}, nil)
	if !errors.Is(err, ErrDisk) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "; see whether the disk is full") {
		return fmt.Errorf("writing: %w", err)
	}
	return nil
}

// asUser runs a process, as nobody if this one is root's.
func asUser(t testing.TB, cmd *exec.Cmd) {
	t.Helper()
	if os.Geteuid() == 0 {
		const nobody = 65534
		cmd.Path = "/proc/self/exe" // nobody may not look into the folder where the binary is
		cmd.Dir = "/"
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	out, err := cmd.CombinedOutput()
	if os.Geteuid() == 0 && (errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist)) {
		t.Skipf("this root may not become nobody: %v", err)
	}
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// readOnlyRole checks a store that may be read and not written.
func readOnlyRole(path string) error {
	ctx := context.Background()
	s := Open(path)
	if c, ok, err := s.Calibration(ctx, machine, key.Model); err != nil || !ok || string(c.Profile) != string(rates.Profile) {
		return fmt.Errorf("reading: %v, %v, %w", c, ok, err)
	}
	if all, err := s.Curves(ctx, key.Model); err != nil || len(all) != 1 {
		return fmt.Errorf("listing: %v, %w", all, err)
	}
	complains := func(what string, err error, path string) error {
		if !errors.Is(err, ErrPermission) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "OCCLUDE_DATA") {
			return fmt.Errorf("%s: %w", what, err)
		}
		return nil
	}
	// Reading must go on after writing was refused.
	for range 2 {
		if err := complains("writing", s.Put(ctx, []Calibration{rates}, nil), path); err != nil {
			return err
		}
		if _, ok, err := s.Curve(ctx, key); err != nil || !ok {
			return fmt.Errorf("reading again: %v, %w", ok, err)
		}
	}
	if err := s.Close(); err != nil {
		return err
	}
	older := Open(path)
	older.steps = append(slices.Clone(steps), second)
	if _, _, err := older.Calibration(ctx, machine, key.Model); !strings.Contains(fmt.Sprint(err), fmt.Sprintf("layout %d to %d", len(steps), len(steps)+1)) {
		return fmt.Errorf("reading an older layout: %w", err)
	}
	secret := filepath.Join(filepath.Dir(path), "secret.db")
	if _, _, err := Open(secret).Calibration(ctx, machine, key.Model); complains("", err, secret) != nil {
		return fmt.Errorf("reading what may not be read: %w", err)
	}
	below := filepath.Join(filepath.Dir(path), "sub", fileName)
	if _, ok, err := Open(below).Calibration(ctx, machine, key.Model); ok || err != nil {
		return fmt.Errorf("reading where nothing is: %v, %w", ok, err)
	}
	return complains("making a folder", Open(below).Put(ctx, []Calibration{rates}, nil), below)
}
