//go:build cuda && linux

package cuda

/*
#include <cuda.h>
*/
import "C"

import (
	"errors"
	"fmt"
	"reflect"
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
		return fmt.Errorf("%w: %s", driver.ErrLost, said(err))
	}
	return errors.New(said(err))
}

// said is an error of package cu in the driver's words, for cu has none for codes that are
// newer than itself.
func said(err error) string {
	code := reflect.ValueOf(err) // whose type cu does not export
	if code.Kind() != reflect.Int {
		return err.Error()
	}
	return meaning(int(code.Int()))
}

// meaning is a code of CUDA, and what the driver says of it if there is one.
func meaning(code int) string {
	var text *C.char
	if C.cuGetErrorString(C.CUresult(code), &text) != C.CUDA_SUCCESS || text == nil {
		return fmt.Sprintf("CUDA error %d", code)
	}
	return fmt.Sprintf("CUDA error %d, %s", code, C.GoString(text))
}
