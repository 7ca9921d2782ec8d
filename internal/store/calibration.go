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
	Kernels string // the set of kernels
}

// Calibration is how fast a machine was found to be.
type Calibration struct {
	Machine
	Rates    json.RawMessage // what was measured, as the planner writes it
	Measured time.Time       // kept to the millisecond
}

// Calibration returns what was last measured on a machine, and whether anything
// was.
func (s *Store) Calibration(ctx context.Context, m Machine) (c Calibration, ok bool, err error) {
	err = s.read(ctx, func(db *sql.DB) error {
		var rates, measured string
		row := db.QueryRowContext(ctx, `SELECT rates, measured FROM occlude_calibration WHERE cpu = ? AND kernels = ?`, m.CPU, m.Kernels)
		if err := row.Scan(&rates, &measured); err != nil {
			return err
		}
		at, err := parseTime(measured)
		if err != nil {
			return err
		}
		if !json.Valid([]byte(rates)) {
			return fmt.Errorf("%w: the rates of %q are no JSON", ErrDamaged, m.CPU)
		}
		c = Calibration{m, json.RawMessage(rates), at}
		return nil
	})
	return found(c, err)
}

// PutCalibration keeps a calibration, in place of the machine's last one.
func (s *Store) PutCalibration(ctx context.Context, c Calibration) error {
	switch {
	case c.CPU == "" || c.Kernels == "":
		return fmt.Errorf("a calibration of the processor %q with the kernels %q lacks a name", c.CPU, c.Kernels)
	case !json.Valid(c.Rates):
		return fmt.Errorf("the calibration of the processor %q is no JSON", c.CPU)
	}
	return s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO occlude_calibration (cpu, kernels, rates, measured)
			VALUES (?, ?, ?, ?)`, c.CPU, c.Kernels, string(c.Rates), formatTime(c.Measured))
		return err
	})
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

func formatTime(t time.Time) string { return t.UTC().Format(timeFormat) }

func parseTime(text string) (time.Time, error) {
	t, err := time.Parse(timeFormat, text)
	if err != nil {
		return t, fmt.Errorf("%w: %q is no time", ErrDamaged, text)
	}
	return t, nil
}
