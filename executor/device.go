package executor

import (
	"occlude/planner"
)

// Device implements planner.Devices.
func (s *Session) Device(name string) (*planner.Device, error) {
	d, err := s.Devices.Open(name)
	if err != nil {
		return nil, err
	}
	free, _, err := d.Memory()
	if err != nil {
		return nil, err
	}
	return &planner.Device{Name: name, Properties: d.Properties(), Free: free + d.Held()}, nil
}
