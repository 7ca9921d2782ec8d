package live

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/clipperhouse/displaywidth"

	"occlude/internal/typeset"
)

// course is how far a query has come.
type course struct {
	image       string
	number, of  int // of several images; 0 of one
	total, done int // positions
	started     time.Time
	recent      []moment
}

// moment is how many positions were done when.
type moment struct {
	at   time.Time
	done int
}

// recently is how far back the speed is measured.
const recently = 8 * time.Second

func begin(image string, positions int, now time.Time) course {
	return course{image: image, total: positions, started: now, recent: []moment{{now, 0}}}
}

// add notes how much is done.
func (c *course) add(now time.Time, done int) {
	c.done = done
	c.recent = append(c.recent, moment{now, done})
	for len(c.recent) > 2 && now.Sub(c.recent[1].at) > recently {
		c.recent = c.recent[1:]
	}
}

// speed is positions per second of late, 0 if nothing was done.
func (c *course) speed() float64 {
	first, last := c.recent[0], c.recent[len(c.recent)-1]
	if s := last.at.Sub(first.at).Seconds(); s > 0 {
		return float64(last.done-first.done) / s
	}
	return 0
}

const (
	leastBar = 8 // characters of the bar
	mostBar  = 32
)

// line tells it in some columns: what matters less is left out where there is no room.
func (c *course) line(columns int, plain bool) string {
	name := typeset.Plain(filepath.Base(c.image))
	if c.of > 0 {
		name = fmt.Sprintf("image %d of %d, %s", c.number, c.of, name)
	}
	percent := 0
	if c.total > 0 {
		percent = min(100*c.done/c.total, 100)
	}
	parts := []string{fmt.Sprintf("%d of %d positions", c.done, c.total)}
	if v := c.speed(); v > 0 {
		parts = append(parts, perSecond(v)+"/s")
		if left := c.total - c.done; left > 0 {
			parts = append(parts, duration(float64(left)/v)+" left")
		}
	}
	between := " · "
	if plain {
		between = ", "
	}
	// From all that there is to the percentage alone.
	for _, tail := range tails(parts) {
		text := fmt.Sprintf("%3d%%", percent)
		end := ""
		if len(tail) > 0 {
			end = "  " + strings.Join(tail, between)
		}
		room := columns - displaywidth.String(text+end) - 2
		if short := typeset.Shorten(name, room, displaywidth.String); displaywidth.String(short) >= min(displaywidth.String(name), 12) {
			bar := min(room-displaywidth.String(short)-1, mostBar)
			if bar >= leastBar {
				text += " " + c.bar(bar, plain)
			}
			return short + "  " + text + end
		}
	}
	return typeset.Shorten(fmt.Sprintf("%d%%", percent), max(0, columns), displaywidth.String)
}

// tails are parts with fewer and fewer of them; the time left goes last.
func tails(parts []string) [][]string {
	list := [][]string{parts}
	if len(parts) == 3 {
		list = append(list, []string{parts[0], parts[2]}, parts[2:])
	} else {
		list = append(list, parts[:1])
	}
	return append(list, nil)
}

// bar shows the share that is done.
func (c *course) bar(length int, plain bool) string {
	full := 0
	if c.total > 0 {
		full = min(length*c.done/c.total, length)
	}
	if plain {
		return strings.Repeat("=", full) + strings.Repeat("-", length-full)
	}
	return strings.Repeat("━", full) + "\x1b[2m" + strings.Repeat("─", length-full) + "\x1b[22m"
}

// perSecond writes a speed with two digits at least.
func perSecond(v float64) string {
	if v < 9.95 {
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.0f", v)
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
