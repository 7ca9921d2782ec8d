package defect

import (
	"fmt"
	"runtime/debug"
)

// Defect is a panic of the engine's own code.
type Defect struct {
	Value any    // of the panic
	Stack []byte // where it happened
}

func (d *Defect) Error() string {
	return fmt.Sprintf("a fault in occlude itself, please report it: %v\n%s", d.Value, d.Stack)
}

// Recover, deferred, turns a panic of the function into an error. Each
// goroutine needs its own.
func Recover(err *error) {
	if r := recover(); r != nil {
		*err = &Defect{Value: r, Stack: debug.Stack()}
	}
}
