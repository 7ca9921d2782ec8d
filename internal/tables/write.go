package tables

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"gorgonia.org/tensor"

	"occlude/internal/atomicfile"
	"occlude/internal/npy"
	"occlude/internal/store"
)

// Table is a table that takes heat maps.
type Table struct {
	Name  string // as it was created
	store *store.Store
}

// Key is what a heat map is found by in a table.
type Key struct {
	Path  string // of the image, from the root
	Query string // hash
}

// Map is a heat map as it is kept.
type Map struct {
	Key
	Image            string // as the query named it
	ImageHash        string
	Model, ModelHash string
	Text             string // of the query, for this image alone
	Plan             string // JSON
	Classes          int
	Positions        int    // of each class
	Width, Height    int    // of the model's input
	Resize           string // how an image becomes so large
	PatchW, PatchH   int
	X, Y             []int // edges of the grid's columns and rows; nil for a list
	Seconds          float64

	// Rows are those of the relation, Classes x Positions, without the map's number.
	Rows [][]any
	// Array is what goes beside them.
	Array *tensor.Dense
}

// Open makes a table ready to take heat maps, and creates it where there is none. It
// fails where nothing can be written.
func Open(ctx context.Context, s *store.Store, name string) (*Table, error) {
	if err := Check(name); err != nil {
		return nil, err
	}
	t := &Table{Name: name, store: s}
	var refused error
	var orphans []string
	err := s.Write(ctx, func(tx *sql.Tx) (err error) {
		found := ""
		if found, refused, err = find(ctx, tx, name); err != nil || refused != nil {
			return err
		}
		if found != "" {
			t.Name = found
			return nil
		}
		if _, err := tx.ExecContext(ctx, create(name)); err != nil {
			return err
		}
		orphans, err = Forget(ctx, tx, name) // of one that was dropped
		return err
	})
	if err == nil {
		err = refused
	}
	if err != nil {
		return nil, err
	}
	RemoveArrays(s, orphans)
	return t, t.probe()
}

// Forget takes away all that is known of a table's maps, and lists their arrays.
func Forget(ctx context.Context, tx *sql.Tx, name string) (arrays []string, err error) {
	rows, err := tx.QueryContext(ctx, `DELETE FROM occlude_map WHERE tbl = ? RETURNING array`, name)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var a string
		if err := rows.Scan(&a); err != nil {
			return nil, err
		}
		arrays = append(arrays, a)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	for _, of := range []string{"occlude_failure", "occlude_begun"} {
		if _, err := tx.ExecContext(ctx, "DELETE FROM "+of+" WHERE tbl = ?", name); err != nil {
			return nil, err
		}
	}
	return arrays, nil
}

// probe makes sure that arrays can be written, and takes away what is left of arrays whose
// writers were killed.
func (t *Table) probe() error {
	dir := ArrayPath(t.store, folder(t.Name))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("arrays of the table %q: %w", t.Name, err)
	}
	atomicfile.Sweep(dir)
	f, err := os.CreateTemp(dir, ".occlude-*")
	if err != nil {
		return fmt.Errorf("arrays of the table %q: %w", t.Name, err)
	}
	f.Close()
	return os.Remove(f.Name())
}

// Put keeps a heat map, in place of the one that the table has for its key. If that
// is of the same image it is left as it is, and kept is false.
func (t *Table) Put(ctx context.Context, m *Map) (kept bool, err error) {
	array, replaced := t.array(m), ""
	var unwritten error // of the array, which is no fault of the database
	write := func(w io.Writer) error { return npy.Write(w, m.Array) }
	err = t.write(ctx, func(tx *sql.Tx) error {
		old, err := t.find(ctx, tx, m.Key)
		if err != nil {
			return err
		}
		if kept = old == nil || old.ImageHash != m.ImageHash; !kept {
			return nil
		}
		// In the transaction, lest another process's array come to stand beside these rows.
		if unwritten = atomicfile.Write(ArrayPath(t.store, array), write); unwritten != nil {
			return unwritten
		}
		if replaced, err = t.remove(ctx, tx, m.Key); err != nil {
			return err
		}
		id, err := t.insert(ctx, tx, m, array)
		if err != nil {
			return err
		}
		return t.insertRows(ctx, tx, id, m.Rows)
	})
	if unwritten != nil {
		err = unwritten
	}
	if err != nil {
		return false, err
	}
	if replaced != "" && replaced != array {
		RemoveArrays(t.store, []string{replaced})
	}
	return kept, nil
}

