package executor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"occlude/internal/atomicfile"
	"occlude/internal/store"
	"occlude/planner"
	"occlude/planner/cost"
)

// showCalibration lists what was measured, and what serves where nothing was.
func (s *Session) showCalibration(ctx context.Context, p *planner.ShowCalibration, emit func(Result) error) error {
	all, err := s.Store.Calibrations(ctx)
	if err != nil {
		return err
	}
	r := &Relation{Columns: []string{"processor", "cores", "kernels", "kind", "model", "model_sha256", "measured", "age", "range", "used"}}
	for _, c := range all {
		row := []any{c.CPU, c.Cores, c.Kernels, "", "", "", c.Measured.Format(time.DateTime), planner.FormatAge(time.Since(c.Measured)), "", s.used(c.Machine)}
		if c.Kernels == deviceKernels {
			if d, err := cost.ParseDevice(c.Profile); err != nil {
				row[9] = "no longer: " + err.Error()
			} else {
				row[3], row[8] = string(d.Kind), spread(d.Spread)
			}
		} else if profile, err := cost.Parse(c.Profile); err != nil {
			row[9] = "no longer: " + err.Error()
		} else {
			row[3], row[4], row[5], row[8] = string(profile.Kind), profile.Model, short(profile.Hash), spread(profile.Of(profile.Hash))
		}
		r.Rows = append(r.Rows, row)
	}
	d := p.Default
	names := slices.Sorted(maps.Keys(d.Kernels))
	r.Rows = append(r.Rows, []any{d.CPU, d.Cores, strings.Join(names, ", "), string(d.Kind), "", "", d.Measured, "", spread(d.Of("")), "fallback"})
	return emit(r)
}

// used tells where what was measured on a machine serves. Of GPUs only those are known that
// were opened.
func (s *Session) used(m store.Machine) string {
	switch {
	case m.Kernels != deviceKernels && m == machine(m.Kernels):
		return "here"
	case m.Kernels != deviceKernels:
		return "elsewhere"
	}
	for _, e := range s.Devices.Opened() {
		if p := e.Device.Properties(); m == gpuMachine(p.Name, p.Processors) {
			return "here"
		}
	}
	return "on such a GPU"
}

// short is the beginning of a hash, enough to tell it from others.
func short(hash string) string { return hash[:min(12, len(hash))] }

// spread is the range of seconds over their estimate.
func spread(s cost.Spread) string { return fmt.Sprintf("%.0f%% to %.0f%%", 100*s.Least, 100*s.Most) }

// exportCalibration writes all that was measured to a file.
func (s *Session) exportCalibration(ctx context.Context, p *planner.ExportCalibration, emit func(Result) error) error {
	all, err := s.Store.Calibrations(ctx)
	if err != nil {
		return err
	}
	var entries []cost.Entry
	var gpus []*cost.Device
	for _, c := range all {
		var profile *cost.Profile
		var gpu *cost.Device
		if c.Kernels == deviceKernels {
			gpu, err = cost.ParseDevice(c.Profile)
		} else {
			profile, err = cost.Parse(c.Profile)
		}
		if err != nil {
			s.warn(ctx, fmt.Errorf("the calibration of %s, %s kernels, of %s was left out: %w", c.CPU, c.Kernels, c.Measured.Format(time.DateOnly), err))
			continue
		}
		if gpu != nil {
			gpus = append(gpus, gpu)
			continue
		}
		entries = append(entries, cost.Entry{CPU: c.CPU, Cores: c.Cores, Kernels: c.Kernels, Measured: c.Measured.Format(time.RFC3339), Profile: profile})
	}
	if len(entries)+len(gpus) == 0 {
		return errors.New("nothing was measured on this machine yet: ANALYZE MODEL does")
	}
	err = atomicfile.Write(p.Path, func(w io.Writer) error { return cost.NewBook(entries, gpus, time.Now()).Write(w) })
	if err != nil {
		return err
	}
	return emit(Message{fmt.Sprintf("EXPORT CALIBRATION: %s to %s", planner.Counted(len(entries)+len(gpus), "calibration"), p.Path)})
}

// importCalibration keeps what a file holds, but for what was measured again since.
// Everything is kept under the name of the processor that it was measured on.
func (s *Session) importCalibration(ctx context.Context, p *planner.ImportCalibration, emit func(Result) error) error {
	known, err := s.Store.Calibrations(ctx)
	if err != nil {
		return err
	}
	var all, kept []store.Calibration
	for _, e := range p.Book.Entries {
		c, err := imported(e)
		if err != nil {
			return err
		}
		all = append(all, c)
	}
	for _, d := range p.Book.Devices {
		at, err := d.Time()
		if err != nil {
			return err
		}
		c, err := storedDevice(d, at)
		if err != nil {
			return err
		}
		all = append(all, c)
	}
	here, older := 0, 0
	elsewhere := map[string]int{}
	for _, c := range all {
		newer := func(k store.Calibration) bool {
			// A book's times are in whole seconds.
			return k.Machine == c.Machine && k.Model == c.Model && k.Measured.Truncate(time.Second).After(c.Measured)
		}
		switch {
		case slices.ContainsFunc(known, newer):
			older++
			continue
		case c.Kernels == deviceKernels:
			elsewhere[fmt.Sprintf("the GPU %s, %s: used where there is one", c.CPU, planner.Counted(c.Cores, "multiprocessor"))]++
		case c.Machine == machine(c.Kernels):
			here++
		default:
			elsewhere[fmt.Sprintf("%s, %d cores: kept for that processor, not used here", c.CPU, c.Cores)]++
		}
		kept = append(kept, c)
	}
	if err := s.Store.Put(ctx, kept, nil); err != nil {
		return err
	}
	return emit(Message{importedText(here, older, elsewhere)})
}

// imported is an entry as it is kept.
func imported(e cost.Entry) (store.Calibration, error) {
	data, err := json.Marshal(e.Profile)
	if err != nil {
		return store.Calibration{}, err
	}
	at, err := e.Time()
	return store.Calibration{
		Machine: store.Machine{CPU: e.CPU, Cores: e.Cores, Kernels: e.Kernels}, Model: keptFor(e.Profile), Profile: data, Measured: at,
	}, err
}

// importedText says what became of the calibrations of a file.
func importedText(here, older int, elsewhere map[string]int) string {
	lines := []string{fmt.Sprintf("IMPORT CALIBRATION: %s of this machine", planner.Counted(here, "calibration"))}
	for _, whose := range slices.Sorted(maps.Keys(elsewhere)) {
		lines = append(lines, fmt.Sprintf("  %s of %s", planner.Counted(elsewhere[whose], "calibration"), whose))
	}
	if older > 0 {
		lines = append(lines, fmt.Sprintf("  %s not taken: what is there was measured later", planner.Counted(older, "calibration")))
	}
	return strings.Join(lines, "\n")
}
