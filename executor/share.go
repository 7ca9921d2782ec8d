package executor

import "sync"

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
