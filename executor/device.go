package executor

import (
	"context"
	"errors"
	"fmt"

	"occlude/internal/settings"
	"occlude/operators"
	"occlude/operators/gpu"
	"occlude/operators/gpu/driver"
	"occlude/planner"
)

// A plan for a GPU runs as any other does: its program and its views are on the device, and
// everything else here. What is different is in this file: that the device has memory of its
// own, and that it can fail.

// Device implements planner.Devices.
func (s *Session) Device(name string) (*planner.Device, error) {
	d, err := s.Devices.Open(name)
	if err != nil {
		return nil, err
	}
	if err := d.Lost(); err != nil {
		s.forgetDevice(name)
		if errors.Is(err, driver.ErrKernels) {
			return nil, err
		}
		return nil, fmt.Errorf("%w; who starts Occlude anew may have it again", err)
	}
	free, _, err := d.Memory()
	if err != nil {
		return nil, err
	}
	return &planner.Device{Name: name, Properties: d.Properties(), Free: free + d.Held()}, nil
}

// onDevice says of an error, unless the context's end is what caused it, which GPU it is
// of.
func onDevice(ctx context.Context, name string, d *gpu.Device, err error) error {
	if err == nil || ctx.Err() != nil {
		return err
	}
	return fmt.Errorf("%s (%s): %w", name, d.Properties().Name, err)
}

// onDevice is that of a plan's GPU, if it has one.
func (s *Session) onDevice(ctx context.Context, p *planner.Occlude, err error) error {
	on := p.Chosen().Device
	if on == nil || err == nil {
		return err
	}
	d, opened := s.Devices.Open(on.Name)
	if opened != nil {
		return errors.Join(err, opened)
	}
	return onDevice(ctx, on.Name, d, err)
}

// forgetDevice lets go of everything that is on a device.
func (s *Session) forgetDevice(name string) {
	for _, k := range s.latest() {
		if k.program.device == name {
			s.drop(k)
		}
	}
}

// dropOthers lets go of everything that is on a plan's GPU and is not its own program, and
// tells whether there was anything.
func (s *Session) dropOthers(p *planner.Occlude) bool {
	on, own := p.Chosen().Device, s.own(p)
	if on == nil {
		return false
	}
	found := false
	for _, k := range s.latest() {
		if k.program.device == on.Name && (k.seen != nil || k.program != own) {
			s.drop(k)
			found = true
		}
	}
	s.collect([]string{on.Name})
	return found
}

// collect has GPUs take back at once what was let go of.
func (s *Session) collect(names []string) {
	for _, name := range names {
		if d, err := s.Devices.Open(name); err == nil {
			_ = d.Collect() // a device that is lost has nothing to take back
		}
	}
}

// residentBytes is what views take of a GPU's memory.
func residentBytes(v *operators.Views) int64 {
	if v.Resident == nil {
		return 0
	}
	return v.Resident.Bytes()
}

// deviceRoom is how much of its GPU's memory a plan leaves to what is kept for others;
// false where it has no GPU, or nobody knows.
func (s *Session) deviceRoom(p *planner.Occlude) (bytes int64, known bool) {
	c := p.Chosen()
	if c.Estimate.OnGPU == nil {
		return 0, false
	}
	now, err := s.Device(c.Device.Name) // for other processes take memory of it, too
	if err != nil {
		return 0, false
	}
	return now.Free - c.Estimate.OnGPU.Total(), true
}

// processors is a plan as it runs on the processor instead of a GPU, and why; false where the
// planner has left none.
func processors(p *planner.Occlude, why string) (*planner.Occlude, bool) {
	for i, c := range p.Candidates {
		if c.Device != nil || !c.Possible() {
			continue
		}
		q := *p
		q.Candidates = append([]*planner.Candidate{c}, p.Candidates[:i:i]...)
		q.Candidates = append(q.Candidates, p.Candidates[i+1:]...)
		q.Threads, q.Device, q.NoDevice = c.Threads, settings.DeviceCPU, why
		return &q, true
	}
	return nil, false
}

// scarce tells whether it is a device's memory that was missing.
func scarce(err error) bool { return errors.Is(err, driver.ErrMemory) }
