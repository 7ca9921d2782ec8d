package repl

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"occlude/executor"
	"occlude/internal/settings"
	"occlude/planner"
	"occlude/repl/picture"
)

// Summary is what an OCCLUDE prints for each image, in JSON as it stands here.
type Summary struct {
	Image        string          `json:"image"`
	Model        string          `json:"model"`
	Class        string          `json:"class"`
	ClassID      int             `json:"class_id"`
	P0           float32         `json:"p0"`
	Classes      []SummaryClass  `json:"classes"`
	Patch        SummarySize     `json:"patch"`
	Stride       SummarySize     `json:"stride"`
	Fill         string          `json:"fill"`
	Where        string          `json:"where,omitempty"`
	Grid         SummaryGrid     `json:"grid"`
	Positions    int             `json:"positions"` // asked for
	Evaluated    int             `json:"evaluated"` // computed, but for sketches
	Sketches     int             `json:"sketches"`  // computed cheaply, of plans that sample
	States       SummaryStates   `json:"states"`
	Partial      bool            `json:"partial,omitempty"` // the query was cancelled before it had ended
	Quality      *SummaryQuality `json:"quality,omitempty"` // where something was measured
	Peak         SummaryPeak     `json:"peak"`
	Plan         string          `json:"plan"`
	Device       string          `json:"device"`
	Threads      int             `json:"threads"`
	Batch        int             `json:"batch"`
	Seed         int             `json:"seed"` // of random choices
	Seconds      SummarySeconds  `json:"seconds"`
	MultiplyAdds int64           `json:"multiply_adds"`
	ViewsKept    bool            `json:"views_kept"` // by a query before: there was no base pass
	Outputs      []string        `json:"outputs"`
	Array        string          `json:"array,omitempty"` // the file that Printer.Arrays asked for
}

// SummaryClass is one explained class.
type SummaryClass struct {
	Class   string  `json:"class"`
	ClassID int     `json:"class_id"`
	P0      float32 `json:"p0"`
}

// SummarySize is a width and a height in pixels of the model's input.
type SummarySize struct {
	W int `json:"w"`
	H int `json:"h"`
}

// SummaryGrid is the grid's size; a list of positions is a single row.
type SummaryGrid struct {
	Rows int `json:"rows"`
	Cols int `json:"cols"`
}

// SummaryStates counts the positions by how they were found.
type SummaryStates struct {
	Exact        int `json:"exact"`
	Approximate  int `json:"approximate"`
	Interpolated int `json:"interpolated"`
	Missing      int `json:"missing"` // of partial maps
}

// SummaryPeak is the position with the greatest p_drop of the first class.
type SummaryPeak struct {
	X     int     `json:"x"`
	Y     int     `json:"y"`
	PDrop float32 `json:"p_drop"`
	State string  `json:"state"`
}

// SummarySeconds splits the time; nothing is computed outside the three.
type SummarySeconds struct {
	Load float64 `json:"load"`
	Plan float64 `json:"plan"`
	Run  float64 `json:"run"`
}

func summarize(h *executor.HeatMap) Summary {
	p, g := h.Plan, h.Plan.Grid
	peak, drop := h.Peak()
	s := Summary{
		Image: h.Image, Model: p.Model.Name,
		Class: h.Classes[0].Label, ClassID: h.Classes[0].ID, P0: h.Classes[0].P0,
		Patch: SummarySize{g.PatchW, g.PatchH}, Stride: SummarySize{g.StrideW, g.StrideH}, Fill: p.Fill.Text, Where: p.Where,
		Grid: SummaryGrid{g.Rows(), g.Cols()}, Positions: len(g.Positions), Evaluated: h.Actual.Positions,
		States:  SummaryStates{h.Count(executor.Exact), h.Count(executor.Approximate), h.Count(executor.Interpolated), h.Count(executor.Missing)},
		Partial: h.Partial,
		Peak:    SummaryPeak{peak.X, peak.Y, drop, h.States[slices.Index(g.Positions, peak)].String()},
		Plan:    p.Chosen().Name, Device: p.Device, Threads: p.Threads, Batch: p.Chosen().Batch, Seed: p.Seed,
		Seconds:      SummarySeconds{h.Actual.Load, h.Actual.Plan, h.Actual.Run},
		MultiplyAdds: h.Actual.MACs(), ViewsKept: h.Actual.Kept, Outputs: h.Written,
	}
	for _, stage := range h.Actual.Stages {
		s.Sketches += stage.Sketches
	}
	s.Evaluated -= s.Sketches
	s.Quality = qualityOf(h.Quality)
	if g.Listed {
		s.Grid = SummaryGrid{1, len(g.Positions)}
	}
	if s.Outputs == nil {
		s.Outputs = []string{}
	}
	for _, c := range h.Classes {
		s.Classes = append(s.Classes, SummaryClass{c.Label, c.ID, c.P0})
	}
	return s
}

