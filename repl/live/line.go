package live

import (
	"fmt"
	"strings"

	"github.com/clipperhouse/displaywidth"

	"occlude/internal/typeset"
	"occlude/repl/course"
)

const (
	leastBar = 8 // characters of the bar
	mostBar  = 32
)

// line tells the course of a query in some columns: what matters less is left out where
// there is no room.
func line(c *course.Course, columns int, plain bool) string {
	name, percent := c.Name(), c.Share(100)
	parts := []string{c.Positions()}
	if speed := c.Speed(); speed != "" {
		parts = append(parts, speed+"/s")
	}
	if left := c.Left(); left != "" {
		parts = append(parts, left+" left")
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
			length := min(room-displaywidth.String(short)-1, mostBar)
			if length >= leastBar {
				text += " " + bar(c, length, plain)
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
func bar(c *course.Course, length int, plain bool) string {
	full := c.Share(length)
	if plain {
		return strings.Repeat("=", full) + strings.Repeat("-", length-full)
	}
	return strings.Repeat("━", full) + "\x1b[2m" + strings.Repeat("─", length-full) + "\x1b[22m"
}
