//go:build !cuda || !linux || !cgo

package cuda

import (
	"errors"

	"occlude/operators/gpu/driver"
)

// Open opens a GPU by its number. This program was built without.
func Open(int) (driver.Driver, error) {
	return nil, errors.New("this program was built without CUDA; on Linux, `go build -tags cuda` builds one with it")
}
