package history_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"occlude/repl/history"
)

// entries reads a history anew.
func entries(t *testing.T, path string) []string {
	t.Helper()
	all, err := history.Open(path).Entries()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func add(t *testing.T, f *history.File, all ...string) {
	t.Helper()
	for _, x := range all {
		if err := f.Add(x); err != nil {
			t.Fatal(err)
		}
	}
}

// What was added comes back whole and in order, from whomever it is.
func TestEntries(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data", "history")
	one, other := history.Open(path), history.Open(path)
	if all, err := one.Entries(); err != nil || len(all) > 0 {
		t.Fatal(all, err)
	}
	statement := "OCCLUDE 'a\\b.png' -- \"é\" <\n\tUSING m;"
	add(t, one, "SHOW MODELS;", "  "+statement+"\n", statement, "", " \n")
	add(t, other, statement, "SHOW ALL;")
	add(t, one, statement, strings.Repeat("x", 1<<17), "bad \xff utf")
	want := []string{"SHOW MODELS;", statement, "SHOW ALL;", statement, "bad \uFFFD utf"}
	for _, f := range []*history.File{one, other, history.Open(path)} {
		for range 2 { // read, and known
			if got, err := f.Entries(); err != nil || !slices.Equal(got, want) {
				t.Errorf("%q, %v", got, err)
			}
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("others may read it: %v, %v", info.Mode(), err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if got, err := one.Entries(); err != nil || len(got) > 0 {
		t.Errorf("%q, %v", got, err)
	}
	none := history.Open("")
	add(t, none, "SHOW ALL;")
	if got, err := none.Entries(); err != nil || len(got) > 0 {
		t.Errorf("%q, %v", got, err)
	}
}

// Lines that are no entries, and one that was cut off, are passed over.
func TestDamage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history")
	if err := os.WriteFile(path, []byte("\"a\"\n\n12\nnonsense\n\x00\n\"b\"\n\"cut o"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := entries(t, path); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("%q", got)
	}
	add(t, history.Open(path), "b", "c")
	if got := entries(t, path); !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("%q", got)
	}
}

// The file keeps the newest entries, within bounds of their number and size.
func TestBounds(t *testing.T) {
	for _, c := range []struct{ count, size int }{{3000, 1}, {50, 60_000}} {
		path := filepath.Join(t.TempDir(), "history")
		f := history.Open(path)
		for i := range c.count {
			add(t, f, fmt.Sprintf("%s %d", strings.Repeat("x", c.size), i))
		}
		got := entries(t, path)
		if len(got) > 2000 || len(got) < 10 {
			t.Errorf("%d entries", len(got))
		}
		for i, x := range got {
			if !strings.HasSuffix(x, fmt.Sprintf(" %d", c.count-len(got)+i)) {
				t.Fatalf("%s is entry %d of %d", x[len(x)-5:], i, len(got))
			}
		}
		if info, err := os.Stat(path); err != nil || info.Size() > 1<<20 {
			t.Errorf("%v, %v", info, err)
		}
		if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*")); len(left) != 1 {
			t.Errorf("%q are there", left)
		}
	}
}

// What cannot be a history is an error that names it, at once.
func TestUnusable(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, filepath.Join(file, "history"), "/dev/null"} {
		f := history.Open(path)
		if err := f.Add("SHOW ALL;"); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", path, err)
		}
		if _, err := f.Entries(); err == nil {
			t.Errorf("%s is read", path)
		}
	}
}

// writer is set in the processes that TestProcesses starts.
const writer = "OCCLUDE_TEST_HISTORY"

// Several processes add at the same time, while the file is made smaller again and
// again, and one of them is killed: no entry is torn, none of the last is lost.
func TestProcesses(t *testing.T) {
	const each, processes = 600, 4
	if path := os.Getenv(writer); path != "" {
		f := history.Open(path)
		for i := range each {
			add(t, f, fmt.Sprintf("process %d\nentry %d", os.Getpid(), i))
			time.Sleep(time.Millisecond) // nobody types faster
			if i == 20 {
				fmt.Println("ready")
			}
		}
		return
	}
	path := filepath.Join(t.TempDir(), "history")
	start := func() (*exec.Cmd, *bufio.Scanner) {
		c := exec.Command(os.Args[0], "-test.run=^TestProcesses$")
		c.Env, c.Stderr = append(os.Environ(), writer+"="+path), os.Stderr
		out, err := c.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		return c, bufio.NewScanner(out)
	}
	var running []*exec.Cmd
	killed, out := start()
	for range processes {
		c, _ := start()
		running = append(running, c)
	}
	if !out.Scan() || out.Text() != "ready" {
		t.Fatal("it does not begin")
	}
	_ = killed.Process.Kill()
	_ = killed.Wait()
	next := map[int]int{}
	for _, c := range running {
		if err := c.Wait(); err != nil {
			t.Fatal(err)
		}
		next[c.Process.Pid] = -1
	}
	for _, x := range entries(t, path) {
		var process, entry int
		if _, err := fmt.Sscanf(x, "process %d\nentry %d", &process, &entry); err != nil {
			t.Fatalf("%q", x)
		}
		if last, ok := next[process]; ok && last >= 0 && entry != last+1 {
			t.Errorf("process %d: entry %d follows %d", process, entry, last)
		}
		next[process] = entry
	}
	for _, c := range running {
		if next[c.Process.Pid] != each-1 {
			t.Errorf("process %d: entry %d is the last, of %d", c.Process.Pid, next[c.Process.Pid], each)
		}
	}
}
