package course

import (
	"fmt"
	"path/filepath"
	"time"

	"occlude/internal/typeset"
)

// Course is how far a query has come. It is not for several goroutines at once.
type Course struct {
	Image       string // that is computed
	Number, Of  int    // of several images; 0 of one
	Total, Done int    // positions
	Started     time.Time

	recent []moment
}

// moment is how many positions were done when.
type moment struct {
	at   time.Time
	done int
}

// recently is how far back the speed is measured.
const recently = 8 * time.Second

// Begin begins a query of so many positions, 0 if that is not known yet.
func Begin(image string, positions int, now time.Time) Course {
	return Course{Image: image, Total: positions, Started: now, recent: []moment{{now, 0}}}
}

// Add notes how much is done by now.
func (c *Course) Add(now time.Time, done int) {
	c.Done = done
	c.recent = append(c.recent, moment{now, done})
	for len(c.recent) > 2 && now.Sub(c.recent[1].at) > recently {
		c.recent = c.recent[1:]
	}
}

// Name is the image's, and of several which one it is.
func (c *Course) Name() string {
	name := typeset.Plain(filepath.Base(c.Image))
	if c.Of > 0 {
		name = fmt.Sprintf("image %d of %d, %s", c.Number, c.Of, name)
	}
	return name
}

// Positions is how many of them are done.
func (c *Course) Positions() string { return fmt.Sprintf("%d of %d positions", c.Done, c.Total) }

// Share is the part of a whole that is done: of 100 the percentage.
func (c *Course) Share(whole int) int {
	if c.Total <= 0 {
		return 0
	}
	return min(whole*c.Done/c.Total, whole)
}

// Speed is positions in a second of late, with two digits at least; "" while nothing is
// done.
func (c *Course) Speed() string {
	switch v := c.speed(); {
	case v <= 0:
		return ""
	case v < 9.95:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.0f", v)
	}
}

// Left is the time that is left at that speed; "" while that is not known, and in the end.
func (c *Course) Left() string {
	v, left := c.speed(), c.Total-c.Done
	if v <= 0 || left <= 0 {
		return ""
	}
	return duration(float64(left) / v)
}

func (c *Course) speed() float64 {
	first, last := c.recent[0], c.recent[len(c.recent)-1]
	if s := last.at.Sub(first.at).Seconds(); s > 0 {
		return float64(last.done-first.done) / s
	}
	return 0
}

// duration writes seconds as people say them.
func duration(seconds float64) string {
	const long = 100 * 3600
	s := int(min(seconds, long) + 0.999)
	switch {
	case s >= long:
		return "days"
	case s >= 3600:
		return fmt.Sprintf("%d h %d min", s/3600, s%3600/60)
	case s >= 60:
		return fmt.Sprintf("%d min %d s", s/60, s%60)
	}
	return fmt.Sprintf("%d s", s)
}
