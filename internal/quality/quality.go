package quality

import (
	"fmt"
	"math"
	"slices"
)

// minimumRange bounds the exact map's range from below, in probability. Plans
// that are all exact differ by some 1e-6, which is no finding.
const minimumRange = 1e-6

// Map is a heat map on a grid of W by H positions: P holds the class's
// probability at each, row by row, NaN where there is none.
type Map struct {
	W, H int
	P    []float32
}

// Figures say how alike two maps are; see the package's documentation for their
// definitions. All are NaN if no position has a value in both maps.
type Figures struct {
	Positions    int     // compared, having a value in both maps
	Range        float64 // of the exact map, over these positions
	SSIM         float64 // -1 to 1, on the grid
	SSIMKrypton  float64 // -1 to 1, of the maps' pictures; NaN where no picture was asked for
	Pearson      float64 // -1 to 1
	NRMSE        float64 // from 0
	Top10Overlap float64 // 0 to 1
}

// Compare returns all figures of an approximate map against the exact one. The
// picture says how ssim_krypton draws the two; without one it is NaN. It is an
// error if the maps' sizes differ or are not those of their values.
func Compare(exact, approximate Map, picture *Picture) (Figures, error) {
	if err := checkPair(exact, approximate); err != nil {
		return Figures{}, err
	}
	p := newPair(exact, approximate)
	f := Figures{
		Positions:    len(p.exact),
		Range:        p.span,
		SSIM:         p.ssim(),
		SSIMKrypton:  math.NaN(),
		Pearson:      p.pearson(),
		NRMSE:        p.nrmse(),
		Top10Overlap: p.top10(),
	}
	if picture != nil {
		var err error
		if f.SSIMKrypton, err = picture.ssim(exact, approximate); err != nil {
			return Figures{}, err
		}
	}
	return f, nil
}

func checkPair(exact, approximate Map) error {
	if exact.W != approximate.W || exact.H != approximate.H {
		return fmt.Errorf("maps of %dx%d and %dx%d positions cannot be compared", exact.W, exact.H, approximate.W, approximate.H)
	}
	for _, m := range []Map{exact, approximate} {
		if m.W < 1 || m.H < 1 || len(m.P)%m.W != 0 || len(m.P)/m.W != m.H {
			return fmt.Errorf("a map of %dx%d positions has %d values", m.W, m.H, len(m.P))
		}
	}
	return nil
}

// pair is two maps over the positions where both have a value.
type pair struct {
	w, h               int       // the smallest rectangle that holds them
	cell               []int     // where in the rectangle each lies, row by row, ascending
	exact, approximate []float64 // the values, in the order of cell
	span               float64   // the exact map's range, NaN without a position
}

func newPair(exact, approximate Map) *pair {
	common := func(i int) bool { return !isNaN(exact.P[i]) && !isNaN(approximate.P[i]) }
	left, top, right, bottom := exact.W, exact.H, 0, 0
	for i := range exact.P {
		if common(i) {
			x, y := i%exact.W, i/exact.W
			left, right = min(left, x), max(right, x+1)
			top, bottom = min(top, y), max(bottom, y+1)
		}
	}
	p := &pair{w: max(0, right-left), h: max(0, bottom-top), span: math.NaN()}
	for y := top; y < bottom; y++ {
		for x := left; x < right; x++ {
			if i := y*exact.W + x; common(i) {
				p.cell = append(p.cell, (y-top)*p.w+x-left)
				p.exact = append(p.exact, float64(exact.P[i]))
				p.approximate = append(p.approximate, float64(approximate.P[i]))
			}
		}
	}
	if len(p.exact) > 0 {
		p.span = slices.Max(p.exact) - slices.Min(p.exact)
	}
	return p
}

func isNaN(x float32) bool { return x != x }

// unit is the range that errors are measured by.
func (p *pair) unit() float64 { return max(p.span, minimumRange) } // NaN stays NaN

func (p *pair) pearson() float64 {
	n := float64(len(p.exact))
	var me, ma float64
	for i, e := range p.exact {
		me += e / n
		ma += p.approximate[i] / n
	}
	var see, saa, sea float64
	for i, e := range p.exact {
		de, da := e-me, p.approximate[i]-ma
		see += de * de
		saa += da * da
		sea += de * da
	}
	switch {
	case n == 0:
		return math.NaN()
	case constant(p.exact) && constant(p.approximate):
		return 1
	case constant(p.exact) || constant(p.approximate):
		return 0
	}
	return max(-1, min(1, sea/math.Sqrt(see)/math.Sqrt(saa)))
}

func constant(values []float64) bool {
	return !slices.ContainsFunc(values, func(v float64) bool { return v != values[0] })
}

func (p *pair) nrmse() float64 {
	var sum float64
	for i, e := range p.exact {
		d := p.approximate[i] - e
		sum += d * d
	}
	return math.Sqrt(sum/float64(len(p.exact))) / p.unit()
}

// top10 looks at where p falls most, that is, where p is least.
func (p *pair) top10() float64 {
	n := len(p.exact)
	if n == 0 {
		return math.NaN()
	}
	k := (n + 9) / 10
	limitExact, limit := least(p.exact, k), least(p.approximate, k)
	var below, tied, hits, tiedHits int // of the approximate map's, and those that the exact map agrees with
	for i, a := range p.approximate {
		hit := 0
		if p.exact[i] <= limitExact {
			hit = 1
		}
		switch {
		case a < limit:
			below++
			hits += hit
		case a == limit:
			tied++
			tiedHits += hit
		}
	}
	// Those tied share the places that are left.
	return (float64(hits) + float64((k-below)*tiedHits)/float64(tied)) / float64(k)
}

// least is the k-th least of some values.
func least(values []float64, k int) float64 {
	return slices.Sorted(slices.Values(values))[k-1]
}
