package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"occlude/internal/store"
	"occlude/internal/tables"
)

// filler makes processes that put the heat maps of the example's images into tables.
type filler struct {
	t      *testing.T
	data   string // folder of the database
	stride int
}

func newFiller(t *testing.T) *filler { return &filler{t, t.TempDir(), 12} }

// process prepares one.
func (f *filler) process(table string) (c *exec.Cmd, out *bytes.Buffer) {
	f.t.Helper()
	examples, err := filepath.Abs("examples")
	if err != nil {
		f.t.Fatal(err)
	}
	c = exec.Command("occlude", "--format=json", "-c", "CREATE MODEL m FROM 'models/chest.onnx';"+
		fmt.Sprintf("OCCLUDE 'images/*.png' USING m FOR TOP 2 STRIDE %d INTO TABLE %s", f.stride, table))
	out = new(bytes.Buffer)
	c.Dir, c.Env, c.Stdout, c.Stderr = examples, append(os.Environ(), "OCCLUDE_DATA="+f.data), out, os.Stderr
	return c, out
}

// start starts a process.
func (f *filler) start(table string) (c *exec.Cmd, out *bytes.Buffer) {
	f.t.Helper()
	c, out = f.process(table)
	if err := c.Start(); err != nil {
		f.t.Fatal(err)
	}
	return c, out
}

// added is what a process says that it did.
type added struct{ Images, Computed, Skipped, Failed, Rows int }

func (f *filler) ends(c *exec.Cmd, out *bytes.Buffer) added {
	f.t.Helper()
	if err := c.Wait(); err != nil {
		f.t.Fatal(err)
	}
	var all []added
	if err := json.Unmarshal(out.Bytes(), &all); err != nil || len(all) != 1 {
		f.t.Fatalf("%v: %s", err, out)
	}
	return all[0]
}

// arrays are the files beside a table.
func (f *filler) arrays(table string) []string {
	f.t.Helper()
	files, err := filepath.Glob(filepath.Join(f.data, "arrays", table, "*.npy"))
	if err != nil {
		f.t.Fatal(err)
	}
	return files
}

// content is a table's rows and arrays, without what may differ from run to run.
func (f *filler) content(table string) (rows []string, arrays map[string]string) {
	f.t.Helper()
	s := store.Open(filepath.Join(f.data, "occlude.db"))
	defer s.Close()
	arrays = map[string]string{}
	_, err := s.Read(context.Background(), func(db *sql.DB) error {
		var verdict string
		if err := db.QueryRow("PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
			return fmt.Errorf("the file is not sound: %s, %w", verdict, err)
		}
		columns := tables.Columns()
		names := table + "." + strings.Join(columns[:len(columns)-1], ", "+table+".")
		found, err := db.Query("SELECT json_array(" + names + ", array) FROM " + table + " JOIN occlude_map ON id = map AND tbl = '" + table + "' ORDER BY " + names)
		if err != nil {
			return err
		}
		defer found.Close()
		for found.Next() {
			var row string
			if err := found.Scan(&row); err != nil {
				return err
			}
			rows = append(rows, strings.ReplaceAll(row, "arrays/"+table, "arrays"))
		}
		return found.Err()
	})
	if err != nil {
		f.t.Fatal(err)
	}
	for _, path := range f.arrays(table) {
		data, err := os.ReadFile(path)
		if err != nil {
			f.t.Fatal(err)
		}
		arrays[filepath.Base(path)] = string(data)
	}
	return rows, arrays
}

// same demands that a table is that of an uninterrupted run.
func (f *filler) same(table string, rows []string, arrays map[string]string) {
	f.t.Helper()
	gotRows, gotArrays := f.content(table)
	if !slices.Equal(gotRows, rows) {
		f.t.Errorf("%s: %d rows are not the %d of an uninterrupted run", table, len(gotRows), len(rows))
	}
	if len(gotArrays) != len(arrays) {
		f.t.Errorf("%s: %d arrays, want %d", table, len(gotArrays), len(arrays))
	}
	for name, data := range arrays {
		if gotArrays[name] != data {
			f.t.Errorf("%s: the array %s is another", table, name)
		}
	}
}

// uninterrupted is what a table should be.
func (f *filler) uninterrupted() (rows []string, arrays map[string]string) {
	t := f.t
	t.Helper()
	// In the same database: there is what was measured of the machine, which decides
	// how heat maps are computed.
	if got := f.ends(f.start("reference")); got.Computed != 8 || got.Rows != 8*2*19*19 {
		t.Fatalf("%+v", got)
	}
	rows, arrays = f.content("reference")
	if len(rows) != 8*2*19*19 || len(arrays) != 8 {
		t.Fatalf("%d rows, %d arrays", len(rows), len(arrays))
	}
	return rows, arrays
}

