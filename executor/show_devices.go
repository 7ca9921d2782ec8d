package executor

import (
	"fmt"

	"occlude/internal/memory"
	"occlude/internal/settings"
	"occlude/planner"
)

// showDevices lists what heat maps can be computed on: the processor, and the GPUs, which
// are opened for it.
func (s *Session) showDevices() *Relation {
	r := &Relation{Columns: []string{"device", "description", "memory_free", "memory_total", "usable", "reason"}}
	kernels := s.Settings.Kernels()
	row := []any{settings.DeviceCPU, fmt.Sprintf("%s, %s kernels", processor(), kernels), nil, nil, true, nil}
	if s.Memory != nil {
		row[2], row[3] = known(s.Memory()), known(memory.Here().Total())
	}
	r.Rows = append(r.Rows, row)
	for _, e := range s.Devices.All() {
		row := []any{e.Name, nil, nil, nil, false, nil}
		err := e.Reason
		if err == nil {
			p := e.Device.Properties()
			row[1], row[3] = fmt.Sprintf("%s, compute capability %d.%d, %s", p.Name, p.Capability[0], p.Capability[1], planner.Counted(p.Processors, "multiprocessor")), int(p.Memory)
			if now, e := s.Device(e.Name); e == nil {
				row[2], row[4] = int(now.Free), true
			} else {
				err = e
			}
		}
		if err != nil {
			row[5] = err.Error()
		}
		r.Rows = append(r.Rows, row)
	}
	return r
}

// known is a number of bytes, NULL where it is 0.
func known(bytes int64) any {
	if bytes == 0 {
		return nil
	}
	return int(bytes)
}
