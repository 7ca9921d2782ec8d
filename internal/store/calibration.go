package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Machine is what rates depend on.
type Machine struct {
	CPU     string // the processor's name
	Cores   int    // that the process may use
	Kernels string // the set of kernels
}

// AnyModel stands for a model in a calibration that was measured without one.
const AnyModel = "any model"

// Calibration is how fast a machine was found to be.
type Calibration struct {
	Machine
	Model    string          // content hash of the model that it was measured with
	Profile  json.RawMessage // what was measured, as the planner writes it
	Measured time.Time       // kept to the millisecond
}

// Calibration returns what was last measured on a machine, and whether anything
// was: with a model's own file, where there is nothing of it with any other, and where
// there is none either, with AnyModel.
func (s *Store) Calibration(ctx context.Context, m Machine, model string) (c Calibration, ok bool, err error) {
	err = s.read(ctx, func(db *sql.DB) error {
		var profile, measured string
		row := db.QueryRowContext(ctx, `SELECT model, profile, measured FROM occlude_calibration
			WHERE cpu = ? AND cores = ? AND kernels = ? ORDER BY model = ? DESC, model = ?, measured DESC, model LIMIT 1`,
			m.CPU, m.Cores, m.Kernels, model, AnyModel)
		c.Machine = m
		if err := row.Scan(&c.Model, &profile, &measured); err != nil {
			return err
		}
		if c.Measured, err = parseTime(measured); err != nil {
			return err
		}
		if !json.Valid([]byte(profile)) {
			return fmt.Errorf("%w: the calibration of %q is no JSON", ErrDamaged, m.CPU)
		}
		c.Profile = json.RawMessage(profile)
		return nil
	})
	return found(c, err)
}

// PutUnless keeps a calibration, unless another process has kept one of the same key
// since a time: then it returns that one, so that both go by the same. What a wrong clock
// has dated later than now is no reason.
func (s *Store) PutUnless(ctx context.Context, c Calibration, since time.Time) (kept Calibration, err error) {
	if err := c.check(); err != nil {
		return c, err
	}
	kept = c
	err = s.write(ctx, func(tx *sql.Tx) error {
		var profile, measured string
		row := tx.QueryRowContext(ctx, `SELECT profile, measured FROM occlude_calibration
			WHERE cpu = ? AND cores = ? AND kernels = ? AND model = ? AND measured BETWEEN ? AND ?`,
			c.CPU, c.Cores, c.Kernels, c.Model, FormatTime(since), FormatTime(time.Now()))
		switch err := row.Scan(&profile, &measured); {
		case errors.Is(err, sql.ErrNoRows):
			return putCalibration(ctx, tx, c)
		case err != nil:
			return err
		}
		kept.Profile = json.RawMessage(profile)
		kept.Measured, err = parseTime(measured)
		return err
	})
	return kept, err
}

// Calibrations returns all that was measured: machine by machine, model by model.
func (s *Store) Calibrations(ctx context.Context) (all []Calibration, err error) {
	err = s.read(ctx, func(db *sql.DB) error {
		rows, err := db.QueryContext(ctx, `SELECT cpu, cores, kernels, model, profile, measured FROM occlude_calibration
			ORDER BY cpu, cores, kernels, model = ?, measured DESC, model`, AnyModel)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var c Calibration
			var profile, measured string
			if err := rows.Scan(&c.CPU, &c.Cores, &c.Kernels, &c.Model, &profile, &measured); err != nil {
				return err
			}
			if c.Measured, err = parseTime(measured); err != nil {
				return err
			}
			c.Profile = json.RawMessage(profile)
			all = append(all, c)
		}
		return rows.Err()
	})
	all, _, err = found(all, err)
	return all, err
}

func (c *Calibration) check() error {
	switch {
	case c.CPU == "" || c.Kernels == "" || c.Model == "":
		return fmt.Errorf("a calibration of the processor %q with the kernels %q and the model %q lacks a name", c.CPU, c.Kernels, c.Model)
	case !json.Valid(c.Profile):
		return fmt.Errorf("the calibration of the processor %q is no JSON", c.CPU)
	}
	return nil
}

func putCalibration(ctx context.Context, tx *sql.Tx, c Calibration) error {
	_, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO occlude_calibration (cpu, cores, kernels, model, profile, measured)
		VALUES (?, ?, ?, ?, ?, ?)`, c.CPU, c.Cores, c.Kernels, c.Model, string(c.Profile), FormatTime(c.Measured))
	return err
}

// found tells what is not there from what went wrong.
func found[T any](value T, err error) (T, bool, error) {
	if errors.Is(err, errNothing) || errors.Is(err, sql.ErrNoRows) {
		return value, false, nil
	}
	return value, err == nil, err
}

// timeFormat sorts as text.
const timeFormat = "2006-01-02T15:04:05.000Z"

// FormatTime writes a time as all tables of the database have it.
func FormatTime(t time.Time) string { return t.UTC().Format(timeFormat) }

func parseTime(text string) (time.Time, error) {
	t, err := time.Parse(timeFormat, text)
	if err != nil {
		return t, fmt.Errorf("%w: %q is no time", ErrDamaged, text)
	}
	return t, nil
}
