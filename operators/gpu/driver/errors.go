package driver

import "errors"

// What a Driver's errors tell beside their text, for errors.Is.
var (
	// ErrMemory is an allocation for which the device has not enough memory left. Others
	// may give some back.
	ErrMemory = errors.New("out of device memory")
	// ErrLost ends all use of a device by this process: nothing on it can be computed,
	// read or given back any more.
	ErrLost = errors.New("the device is lost to this process")
	// ErrKernels tells that the kernels could not be made ready: the driver is too old for
	// them, say. They will not be the next time either.
	ErrKernels = errors.New("the driver does not take the kernels")
)

// Absent tells that there is no device of the number that was asked for, nor of any
// higher one.
type Absent struct{ Reason string }

func (e *Absent) Error() string { return e.Reason }

// ErrNotBuilt tells that a program has no way to any device, whatever the machine has.
var ErrNotBuilt error = &Absent{"this program was built without CUDA; on Linux, `make cuda` in a clone builds one with it"}
