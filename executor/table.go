package executor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"occlude/internal/imageio"
	"occlude/internal/tables"
	"occlude/planner"
)

// Takes implements planner.Tables.
func (s *Session) Takes(ctx context.Context, table string) error {
	return tables.Takes(ctx, s.Store, table)
}

// Begun implements planner.Tables.
func (s *Session) Begun(ctx context.Context, p *planner.Occlude) (*planner.Choice, error) {
	query, err := identity(p)
	if err != nil {
		return nil, err
	}
	plan, err := tables.Begun(ctx, s.Store, p.Table, query)
	if err != nil || plan == "" {
		return nil, err
	}
	return planner.ParseChoice(plan)
}

// sink puts the heat maps of a query into its table.
type sink struct {
	*tables.Table
	plan  *planner.Occlude
	query string // its hash
}

// openTable makes a query's table ready. What keeps it from being written is found now,
// before any work.
func (s *Session) openTable(ctx context.Context, p *planner.Occlude) (*sink, error) {
	t, err := tables.Open(ctx, s.Store, p.Table)
	if err != nil {
		return nil, err
	}
	query, err := identity(p)
	if err != nil {
		return nil, err
	}
	if p.Goals.Within == 0 && p.Departs == "" { // else no two maps need be of one plan
		begun, err := t.Begin(ctx, query, p.Choice().String())
		if err != nil {
			return nil, err
		}
		if c, err := planner.ParseChoice(begun); err != nil || !c.Same(p.Choice()) {
			return nil, fmt.Errorf("the table %q: %w", t.Name, ErrBegun)
		}
	}
	return &sink{t, p, query}, nil
}

// ErrBegun is that another process has begun to fill a table while a query was
// planned, and in another way. Planned again, the query follows it.
var ErrBegun = errors.New("another process has just begun to fill it by another plan; run the statement again")

func (f *sink) key(image string) (tables.Key, error) {
	path, err := filepath.Abs(image)
	return tables.Key{Path: path, Query: f.query}, err
}

// has tells whether the table has the heat map of an image as the file is now, and
// whether what else is to be written of it is there as well.
func (f *sink) has(ctx context.Context, file *imageio.File) (bool, error) {
	key, err := f.key(file.Path)
	if err != nil {
		return false, err
	}
	kept, err := f.Find(ctx, key)
	if err != nil || kept == nil || kept.ImageHash != hashBytes(file.Data) {
		return false, err
	}
	for _, o := range f.plan.Outputs {
		if _, err := os.Stat(o.For(file.Path)); err != nil {
			return false, nil
		}
	}
	return true, nil
}

// put keeps a heat map and says how many rows that added.
func (f *sink) put(ctx context.Context, h *HeatMap, file *imageio.File) (rows int, err error) {
	key, err := f.key(h.Image)
	if err != nil {
		return 0, err
	}
	p := h.Plan
	m := &tables.Map{
		Key: key, Image: h.Image, ImageHash: hashBytes(file.Data), Model: p.Model.Name, ModelHash: p.Model.Hash,
		Text: p.Query(h.Image), Plan: p.Choice().String(), Classes: len(h.Classes), Positions: len(p.Grid.Positions),
		Width: p.Grid.Width, Height: p.Grid.Height, Resize: p.Model.Spec.Resize.String(),
		PatchW: p.Grid.PatchW, PatchH: p.Grid.PatchH, Seconds: h.Actual.Run,
		Rows: h.Relation().Rows, Array: h.Array(),
	}
	if !p.Grid.Listed {
		m.X, m.Y = p.Grid.X, p.Grid.Y
	}
	if kept, err := f.Put(ctx, m); err != nil || !kept {
		return 0, err
	}
	return len(m.Rows), nil
}

// failed keeps what is wrong with an image.
func (f *sink) failed(ctx context.Context, image string, failure error) error {
	key, err := f.key(image)
	if err != nil {
		return err
	}
	return f.Fail(ctx, key, image, f.plan.Query(image), failure)
}

// IntoTable is the answer to an OCCLUDE INTO TABLE.
type IntoTable struct {
	Table    string
	Images   int
	Computed int
	Skipped  int // that the table had already
	Failed   int
	Rows     int // that were added
	Seconds  float64
}

func (*IntoTable) result() {}

// Relation is one row that counts the images.
func (f *IntoTable) Relation() *Relation {
	return &Relation{
		Columns: []string{"table", "images", "computed", "skipped", "failed", "rows", "seconds"},
		Rows:    [][]any{{f.Table, f.Images, f.Computed, f.Skipped, f.Failed, f.Rows, f.Seconds}},
	}
}

// unusable is an error that is one image's own: others are not touched by it.
type unusable struct{ error }

func (u unusable) Unwrap() error { return u.error }

// isUnusable tells errors of one image from those that end a query.
func isUnusable(err error) bool { return errors.As(err, &unusable{}) }

// nothingUsed is the error where no image could be used.
func nothingUsed(images int, first error) error {
	if images == 1 {
		return first
	}
	return fmt.Errorf("none of %d images could be used; the first: %w", images, first)
}
