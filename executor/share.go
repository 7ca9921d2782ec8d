package executor

import (
	"context"
	"sync"

	"occlude/internal/defect"
)

// share deals the positions of a heat map out to its workers, a batch at a time.
type share struct {
	total, batch, workers int
	first                 int // of the positions, the coarsest level, which is to be seen soon

	mu   sync.Mutex
	next int
	fits int // what batch was shrunk to, 0 where it was not
}

// shrink lets batches be no larger than what fits.
func (s *share) shrink(fits int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.batch = min(s.batch, fits)
	s.fits = s.batch
}

// take gives the next positions, from (included) to (not included); none when
// all are dealt. What is less than a batch for everybody is dealt evenly, so
// that the workers end together, and so are the first positions.
func (s *share) take() (from, to int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rest := s.total - s.next
	n := min(s.batch, (rest+s.workers-1)/s.workers)
	if left := s.first - s.next; left > 0 {
		n = min(n, left, (s.first+s.workers-1)/s.workers)
	}
	from = s.next
	s.next += n
	return from, s.next
}

// deal lets workers take positions and do them until none is left or one fails, whose error
// ends the others. It tells how many were done and, if those are not all, what ended it.
func (s *share) deal(ctx context.Context, do func(ctx context.Context, worker, from, to int) error) (done int, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	work := func(worker int) (err error) {
		defer defect.Recover(&err)
		for {
			from, to := s.take()
			if from == to {
				return nil
			}
			if err := do(ctx, worker, from, to); err != nil {
				return err
			}
			s.mu.Lock()
			done += to - from
			s.mu.Unlock()
		}
	}
	var group sync.WaitGroup
	for worker := range s.workers {
		group.Go(func() {
			if err := work(worker); err != nil {
				cancel(err) // the first error ends the others
			}
		})
	}
	group.Wait()
	if done < s.total { // else the context ended too late to matter
		return done, context.Cause(ctx)
	}
	return done, nil
}
