package repl

import (
	"fmt"
	"math"
	"slices"

	"occlude/executor"
	"occlude/internal/quality"
	"occlude/planner"
)

// SummaryQuality is how near an approximate heat map was found to be to the
// exact one.
type SummaryQuality struct {
	Target   float64        `json:"target,omitempty"`  // the SSIM that was asked for, if one was
	Reached  *bool          `json:"reached,omitempty"` // likewise: whether the map was found good enough
	Verified int            `json:"verified"`          // positions chosen at random and compared with what the map had said
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
	s := &SummaryQuality{Target: q.Target, Verified: q.Verified, Classes: []ClassFigures{}, Notes: []string{}}
	if q.Target > 0 {
		s.Reached = &q.Reached
	}
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

// similarities are the structural similarities of all classes that are known; those
// of maps that nothing is known of are left out.
func (s *SummaryQuality) similarities() (estimated, lower, measured []*float64) {
	if s == nil {
		return nil, nil, nil
	}
	for _, c := range s.Classes {
		if c.SSIMEstimated != nil {
			estimated, lower = append(estimated, c.SSIMEstimated), append(lower, c.SSIMLower)
		}
		if c.Measured != nil {
			measured = append(measured, c.Measured.SSIM)
		}
	}
	return estimated, lower, measured
}

// least is the least number, "" if there is none or one is not defined.
func least(all []*float64) any {
	if len(all) == 0 || slices.Contains(all, nil) {
		return ""
	}
	v := *all[0]
	for _, n := range all {
		v = min(v, *n)
	}
	return v
}

// lines tell the quality to people, as titles and texts. Of an exact map there are
// no figures to tell.
func (s *SummaryQuality) lines(exact bool) (lines [][2]string) {
	if s == nil {
		return nil
	}
	if exact {
		return append([][2]string{{"quality", "exact at every position"}}, s.notes()...)
	}
	title := "quality"
	add := func(c ClassFigures, format string, args ...any) {
		text := fmt.Sprintf(format, args...)
		if len(s.Classes) > 1 {
			text = c.Class + ": " + text
		}
		lines = append(lines, [2]string{title, text})
		title = ""
	}
	for _, c := range s.Classes {
		if c.SSIMEstimated != nil {
			add(c, "SSIM about %s, lower bound %s; correlation %s, %s of the top tenth",
				digits(c.SSIMEstimated), digits(c.SSIMLower), digits(c.Pearson), percent(c.Top10Overlap))
		}
	}
	title = "measured"
	for _, c := range s.Classes {
		if m := c.Measured; m != nil {
			add(c, "SSIM %s, as Krypton draws it %s; correlation %s, NRMSE %s, %s of the top tenth",
				digits(m.SSIM), digits(m.SSIMKrypton), digits(m.Pearson), short(m.NRMSE), percent(m.Top10Overlap))
		}
	}
	if c := s.Checks; c != nil {
		where := planner.Counted(c.Positions, "random position")
		lines = append(lines, [2]string{"checks", fmt.Sprintf("p was off by %.2g at %s (root mean square; at most %.2g)", c.RMS, where, c.Worst)})
	}
	return append(lines, s.notes()...)
}

// notes has a line for each note.
func (s *SummaryQuality) notes() (lines [][2]string) {
	title := "note"
	for _, n := range s.Notes {
		lines = append(lines, [2]string{title, n})
		title = ""
	}
	return lines
}

// digits rounds down, so that nothing but an exact map has 1.000.
func digits(v *float64) string {
	if v == nil {
		return "undefined"
	}
	return fmt.Sprintf("%.3f", math.Floor(*v*1000+1e-6)/1000)
}

// short has two significant digits: what is small is not none.
func short(v *float64) string {
	if v == nil {
		return "undefined"
	}
	return fmt.Sprintf("%.2g", *v)
}

func percent(v *float64) string {
	if v == nil {
		return "undefined"
	}
	return fmt.Sprintf("%.0f%%", 100**v)
}