func (p *Printer) heatMap(h *executor.HeatMap) error {
	s := summarize(h)
	if err := p.keep(h, &s); err != nil {
		return err
	}
	switch p.Settings.Format() {
	case settings.FormatJSON:
		data, err := json.MarshalIndent(s, "", "  ")
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.Out, "%s\n", data)
		return err
	case settings.FormatTable:
		if _, err := fmt.Fprint(p.people(), s.text(h)); err != nil {
			return err
		}
		return p.picture(h)
	}
	header := p.last != h.Plan // the images of a query share one
	p.last = h.Plan
	switch p.Settings.Format() {
	case settings.FormatCSV:
		return s.relation().CSV(p.Out, ',', header)
	case settings.FormatTSV:
		return s.relation().CSV(p.Out, '\t', header)
	}
	return p.relation(s.relation())
}

// relation is the summary as one row, for csv, tsv and vertical.
func (s Summary) relation() *executor.Relation {
	estimated, lower, measured := s.Quality.similarities()
	return &executor.Relation{
		Columns: []string{"image", "model", "class_id", "class", "p0", "rows", "cols", "positions", "evaluated",
			"exact", "approximate", "interpolated", "missing", "ssim_estimated", "ssim_lower_bound", "ssim_measured",
			"peak_x", "peak_y", "peak_p_drop", "plan", "load_seconds", "plan_seconds", "run_seconds", "multiply_adds", "outputs"},
		Rows: [][]any{{s.Image, s.Model, s.ClassID, s.Class, s.P0, s.Grid.Rows, s.Grid.Cols, s.Positions, s.Evaluated,
			s.States.Exact, s.States.Approximate, s.States.Interpolated, s.States.Missing, least(estimated), least(lower), least(measured),
			s.Peak.X, s.Peak.Y, s.Peak.PDrop, s.Plan, s.Seconds.Load, s.Seconds.Plan, s.Seconds.Run, s.MultiplyAdds,
			strings.Join(s.Outputs, ", ")}},
	}
}

// text is the summary for people, with every default that the query left open.
func (s Summary) text(h *executor.HeatMap) string {
	var b strings.Builder
	line := func(name, format string, args ...any) { b.WriteString(field(name, format, args...)) }
	fmt.Fprintf(&b, "OCCLUDE %s USING %s\n", s.Image, s.Model)
	name := "class"
	for _, c := range s.Classes {
		line(name, "%s (class %d), p0 = %.4f", c.Class, c.ClassID, c.P0)
		name = ""
	}
	line("grid", "%s", gridText(h.Plan))
	line("peak", "%s", s.peakText())
	who := "threads"
	if s.Device != planner.CPU {
		who = "workers"
	}
	line("plan", "%s on %s, %s %d, batch %d; %s multiply-adds%s",
		s.Plan, s.Device, who, s.Threads, s.Batch, planner.FormatCount(s.MultiplyAdds), s.fewer(h))
	if s.ViewsKept {
		line("views", "kept by a query before: no base pass")
	}
	if s.Partial {
		line("partial", "%d of %s", h.Computed(), planner.Counted(s.Positions, "position"))
	}
	if s.States.Exact < s.Positions {
		line("states", "%s", s.States)
	}
	for _, l := range s.Quality.lines(s.States.Exact == s.Positions) {
		line(l[0], "%s", l[1])
	}
	line("time", "%s = load %s + plan %s + run %s",
		planner.FormatSeconds(s.Seconds.Load+s.Seconds.Plan+s.Seconds.Run), planner.FormatSeconds(s.Seconds.Load),
		planner.FormatSeconds(s.Seconds.Plan), planner.FormatSeconds(s.Seconds.Run))
	if len(s.Outputs) > 0 {
		line("wrote", "%s", strings.Join(s.Outputs, ", "))
	}
	return b.String()
}

