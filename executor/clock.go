package executor

import (
	"math"
	"time"

	"occlude/planner"
)

// clock divides the time of WITHIN: it tells how many positions can still be
// computed when all that comes after them is to end in time too.
type clock struct {
	start, end time.Time // end is zero where there is no limit
	after      time.Duration
	each       time.Duration // a position's, as measured last
}

const (
	// caution enlarges what positions are expected to take before any was
	// measured, and hurry what they were measured to take: the machine may get
	// busier.
	caution, hurry = 1.5, 1.15
	// reserve is the share of the time that is kept for what nobody foresees.
	reserve = 0.02
)

// newClock divides what is left of the time of the query evenly over the images
// that are left, the present one included.
func newClock(p *planner.Occlude, images int, a *planner.Adaptive) *clock {
	c := &clock{start: time.Now(), each: seconds(caution * a.SecondsExact), after: seconds(caution * a.SecondsAfter)}
	if within := p.Goals.Within; within > 0 {
		all := p.Started.Add(within)
		c.end = c.start.Add(time.Until(all) / time.Duration(max(1, images)))
		c.after += seconds(caution * a.SecondsExact * float64(p.Goals.Verify))
		c.after += time.Duration(reserve * float64(within) / float64(len(p.Images)))
	}
	return c
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

func (c *clock) unlimited() bool { return c.end.IsZero() }

// last is when the last position has to be computed if an estimate follows that
// takes a little longer than the one before.
func (c *clock) last(estimate time.Duration) time.Time {
	return c.end.Add(-c.after - estimate*3/2)
}

// affords is how many of n positions can be computed before the last estimate.
func (c *clock) affords(n int, estimate time.Duration) int {
	if c.unlimited() {
		return n
	}
	left := time.Until(c.last(estimate))
	return max(0, min(n, int(float64(left)/(hurry*float64(max(c.each, 1))))))
}

// batch is the most positions that a worker should compute together, for a batch
// that is under way when the time is up is lost.
func (c *clock) batch() int {
	if c.unlimited() {
		return math.MaxInt
	}
	const lost = 0.03 // share of the time
	return max(1, int(lost*float64(c.end.Sub(c.start))/float64(max(c.each, 1))))
}

// measured learns from n positions.
func (c *clock) measured(n int, took time.Duration) {
	if n > 0 {
		c.each = took / time.Duration(n)
	}
}
