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
	// each is what a position takes, as measured last, and cheap what a sketch does as
	// a share of that.
	each     time.Duration
	cheap    float64
	planned  time.Duration // what was expected of each
	estimate time.Duration // what the last one took, and the choice of positions before it
	choice   time.Duration // that of the stage
}

const (
	// caution enlarges what positions are expected to take before any was
	// measured, and hurry what they were measured to take: the machine may get
	// busier.
	caution, hurry = 1.5, 1.15
	// reserve is the share of the time that is kept for what nobody foresees.
	reserve = 0.02
	// lost is the share of the time that a batch may take: if it is under way when
	// the time is up, it is lost.
	lost = 0.03
)

// newClock divides what is left of the time of the query evenly over the images
// that are left, the present one included.
func newClock(p *planner.Occlude, images int, a *planner.Adaptive) *clock {
	c := &clock{
		start: time.Now(), after: seconds(caution * a.SecondsAfter),
		each: seconds(caution * a.SecondsExact), planned: seconds(a.SecondsExact), cheap: a.SketchCost,
	}
	if within := p.Goals.Within; within > 0 {
		c.end = c.start.Add(time.Until(p.Started.Add(within)) / time.Duration(max(1, images)))
		c.after += seconds(caution * a.SecondsExact * float64(p.Goals.Verify))
		c.after += time.Duration(reserve * float64(within) / float64(len(p.Images)))
	}
	return c
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

func (c *clock) unlimited() bool { return c.end.IsZero() }

// last is when the last position has to be computed if an estimate follows that
// takes a little longer than the one before.
func (c *clock) last() time.Time { return c.end.Add(-c.after - c.estimate*3/2) }

// share is how much of some positions can be computed before the last estimate,
// from 0 to 1.
func (c *clock) share(exact, sketches int) float64 { return c.part(c.whole(exact, sketches), c.each) }

// all tells whether n positions can be computed exactly. Many at once take less
// than the few that were measured, but what was planned.
func (c *clock) all(n int) bool { return c.part(float64(n), min(c.each, c.planned)) == 1 }

// part is how much of so many positions of the same duration can be computed.
func (c *clock) part(n float64, each time.Duration) float64 {
	if c.unlimited() {
		return 1
	}
	return max(0, min(1, float64(time.Until(c.last()))/(hurry*n*float64(max(each, 1)))))
}

// whole is how many exact positions some positions are worth.
func (c *clock) whole(exact, sketches int) float64 { return float64(exact) + c.cheap*float64(sketches) }

// has tells whether so much time is left before the last estimate.
func (c *clock) has(d time.Duration) bool {
	return c.unlimited() || time.Until(c.last()) > d
}

// late tells whether the end is past by more than a tenth of the time.
func (c *clock) late() bool {
	return !c.unlimited() && time.Since(c.end) > c.end.Sub(c.start)/10
}

// batch is the most positions that a worker should compute together.
func (c *clock) batch() int {
	if c.unlimited() {
		return math.MaxInt
	}
	return max(1, int(lost*float64(c.end.Sub(c.start))/float64(max(c.each, 1))))
}

// measured learns from positions that took some time.
func (c *clock) measured(exact, sketches int, took time.Duration) {
	if n := c.whole(exact, sketches); n > 0 {
		c.each = time.Duration(float64(took) / n)
	}
}
