package executor

import "testing"

// TestShare checks that every position is dealt once, in order, in batches that
// end evenly.
func TestShare(t *testing.T) {
	for _, c := range []struct{ total, batch, workers int }{
		{0, 4, 2}, {1, 4, 2}, {7, 4, 2}, {100, 8, 3}, {64, 64, 1}, {2809, 32, 2}, {5, 1, 7},
	} {
		s := &share{total: c.total, batch: c.batch, workers: c.workers}
		next, last := 0, c.batch
		for {
			from, to := s.take()
			if from != next || to-from > c.batch || to-from > last {
				t.Fatalf("%+v: dealt %d to %d after %d, %d at most", c, from, to, next, last)
			}
			if rest := c.total - from; to-from > (rest+c.workers-1)/c.workers {
				t.Fatalf("%+v: dealt %d of the last %d", c, to-from, rest)
			}
			if from == to {
				break
			}
			next, last = to, to-from
		}
		if next != c.total {
			t.Errorf("%+v: dealt %d", c, next)
		}
	}
}

// The first positions are dealt evenly in a round of their own, as far as batches go.
func TestShareOfTheFirst(t *testing.T) {
	for _, c := range []struct {
		first, batch, workers int
		want                  []int // the sizes of the first batches
	}{
		{25, 64, 2, []int{13, 12, 64, 64}}, {25, 8, 2, []int{8, 8, 8, 1, 8}}, {3, 64, 8, []int{1, 1, 1, 64}}, {0, 64, 2, []int{64, 64}},
	} {
		s := &share{total: 2809, batch: c.batch, workers: c.workers, first: c.first}
		for i, want := range c.want {
			if from, to := s.take(); to-from != want {
				t.Errorf("%+v: batch %d has %d positions", c, i, to-from)
			}
		}
	}
}
