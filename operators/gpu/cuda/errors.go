//go:build cuda && linux

package cuda

import (
	"errors"
	"fmt"
	"slices"

	"gorgonia.org/cu"

	"occlude/operators/gpu/driver"
)

// final are the errors after which, as cuda.h says of each, the context cannot be used any
// more. The primary context is the process's only one.
var final = []error{
	cu.Deinitialized, cu.EccUncorrectable, cu.ContextIsDestroyed, cu.IllegalAddress, cu.LaunchTimeout, cu.Assert, cu.HardwareStackError,
	cu.IllegalInstruction, cu.MisalignedAddress, cu.InvalidAddressSpace, cu.InvalidPc, cu.LaunchFailed,
}

// told is an error of CUDA as package driver tells it.
func told(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, cu.OutOfMemory):
		return driver.ErrMemory
	case slices.ContainsFunc(final, func(e error) bool { return errors.Is(err, e) }):
		return fmt.Errorf("%w: CUDA error %w", driver.ErrLost, err)
	}
	return fmt.Errorf("CUDA error %w", err)
}
