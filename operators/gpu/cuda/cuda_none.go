//go:build !cuda || !linux || !cgo

package cuda

import "occlude/operators/gpu/driver"

// Open opens a GPU by its number. This program was built without.
func Open(int) (driver.Driver, error) {
	return nil, driver.ErrNotBuilt
}
