package planner

import "occlude/operators/gpu/driver"

// Devices is what the planner asks about what can compute beside the processor.
type Devices interface {
	// Device is the one of a name, cuda:0, or why it cannot be used. It may be opened
	// when it is asked for first.
	Device(name string) (*Device, error)
}

// Device is a GPU, as far as plans depend on it.
type Device struct {
	Name string // as SET device names it
	driver.Properties
	// Free is how many bytes of its memory programs could have now, what is kept for
	// other queries included, which can be dropped.
	Free int64
}
