package executor

import (
	"context"
	"time"

	"occlude/internal/curve"
	"occlude/internal/quality"
	"occlude/planner"
)

// readAll reads all images of a sample, before hours may be spent on those before a
// broken one, and gives the mean seconds that one takes.
func readAll(ctx context.Context, p *planner.Analyze) (perImage float64, err error) {
	start := time.Now()
	for _, image := range p.Sample.Images {
		if ctx.Err() != nil {
			return 0, &Interrupted{Cause: context.Cause(ctx)}
		}
		if _, _, err := input(ctx, p.Model, image); err != nil {
			return 0, err
		}
	}
	return time.Since(start).Seconds() / float64(len(p.Sample.Images)), nil
}

// measured is what became of the heat maps of one plan.
type measured struct {
	tau      float64
	speedups []float64 // over the exact map, by image
	metrics  map[string]*metric
}

// metric is a figure over the images.
type metric struct{ sum, worst float64 }

// qualities are the metrics of curves.
var qualities = map[string]func(quality.Figures) float64{
	curve.SSIM:        func(f quality.Figures) float64 { return f.SSIM },
	curve.SSIMKrypton: func(f quality.Figures) float64 { return f.SSIMKrypton },
}

func (m *measured) add(f quality.Figures, speedup float64) {
	m.speedups = append(m.speedups, speedup)
	for name, of := range qualities {
		v := of(f)
		if m.metrics[name] == nil {
			m.metrics[name] = &metric{worst: v}
		}
		k := m.metrics[name]
		k.sum, k.worst = k.sum+v, min(k.worst, v)
	}
}

// curves computes the exact heat map of each image, of its most probable class, and
// those by falling tau, and fits how their quality falls. At tau 1 nothing is left
// out: that map is the exact one.
func (s *Session) curves(ctx context.Context, sample *planner.Sample) ([]curve.Curve, error) {
	all := []*measured{{tau: 1, metrics: map[string]*metric{}}}
	total := sample.Exact.Chosen().Positions()
	for _, p := range sample.Thresholded {
		all = append(all, &measured{tau: p.Chosen().Rects.Tau, metrics: map[string]*metric{}})
		total += p.Chosen().Positions()
	}
	_, done := s.onePart(sample.Files, total*len(sample.Images))
	defer done()
	for _, image := range sample.Images {
		exact, err := s.heatMap(ctx, sample.Exact.On(image))
		if err != nil {
			return nil, err
		}
		for i, m := range all {
			h := exact
			if i > 0 {
				if h, err = s.heatMap(ctx, sample.Thresholded[i-1].On(image, exact.Classes[0].ID)); err != nil {
					return nil, err
				}
			}
			figures, err := exact.compare(exact.Classes[0], h.Classes[0])
			if err != nil {
				return nil, err
			}
			m.add(figures, exact.computing()/h.computing())
		}
	}
	return fit(sample, all)
}

// heatMap runs a query over one image.
func (s *Session) heatMap(ctx context.Context, p *planner.Occlude) (h *HeatMap, err error) {
	err = s.occlude(ctx, p, func(done *HeatMap) error {
		h = done
		return nil
	})
	return h, err
}

// computing is the seconds of everything but reading and writing.
func (h *HeatMap) computing() float64 { return h.Actual.BaseSeconds + h.Actual.UpdateSeconds }

// fit makes a curve for each metric.
func fit(sample *planner.Sample, all []*measured) ([]curve.Curve, error) {
	images, now := float64(len(sample.Images)), time.Now().UTC().Truncate(time.Millisecond)
	var curves []curve.Curve
	for _, name := range []string{curve.SSIM, curve.SSIMKrypton} {
		var points []curve.Point
		for _, m := range all {
			k := m.metrics[name]
			points = append(points, curve.Point{Tau: m.tau, Mean: k.sum / images, Worst: k.worst, Speedup: median(m.speedups)})
		}
		c, err := curve.New(sample.Exact.CurveKey(name), points,
			curve.Sample{Files: sample.Files, Seed: sample.Seed, Images: sample.Images}, now)
		if err != nil {
			return nil, err
		}
		curves = append(curves, c)
	}
	return curves, nil
}

// curveRelation shows the curves of both metrics side by side.
func curveRelation(curves []curve.Curve) *Relation {
	r := &Relation{Columns: []string{"tau", "speedup"}}
	for _, c := range curves {
		r.Columns = append(r.Columns, c.Metric, c.Metric+"_worst", c.Metric+"_fitted")
	}
	for i, p := range curves[0].Points {
		row := []any{p.Tau, p.Speedup}
		for _, c := range curves {
			row = append(row, c.Points[i].Mean, c.Points[i].Worst, c.At(p.Tau))
		}
		r.Rows = append(r.Rows, row)
	}
	return r
}
