package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math"

	"occlude/internal/curve"
)

// Curve returns a model's curve, and whether there is one.
func (s *Store) Curve(ctx context.Context, key curve.Key) (c curve.Curve, ok bool, err error) {
	err = s.read(ctx, func(db *sql.DB) error {
		rows, err := db.QueryContext(ctx, selectCurves+` WHERE model = ? AND input = ? AND patch_w = ? AND patch_h = ?
			AND stride_w = ? AND stride_h = ? AND fill = ? AND metric = ?`,
			key.Model, key.Input, key.PatchW, key.PatchH, key.StrideW, key.StrideH, key.Fill, key.Metric)
		if err != nil {
			return err
		}
		all, err := curves(rows)
		if err == nil && len(all) == 0 {
			return sql.ErrNoRows
		}
		if err == nil {
			c = all[0]
		}
		return err
	})
	return found(c, err)
}

// Curves returns all curves of a model's file, in the order of their keys.
func (s *Store) Curves(ctx context.Context, model string) (all []curve.Curve, err error) {
	err = s.read(ctx, func(db *sql.DB) error {
		rows, err := db.QueryContext(ctx, selectCurves+` WHERE model = ?
			ORDER BY input, patch_w, patch_h, stride_w, stride_h, fill, metric`, model)
		if err != nil {
			return err
		}
		all, err = curves(rows)
		return err
	})
	all, _, err = found(all, err)
	return all, err
}

// checkCurve refuses a curve that nobody could use. JSON and SQLite know no NaN.
func checkCurve(c *curve.Curve) error {
	if c.Model == "" || c.Metric == "" {
		return fmt.Errorf("a curve of %q for the model %q lacks a name", c.Metric, c.Model)
	}
	if len(c.Points) == 0 {
		return fmt.Errorf("the curve of %s for the model %s has no points", c.Metric, c.Model)
	}
	numbers := append(c.Fit[:], c.Residual)
	for _, p := range c.Points {
		numbers = append(numbers, p.Tau, p.Mean, p.Worst, p.Speedup)
	}
	for _, v := range numbers {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("the curve of %s for the model %s holds %v", c.Metric, c.Model, v)
		}
	}
	return nil
}

func putCurve(ctx context.Context, tx *sql.Tx, c curve.Curve) error {
	points, err := json.Marshal(c.Points)
	if err != nil {
		return err
	}
	images, err := json.Marshal(c.Sample.Images)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT OR REPLACE INTO occlude_curve (`+curveColumns+`)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		c.Model, c.Input, c.PatchW, c.PatchH, c.StrideW, c.StrideH, c.Fill, c.Metric,
		string(points), c.Fit[0], c.Fit[1], c.Fit[2], c.Residual, c.Sample.Files, c.Sample.Seed, string(images), FormatTime(c.Measured))
	return err
}

const (
	curveColumns = `model, input, patch_w, patch_h, stride_w, stride_h, fill, metric,
		points, c0, c1, c2, residual, sample_files, sample_seed, sample_images, measured`
	selectCurves = `SELECT ` + curveColumns + ` FROM occlude_curve`
)

// curves reads rows of curveColumns and closes them.
func curves(rows *sql.Rows) ([]curve.Curve, error) {
	defer rows.Close()
	var all []curve.Curve
	for rows.Next() {
		var c curve.Curve
		var points, images, measured string
		err := rows.Scan(&c.Model, &c.Input, &c.PatchW, &c.PatchH, &c.StrideW, &c.StrideH, &c.Fill, &c.Metric,
			&points, &c.Fit[0], &c.Fit[1], &c.Fit[2], &c.Residual, &c.Sample.Files, &c.Sample.Seed, &images, &measured)
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal([]byte(points), &c.Points); err != nil || len(c.Points) == 0 {
			return nil, fmt.Errorf("%w: %q are no points of a curve", ErrDamaged, points)
		}
		if err := json.Unmarshal([]byte(images), &c.Sample.Images); err != nil {
			return nil, fmt.Errorf("%w: %q are no images of a curve", ErrDamaged, images)
		}
		if c.Measured, err = parseTime(measured); err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, rows.Err()
}