// A statement that is killed again and again, at any moment, comes to the same end as
// one that is left alone.
func TestKilledWhileFilling(t *testing.T) {
	f := newFiller(t)
	rows, arrays := f.uninterrupted()
	random := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	for killed := 0; ; killed++ {
		c, out := f.start("maps")
		ended := make(chan struct{})
		go func() {
			// Some moment after one more image was computed.
			for n := len(f.arrays("maps")); len(f.arrays("maps")) <= n; time.Sleep(time.Millisecond) {
				select {
				case <-ended:
					return
				default:
				}
			}
			time.Sleep(time.Duration(random.IntN(30)) * time.Millisecond)
			_ = c.Process.Kill()
		}()
		err := c.Wait()
		close(ended)
		if err != nil {
			if code := c.ProcessState.ExitCode(); code != -1 || killed > 100 {
				t.Fatalf("it ends with %d after %d that were killed", code, killed)
			}
			continue
		}
		var last []added
		if err := json.Unmarshal(out.Bytes(), &last); err != nil || len(last) != 1 {
			t.Fatalf("%v: %s", err, out)
		}
		if killed < 3 || last[0].Skipped == 0 || last[0].Skipped+last[0].Computed != 8 {
			t.Fatalf("after %d that were killed: %+v", killed, last[0])
		}
		break
	}
	f.same("maps", rows, arrays)
	if got := f.ends(f.start("maps")); got.Skipped != 8 {
		t.Errorf("%+v", got)
	}
}

// Several at once lose nothing, and nothing is there twice; nobody hears of the others.
// The database is new, so that they make it and measure the machine at once, too.
func TestFillingAtOnce(t *testing.T) {
	f := newFiller(t)
	type running struct {
		*exec.Cmd
		out *bytes.Buffer
	}
	var all []running
	for _, table := range []string{"maps", "maps", "others", "maps"} {
		c, out := f.start(table)
		all = append(all, running{c, out})
	}
	shell, said := f.process("typed")
	text := shell.Args[len(shell.Args)-1]
	shell.Args = []string{"occlude", "repl", "--format=json"}
	shell.Stdin = strings.NewReader(strings.Replace(text, ";", ";\nSHOW TABLES;\nSHOW CALIBRATION;\n", 1) + ";\nSELECT count(*) AS n FROM typed;\n")
	shell.Stderr = said
	if err := shell.Start(); err != nil {
		t.Fatal(err)
	}
	if err := shell.Wait(); err != nil || !strings.Contains(said.String(), `{"n": 5776}`) || strings.Contains(said.String(), "rror") || strings.Contains(said.String(), "warning") {
		t.Errorf("the shell ends with %v: %s", err, said)
	}
	sum := 0
	for _, r := range all {
		got := f.ends(r.Cmd, r.out)
		if got.Images != 8 || got.Computed+got.Skipped != 8 || got.Failed != 0 {
			t.Errorf("%+v", got)
		}
		sum += got.Rows
	}
	rows, arrays := f.uninterrupted()
	f.same("typed", rows, arrays)
	if sum != 2*len(rows) {
		t.Errorf("%d rows were added, want %d", sum, 2*len(rows))
	}
	f.same("maps", rows, arrays)
	f.same("others", rows, arrays)
}

// Ctrl-C ends a statement with status 130 and says how to go on.
func TestInterruptedWhileFilling(t *testing.T) {
	f := newFiller(t)
	f.stride = 4 // which leaves enough to interrupt
	c, out := f.process("maps")
	var errs bytes.Buffer
	c.Stderr = &errs
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	for len(f.arrays("maps")) < 2 {
		time.Sleep(time.Millisecond)
	}
	if err := c.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); c.ProcessState.ExitCode() != 130 || out.Len() > 0 {
		t.Fatalf("%v: %s%s", err, out, &errs)
	}
	var kept, of int
	text := errs.String()
	if i := strings.Index(text, `; the table "maps" has `); i < 0 {
		t.Fatalf("it says %s", text)
	} else if _, err := fmt.Sscanf(text[i:], `; the table "maps" has %d of %d images, and the same statement goes on`, &kept, &of); err != nil || kept < 1 || of != 8 {
		t.Fatalf("%v: it says %s", err, text)
	}
	if got := f.ends(f.start("maps")); got.Skipped != kept || got.Computed != 8-kept {
		t.Errorf("%+v after %s", got, text)
	}
}
