package explain

import (
	"fmt"
	"strings"

	"occlude/planner"
)

// DeviceActual is what a GPU did for one image beside the layers' work.
type DeviceActual struct {
	Name     string `json:"name"` // as SET device names it
	Launches int64  `json:"launches"`
	// UploadedBytes and DownloadedBytes were copied to it and back, weights not included.
	UploadedBytes   int64 `json:"uploaded_bytes"`
	DownloadedBytes int64 `json:"downloaded_bytes"`
	// PeakBytes is what it held at once: Weights, Views and what Workers take.
	PeakBytes int64 `json:"peak_bytes"`
	Weights   int64 `json:"weights"`
	Views     int64 `json:"views"`
	Workers   int64 `json:"workers"`
}

// deviceActual tells what the plan's GPU did, nil without.
func deviceActual(q *planner.Occlude, a *planner.Actuals) *DeviceActual {
	m := a.OnDevice
	if m == nil {
		return nil
	}
	did := a.Base.Device.Plus(a.Updates.Device)
	return &DeviceActual{
		Name: q.Device, Launches: did.Launches, UploadedBytes: did.Up, DownloadedBytes: did.Down,
		PeakBytes: m.Total(), Weights: m.Weights, Views: m.Views, Workers: m.Workers,
	}
}

// String is the same in words.
func (d *DeviceActual) String() string {
	var held []string
	for _, p := range []struct {
		name  string
		bytes int64
	}{{"weights", d.Weights}, {"views", d.Views}, {"workers", d.Workers}} {
		if p.bytes > 0 {
			held = append(held, p.name+" "+planner.FormatBytes(p.bytes))
		}
	}
	return fmt.Sprintf("%s: %s; %s up, %s down; %s held at once: %s", d.Name, planner.Counted(int(d.Launches), "launch"),
		planner.FormatBytes(d.UploadedBytes), planner.FormatBytes(d.DownloadedBytes), planner.FormatBytes(d.PeakBytes), strings.Join(held, ", "))
}
