package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math"
	"time"
)

// CurveKey is what a curve of quality depends on.
type CurveKey struct {
	Model            string // content hash of the model's file
	Input            string // what is done to an image before the model sees it, as text
	PatchW, PatchH   int    // pixels
	StrideW, StrideH int    // pixels
	Fill             string // as the language writes it
	Metric           string // ssim or ssim_krypton
}

// Curve is how the quality of a model's heat maps falls with tau, the share of a
// layer's width that an update may reach (Krypton's projective field
// thresholding).
type Curve struct {
	CurveKey
	Points   []CurvePoint
	Fit      [3]float64 // quality is about Fit[0] + Fit[1] tau + Fit[2] tau^2
	Sample   Sample
	Measured time.Time // kept to the millisecond
}

// CurvePoint is the quality measured at one tau over the sample's images.
type CurvePoint struct {
	Tau   float64 `json:"tau"`
	Mean  float64 `json:"mean"`
	Worst float64 `json:"worst"`
}

// Sample says which images a curve was measured on.
type Sample struct {
	Size  int    // images
	Files string // the pattern that they were drawn from
	Seed  int64  // of the draw
}

// Curve returns a model's curve, and whether there is one.
func (s *Store) Curve(ctx context.Context, key CurveKey) (c Curve, ok bool, err error) {
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
func (s *Store) Curves(ctx context.Context, model string) (all []Curve, err error) {
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

// PutCurve keeps curves, each in place of the one of the same key; all or none.
func (s *Store) PutCurve(ctx context.Context, all ...Curve) error {
	for _, c := range all {
		if err := c.check(); err != nil {
			return err
		}
	}
	return s.write(ctx, func(tx *sql.Tx) error {
		for _, c := range all {
			points, err := json.Marshal(c.Points)
			if err != nil {
				return err
			}
			_, err = tx.ExecContext(ctx, `INSERT OR REPLACE INTO occlude_curve (`+curveColumns+`)
				VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
				c.Model, c.Input, c.PatchW, c.PatchH, c.StrideW, c.StrideH, c.Fill, c.Metric,
				string(points), c.Fit[0], c.Fit[1], c.Fit[2], c.Sample.Size, c.Sample.Files, c.Sample.Seed, formatTime(c.Measured))
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// check refuses a curve that nobody could use. JSON and SQLite know no NaN.
func (c *Curve) check() error {
	if c.Model == "" || c.Metric == "" {
		return fmt.Errorf("a curve of %q for the model %q lacks a name", c.Metric, c.Model)
	}
	if len(c.Points) == 0 {
		return fmt.Errorf("the curve of %s for the model %s has no points", c.Metric, c.Model)
	}
	numbers := c.Fit[:]
	for _, p := range c.Points {
		numbers = append(numbers, p.Tau, p.Mean, p.Worst)
	}
	for _, v := range numbers {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("the curve of %s for the model %s holds %v", c.Metric, c.Model, v)
		}
	}
	return nil
}

const (
	curveColumns = `model, input, patch_w, patch_h, stride_w, stride_h, fill, metric,
		points, c0, c1, c2, sample_size, sample_files, sample_seed, measured`
	selectCurves = `SELECT ` + curveColumns + ` FROM occlude_curve`
)

// curves reads rows of curveColumns and closes them.
func curves(rows *sql.Rows) ([]Curve, error) {
	defer rows.Close()
	var all []Curve
	for rows.Next() {
		var c Curve
		var points, measured string
		err := rows.Scan(&c.Model, &c.Input, &c.PatchW, &c.PatchH, &c.StrideW, &c.StrideH, &c.Fill, &c.Metric,
			&points, &c.Fit[0], &c.Fit[1], &c.Fit[2], &c.Sample.Size, &c.Sample.Files, &c.Sample.Seed, &measured)
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal([]byte(points), &c.Points); err != nil || len(c.Points) == 0 {
			return nil, fmt.Errorf("%w: %q are no points of a curve", ErrDamaged, points)
		}
		if c.Measured, err = parseTime(measured); err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, rows.Err()
}
