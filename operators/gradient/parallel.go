package gradient

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"occlude/internal/defect"
)

// splitWork is the least that a part is worth a goroutine for, in operations on
// single values, and about a tenth of a millisecond.
const splitWork = 1 << 17

// split calls do for at most as many parts of [0, n) as there are threads, at
// once, where each of the n is as many operations. What is computed for each
// must not depend on where the parts begin.
func (p *pass) split(n, operations int, do func(lo, hi int)) error {
	parts := max(1, min(p.threads, n, n*operations/splitWork))
	if parts == 1 {
		do(0, n)
		return nil
	}
	errs := make([]error, parts)
	var wg sync.WaitGroup
	for i := range parts {
		wg.Go(func() {
			defer defect.Recover(&errs[i])
			do(i*n/parts, (i+1)*n/parts)
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// parallel calls functions with as many goroutines as told, until the context
// ends.
func parallel(ctx context.Context, threads int, all []func()) error {
	var next atomic.Int64
	errs := make([]error, max(1, threads))
	var wg sync.WaitGroup
	for t := range errs {
		wg.Go(func() {
			defer defect.Recover(&errs[t])
			for i := int(next.Add(1)) - 1; i < len(all) && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				all[i]()
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// each makes a pull of a function of one gradient.
func each(f func(edge int, g []float32) ([]float32, error)) pull {
	return func(edge int, g [][]float32) ([][]float32, error) {
		shares := make([][]float32, len(g))
		for k := range g {
			var err error
			if shares[k], err = f(edge, g[k]); err != nil {
				return nil, err
			}
		}
		return shares, nil
	}
}
