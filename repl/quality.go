package repl

import (
	"fmt"
	"math"
	"strings"

	"occlude/executor"
	"occlude/internal/quality"
)

// SummaryQuality is how near an approximate heat map was found to be to the
// exact one.
type SummaryQuality struct {
	Target   float64        `json:"target,omitempty"` // the SSIM that was asked for
	Reached  bool           `json:"reached"`
	Verified int            `json:"verified"` // positions chosen at random and compared with what the map had said
	Classes  []ClassFigures `json:"classes"`
	Checks   *SummaryChecks `json:"checks,omitempty"` // of VERIFY n POSITIONS
	Notes    []string       `json:"notes"`
}

// ClassFigures are the figures of a class's map against the exact one: as the
// samples let expect, and as they are where the exact map was computed as well.
type ClassFigures struct {
	Class         string           `json:"class"`
	SSIMEstimated *float64         `json:"ssim_estimated,omitempty"`
	SSIMLower     *float64         `json:"ssim_lower_bound,omitempty"`
	Pearson       *float64         `json:"pearson,omitempty"`
	NRMSE         *float64         `json:"nrmse,omitempty"`
	Top10Overlap  *float64         `json:"top10_overlap,omitempty"`
	Measured      *MeasuredFigures `json:"measured,omitempty"`
}

// MeasuredFigures are true ones; null where a figure is not defined.
type MeasuredFigures struct {
	SSIM         *float64 `json:"ssim"`
	SSIMKrypton  *float64 `json:"ssim_krypton"`
	Pearson      *float64 `json:"pearson"`
	NRMSE        *float64 `json:"nrmse"`
	Top10Overlap *float64 `json:"top10_overlap"`
}

// SummaryChecks are the differences of probabilities at the positions that VERIFY
// had computed.
type SummaryChecks struct {
	Positions int     `json:"positions"`
	RMS       float64 `json:"rms"`
	Worst     float64 `json:"worst"`
}

func qualityOf(q *executor.Quality) *SummaryQuality {
	if q == nil {
		return nil
	}
	s := &SummaryQuality{Target: q.Target, Reached: q.Reached, Verified: q.Verified, Classes: []ClassFigures{}, Notes: []string{}}
	s.Notes = append(s.Notes, q.Notes...)
	for _, c := range q.Classes {
		f := ClassFigures{Class: c.Class, Measured: measured(c.Measured)}
		if c.SSIM != 0 || c.SSIMLower != 0 { // else nothing was expected
			f.SSIMEstimated, f.SSIMLower = number(c.SSIM), number(c.SSIMLower)
			f.Pearson, f.NRMSE, f.Top10Overlap = number(c.Pearson), number(c.NRMSE), number(c.Top10Overlap)
		}
		s.Classes = append(s.Classes, f)
	}
	if c := q.Checks; c != nil {
		s.Checks = &SummaryChecks{c.Positions, c.RMS, c.Worst}
	}
	return s
}

func measured(f *quality.Figures) *MeasuredFigures {
	if f == nil {
		return nil
	}
	return &MeasuredFigures{number(f.SSIM), number(f.SSIMKrypton), number(f.Pearson), number(f.NRMSE), number(f.Top10Overlap)}
}

// number is a number that JSON has, nil for others.
func number(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// lines tell the quality to people, as titles and texts.
func (s *SummaryQuality) lines() (lines [][2]string) {
	if s == nil {
		return nil
	}
	title := "quality"
	for _, c := range s.Classes {
		name := ""
		if len(s.Classes) > 1 {
			name = c.Class + ": "
		}
		if c.SSIMEstimated != nil && *c.SSIMLower < 1 {
			lines = append(lines, [2]string{title, fmt.Sprintf("%sSSIM about %s, at least %s; correlation %s, top tenth %s in common",
				name, digits(c.SSIMEstimated), digits(c.SSIMLower), digits(c.Pearson), percent(c.Top10Overlap))})
			title = ""
		}
		if m := c.Measured; m != nil {
			lines = append(lines, [2]string{"measured", fmt.Sprintf("%sSSIM %s, as Krypton draws it %s; correlation %s, NRMSE %s, top tenth %s in common",
				name, digits(m.SSIM), digits(m.SSIMKrypton), digits(m.Pearson), digits(m.NRMSE), percent(m.Top10Overlap))})
		}
	}
	if c := s.Checks; c != nil {
		lines = append(lines, [2]string{"checks", fmt.Sprintf("p is off by %.2g at %d random positions (root mean square; at most %.2g)", c.RMS, c.Positions, c.Worst)})
	}
	if len(s.Notes) > 0 {
		lines = append(lines, [2]string{"note", strings.Join(s.Notes, "; ")})
	}
	return lines
}

func digits(v *float64) string {
	if v == nil {
		return "undefined"
	}
	return fmt.Sprintf("%.3f", *v)
}

func percent(v *float64) string {
	if v == nil {
		return "undefined"
	}
	return fmt.Sprintf("%.0f%%", 100**v)
}
