package planner

import (
	"errors"
	"fmt"
	"strings"
)

// tooLarge tells that a candidate does not fit into the memory limit, however small
// its batches and however few its threads.
type tooLarge struct {
	candidate *Candidate
	limit     int64 // bytes
	auto      bool  // the limit is what was free
}

func (e *tooLarge) Error() string {
	c := e.candidate
	limit := "memory_limit is " + FormatBytes(e.limit)
	if e.auto {
		limit = "memory_limit = 'auto' allows " + FormatBytes(e.limit) + ", 80% of what was free"
	}
	return fmt.Sprintf("the %s plan needs %s with %s and batches of %d, %s", c.Name, FormatBytes(c.Estimate.PeakBytes), Counted(c.Threads, "thread"), c.Batch, limit)
}

// noRoom tells that a candidate does not fit into the free memory of a GPU.
type noRoom struct {
	candidate *Candidate
	batch     int
	takes     OnGPU
}

func (e *noRoom) Error() string {
	c, t := e.candidate, e.takes
	if t.Workers == 0 {
		return fmt.Sprintf("batches of %d are beyond what the GPU's kernels can count", e.batch)
	}
	return fmt.Sprintf("the %s plan needs %s of its memory with batches of %d (weights %s, views %s, one worker %s), of which %s are free",
		c.Name, FormatBytes(t.Total()), e.batch, FormatBytes(t.Weights), FormatBytes(t.Views), FormatBytes(t.Workers), FormatBytes(t.Free))
}

// wouldFit says what would fit instead of a plan that was refused, "" for other
// errors. The candidates are all that were considered.
func wouldFit(q *Occlude, h hints, r resources, all []*Candidate, err error) string {
	large := new(tooLarge)
	if !errors.As(err, &large) {
		return ""
	}
	var ways []string
	c := *large.candidate
	if c.Device == nil && (h.batch > 0 || h.threads > 0) { // what was forced may be what is too large
		c.Threads, c.Batch = 1, max(1, min(h.batch, len(q.Grid.Positions)))
		if c.fit(q, 1, r) {
			ways = append(ways, fmt.Sprintf("threads = 1, batch = %d would fit", c.Batch))
		}
	}
	for _, other := range all {
		if other.refused == nil {
			ways = append(ways, "the "+other.title()+" plan would fit")
			break
		}
	}
	if held := r.held.Others; held > 0 && large.candidate.Estimate.PeakBytes-held <= r.memory {
		ways = append(ways, fmt.Sprintf("DROP MODEL would free the %s that other models hold", FormatBytes(held)))
	}
	ways = append(ways, fmt.Sprintf("SET memory_limit = '%dMB' would do", large.candidate.Estimate.PeakBytes/1_000_000+1))
	return strings.Join(ways, "; ")
}
