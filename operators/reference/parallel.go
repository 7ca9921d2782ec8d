package reference

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
)

// parallel does the tasks 0..n-1 on all processors, looking at the context
// before each, so a task should take a few milliseconds at most. Tasks must not
// depend on each other. A panic in a task comes back as an error.
func parallel(ctx context.Context, n int, task func(i int)) error {
	workers := min(runtime.GOMAXPROCS(0), n)
	var next atomic.Int64
	work := func() (err error) {
		defer func() {
			if r := recover(); r != nil {
				err = fmt.Errorf("internal error: %v", r)
			}
		}()
		for {
			i := int(next.Add(1)) - 1
			if i >= n {
				return nil
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			task(i)
		}
	}
	if workers <= 1 {
		return work()
	}
	errs := make([]error, workers)
	var group sync.WaitGroup
	for w := range workers {
		group.Go(func() { errs[w] = work() })
	}
	group.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// inChunks splits 0..n into pieces and handles them in parallel.
func inChunks(ctx context.Context, n int, piece func(lo, hi int)) error {
	return parallel(ctx, (n+longRow-1)/longRow, func(i int) {
		piece(i*longRow, min((i+1)*longRow, n))
	})
}