// field is a line of a summary for people: what it is about, "" where it goes on, and
// what that is.
func field(name, format string, args ...any) string {
	return fmt.Sprintf("  %-9s %s\n", name, fmt.Sprintf(format, args...))
}

// fewer tells how many times fewer multiply-adds than full inference a map took, once
// that is known.
func (s Summary) fewer(h *executor.HeatMap) string {
	if s.Partial {
		return ""
	}
	return fewer(h.Plan.Net.Work().MACs*int64(s.Positions+1), s.MultiplyAdds)
}

// fewer tells how many times fewer multiply-adds than full inference were done, if
// it is worth telling.
func fewer(full, done int64) string {
	factor := float64(full) / float64(max(done, 1))
	switch {
	case factor < 1.05:
		return ""
	case factor < 99.95:
		return fmt.Sprintf(", %.1fx fewer than full inference", factor)
	}
	return fmt.Sprintf(", %.0fx fewer than full inference", factor)
}

func (s SummaryStates) String() string {
	text := fmt.Sprintf("%d exact, %d approximate, %d interpolated", s.Exact, s.Approximate, s.Interpolated)
	if s.Missing > 0 {
		text += fmt.Sprintf(", %d missing", s.Missing)
	}
	return text
}

// gridText tells where the patch was put, and over what.
func gridText(q *planner.Occlude) string {
	patch, positions := gridParts(q)
	return patch + ", fill " + q.Fill.Text + ": " + positions
}

// positionsText tells where the patch was put.
func positionsText(q *planner.Occlude) string {
	patch, positions := gridParts(q)
	return patch + ": " + positions
}

// gridParts tells how large the patch was, and where it was put.
func gridParts(q *planner.Occlude) (patch, positions string) {
	g := q.Grid
	patch = fmt.Sprintf("patch %dx%d", g.PatchW, g.PatchH)
	if g.Listed {
		return patch, fmt.Sprintf("%d by hand", len(g.Positions))
	}
	patch += fmt.Sprintf(", stride %s", g.Stride())
	positions = fmt.Sprintf("%d x %d = %d positions", g.Rows(), g.Cols(), g.Rows()*g.Cols())
	if q.Where != "" {
		positions += fmt.Sprintf(", %d where %s", len(g.Positions), q.Where)
	}
	return patch, positions
}

// peakText tells the largest fall of p, if it falls anywhere.
func (s Summary) peakText() string {
	about := ""
	if s.Peak.State != executor.Exact.String() {
		about = "about "
	}
	return fallText(s.Peak.PDrop, planner.Position{X: s.Peak.X, Y: s.Peak.Y}, about)
}

// fallText tells a fall of p and its place; about stands before a number that is not exact.
func fallText(drop float32, peak planner.Position, about string) string {
	at := fmt.Sprintf("with the patch at (%d, %d)", peak.X, peak.Y)
	if drop > 0 {
		return fmt.Sprintf("p falls by %s%.4f %s", about, drop, at)
	}
	if drop == 0 {
		return "p falls nowhere; it stays as it is " + at
	}
	return fmt.Sprintf("p falls nowhere; it rises least, by %s%.4f, %s", about, -drop, at)
}

// picture draws a map in the terminal.
func (p *Printer) picture(h *executor.HeatMap) error {
	b, err := p.Terminal.HeatMap(h)
	return p.block(b, err)
}

// figure draws a result that is not a heat map, where the terminal draws pixels.
func (p *Printer) figure(r executor.Pictured) error {
	b, err := p.Terminal.Figure(r)
	return p.block(b, err)
}

// block prints a picture, if there is one.
func (p *Printer) block(b *picture.Block, err error) error {
	if b == nil || err != nil {
		return err
	}
	_, err = fmt.Fprint(p.Out, b)
	return err
}
