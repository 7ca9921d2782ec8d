package reference

import (
	"context"
	"errors"
	"sync/atomic"

	"occlude/internal/onnx"
)

// A step is a multiply-add or a value that a window sees. Each value that a node
// reads or makes is as much work as elementSteps of them.
const elementSteps = 8

type stepsKey struct{}

var errTooLong = errors.New("takes too long to evaluate while the model is read")

// WithSteps is a context in which Eval takes at most so many steps in all, and
// then fails: a file of a kilobyte may ask for the product of two matrices of
// gigabytes. How many steps a node takes does not depend on the machine.
func WithSteps(ctx context.Context, steps int) context.Context {
	left := new(atomic.Int64)
	left.Store(int64(steps))
	return context.WithValue(ctx, stepsKey{}, left)
}

// spend takes steps from what the context allows: factors multiplied.
func spend(ctx context.Context, factors ...int) error {
	left, ok := ctx.Value(stepsKey{}).(*atomic.Int64)
	if !ok {
		return nil
	}
	rest := left.Load()
	n := int64(1)
	for _, f := range factors {
		if f == 0 {
			return nil
		}
		if n > rest/int64(f) {
			return errTooLong
		}
		n *= int64(f)
	}
	left.Add(-n)
	return nil
}

// affords tells whether there are steps left to make n values.
func affords(ctx context.Context, n int) error {
	if left, ok := ctx.Value(stepsKey{}).(*atomic.Int64); ok && int64(n) > left.Load()/elementSteps {
		return errTooLong
	}
	return nil
}

// spendOn takes the steps of reading or making tensors.
func spendOn(ctx context.Context, tensors []*onnx.Tensor) error {
	n := 0
	for _, t := range tensors {
		if t != nil {
			n += t.Len()
		}
	}
	return spend(ctx, n, elementSteps)
}