// turns is how often a process waits for its turn to write. Hours of work are not to end
// because somebody else writes for some seconds.
const turns = 12

// write runs a function in a transaction.
func (t *Table) write(ctx context.Context, do func(*sql.Tx) error) (err error) {
	for range turns {
		if err = t.store.Write(ctx, do); !errors.Is(err, store.ErrBusy) {
			break
		}
	}
	return err
}

// array names the file of a map, from the database's folder. The name says which
// image's it is, and by the hash no two maps share one.
func (t *Table) array(m *Map) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{m.Path, m.Query, m.ImageHash}, "\x00")))
	stem := filepath.Base(m.Image)
	stem = strings.TrimSuffix(stem, filepath.Ext(stem))
	const longest = 60 // characters; file systems take 255 bytes
	if r := []rune(stem); len(r) > longest {
		stem = string(r[:longest])
	}
	return path.Join(filepath.ToSlash(folder(t.Name)), stem+"-"+hex.EncodeToString(sum[:8])+".npy")
}

// remove takes a map out of the table, if it is there, and says what its array is.
func (t *Table) remove(ctx context.Context, tx *sql.Tx, k Key) (array string, err error) {
	var id int64
	row := tx.QueryRowContext(ctx, `DELETE FROM occlude_map WHERE tbl = ? AND path = ? AND query_hash = ? RETURNING id, array`, t.Name, k.Path, k.Query)
	if err := row.Scan(&id, &array); err != nil && err != sql.ErrNoRows {
		return "", err
	}
	if id > 0 {
		if _, err := tx.ExecContext(ctx, `DELETE FROM `+Quote(t.Name)+` WHERE map = ?`, id); err != nil {
			return "", err
		}
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM occlude_failure WHERE tbl = ? AND path = ? AND query_hash = ?`, t.Name, k.Path, k.Query)
	return array, err
}

func (t *Table) insert(ctx context.Context, tx *sql.Tx, m *Map, array string) (id int64, err error) {
	x, err := edges(m.X)
	if err != nil {
		return 0, err
	}
	y, err := edges(m.Y)
	if err != nil {
		return 0, err
	}
	r, err := tx.ExecContext(ctx, `INSERT INTO occlude_map (tbl, image, path, image_hash, model, model_hash, query, query_hash,
			plan, array, classes, positions, width, height, resize, patch_w, patch_h, grid_x, grid_y, seconds, finished)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		t.Name, m.Image, m.Path, m.ImageHash, m.Model, m.ModelHash, m.Text, m.Query,
		m.Plan, array, m.Classes, m.Positions, m.Width, m.Height, m.Resize, m.PatchW, m.PatchH, x, y, m.Seconds, now())
	if err != nil {
		return 0, err
	}
	return r.LastInsertId()
}

// edges are kept as JSON, none as null.
func edges(list []int) (any, error) {
	if list == nil {
		return nil, nil
	}
	text, err := json.Marshal(list)
	return string(text), err
}

// now is the time as the database keeps it.
func now() string { return store.FormatTime(time.Now()) }

func (t *Table) insertRows(ctx context.Context, tx *sql.Tx, id int64, rows [][]any) error {
	insert, err := tx.PrepareContext(ctx, `INSERT INTO `+Quote(t.Name)+
		` VALUES (`+strings.Repeat("?, ", len(columns)-1)+`?)`)
	if err != nil {
		return err
	}
	defer insert.Close()
	values := make([]any, len(columns))
	for n, row := range rows {
		if n%1000 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		copy(values, row)
		for i, v := range row {
			if f, ok := v.(float32); ok {
				values[i] = Number(f)
			}
		}
		values[len(row)] = id
		// Without the context: for each row SQLite would start somebody to watch it.
		if _, err := insert.Exec(values...); err != nil {
			return err
		}
	}
	return nil
}

// Number is the float64 that is written with the same digits as a float32, so that a
// table shows what a .csv does. It becomes the same float32 again.
func Number(f float32) float64 {
	d, _ := strconv.ParseFloat(strconv.FormatFloat(float64(f), 'g', -1, 32), 64)
	return d
}

// Fail keeps what went wrong with an image until there is a map of it.
func (t *Table) Fail(ctx context.Context, k Key, image, query string, failure error) error {
	return t.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO occlude_failure (tbl, image, path, query, query_hash, error, failed)
			VALUES (?, ?, ?, ?, ?, ?, ?)`, t.Name, image, k.Path, query, k.Query, failure.Error(), now())
		return err
	})
}
