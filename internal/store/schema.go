package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// applicationID marks a SQLite file as ours: "OCCL" in its header.
const applicationID = 0x4f43434c

// steps lead from an empty file to the present layout. Step i makes layout i+1 of
// layout i; its number and its text never change once it was released.
var steps = []string{
	// Times are UTC, as 2006-01-02T15:04:05.000Z. WITHOUT ROWID: the rows are
	// few and found by their keys.
	`CREATE TABLE occlude_calibration (
		cpu      TEXT    NOT NULL, -- the processor's name
		cores    INTEGER NOT NULL,
		kernels  TEXT    NOT NULL, -- the set of kernels
		model    TEXT    NOT NULL, -- content hash of the model's file
		profile  TEXT    NOT NULL, -- JSON; the planner knows what it means
		measured TEXT    NOT NULL,
		PRIMARY KEY (cpu, cores, kernels, model)
	) STRICT, WITHOUT ROWID;

	CREATE TABLE occlude_curve (
		model         TEXT    NOT NULL, -- content hash of the model's file
		input         TEXT    NOT NULL, -- its preprocessing, and what its output is
		patch_w       INTEGER NOT NULL, -- pixels
		patch_h       INTEGER NOT NULL,
		stride_w      INTEGER NOT NULL,
		stride_h      INTEGER NOT NULL,
		fill          TEXT    NOT NULL, -- as the language writes it
		metric        TEXT    NOT NULL, -- ssim, ssim_krypton
		points        TEXT    NOT NULL, -- JSON: [{"tau": 1, "mean": 1, "worst": 1, "speedup": 1}, ...]
		c0            REAL    NOT NULL, -- the fit: c0 + c1 tau + c2 tau^2
		c1            REAL    NOT NULL,
		c2            REAL    NOT NULL,
		residual      REAL    NOT NULL, -- of the means, root of the mean square
		sample_files  TEXT    NOT NULL, -- the pattern that the images were drawn from
		sample_seed   INTEGER NOT NULL,
		sample_images TEXT    NOT NULL, -- JSON: the files drawn
		measured      TEXT    NOT NULL,
		PRIMARY KEY (model, input, patch_w, patch_h, stride_w, stride_h, fill, metric)
	) STRICT, WITHOUT ROWID;`,

	// The heat maps of INTO TABLE, see package tables. The numbers are never used
	// again: what people kept of them must not come to mean another map.
	`CREATE TABLE occlude_map (
		id         INTEGER PRIMARY KEY AUTOINCREMENT, -- column map of the table
		tbl        TEXT    NOT NULL COLLATE NOCASE,   -- the table that has its rows
		image      TEXT    NOT NULL, -- as the query named it
		path       TEXT    NOT NULL, -- the same from the root
		image_hash TEXT    NOT NULL, -- SHA-256 of the file
		model      TEXT    NOT NULL,
		model_hash TEXT    NOT NULL, -- SHA-256 of the file
		query      TEXT    NOT NULL, -- of this image alone, without what is written
		query_hash TEXT    NOT NULL, -- of everything that decides the rows, beside the image
		plan       TEXT    NOT NULL, -- JSON: how it was computed
		array      TEXT    NOT NULL, -- the .npy file, from the database's folder
		classes    INTEGER NOT NULL,
		positions  INTEGER NOT NULL, -- of each class
		width      INTEGER NOT NULL, -- of the model's input, in pixels
		height     INTEGER NOT NULL,
		resize     TEXT    NOT NULL, -- how an image becomes so large: squash, crop, letterbox
		patch_w    INTEGER NOT NULL,
		patch_h    INTEGER NOT NULL,
		grid_x     TEXT,             -- JSON: the left edges of the grid's columns; null for AT
		grid_y     TEXT,             -- and the top edges of its rows
		seconds    REAL    NOT NULL, -- that it took
		finished   TEXT    NOT NULL,
		UNIQUE (tbl, path, query_hash)
	) STRICT;

	CREATE TABLE occlude_failure (
		tbl        TEXT NOT NULL COLLATE NOCASE,
		image      TEXT NOT NULL,
		path       TEXT NOT NULL,
		query      TEXT NOT NULL,
		query_hash TEXT NOT NULL,
		error      TEXT NOT NULL,
		failed     TEXT NOT NULL,
		PRIMARY KEY (tbl, path, query_hash)
	) STRICT, WITHOUT ROWID;`,

	// How the heat maps of a query are computed: what the first to put any into the
	// table has chosen.
	`CREATE TABLE occlude_begun (
		tbl        TEXT NOT NULL COLLATE NOCASE,
		query_hash TEXT NOT NULL,
		plan       TEXT NOT NULL, -- JSON
		PRIMARY KEY (tbl, query_hash)
	) STRICT, WITHOUT ROWID;`,
}

// querier is a database or a transaction.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// layout returns the number of the file's layout: 0 if the file is empty.
func layout(ctx context.Context, q querier) (int, error) {
	var id, version, objects int
	row := q.QueryRowContext(ctx, `SELECT a.application_id, v.user_version, (SELECT count(*) FROM sqlite_schema)
		FROM pragma_application_id AS a, pragma_user_version AS v`)
	if err := row.Scan(&id, &version, &objects); err != nil {
		return 0, err
	}
	switch {
	case id == 0 && version == 0 && objects == 0:
		return 0, nil
	case id != applicationID:
		return 0, ErrForeign
	case version < 1:
		return 0, fmt.Errorf("%w: layout %d", ErrDamaged, version)
	}
	return version, nil
}

// migrate takes the steps that are missing, all or none. Another process may be
// about to do the same.
func (s *Store) migrate(ctx context.Context) error {
	if err := s.writeAhead(ctx); err != nil {
		return err
	}
	tx, err := s.db.BeginTx(ctx, nil) // takes the write lock at once: see address
	if err != nil {
		return err
	}
	defer tx.Rollback()
	at, err := layout(ctx, tx)
	if err != nil {
		return err
	}
	if at >= len(s.steps) {
		return nil // the other was faster
	}
	for i, step := range s.steps[at:] {
		if _, err := tx.ExecContext(ctx, step); err != nil {
			return fmt.Errorf("making layout %d: %w", at+i+1, err)
		}
	}
	head := fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d", applicationID, len(s.steps))
	if _, err := tx.ExecContext(ctx, head); err != nil {
		return err
	}
	return tx.Commit()
}

// writeAhead turns on write-ahead mode, which the file then keeps. While others
// open the new file too, SQLite may refuse this without waiting for them. Where
// the file system cannot do it, the file stays in its slower, as safe mode.
func (s *Store) writeAhead(ctx context.Context) error {
	for deadline := time.Now().Add(s.patience); ; {
		var mode string
		err := s.db.QueryRowContext(ctx, "PRAGMA journal_mode = wal").Scan(&mode)
		if !isBusy(err) || time.Now().After(deadline) {
			return err
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
