package planner

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// FormatSeconds prints a time in the unit that suits it. The limits are where
// rounding would print the next unit.
func FormatSeconds(s float64) string {
	switch {
	case s < .9995e-3:
		return fmt.Sprintf("%.0f us", s*1e6)
	case s < .9995:
		return fmt.Sprintf("%.0f ms", s*1e3)
	case s < 9.995:
		return fmt.Sprintf("%.2f s", s)
	case s < 119.95:
		return fmt.Sprintf("%.1f s", s)
	case s < 7200:
		whole := int(s + .5)
		return fmt.Sprintf("%d min %02d s", whole/60, whole%60)
	}
	return fmt.Sprintf("%.1f h", s/3600)
}

// FormatRange prints a time with the range that it may have: 1.90 s (1.62 s to 2.31 s).
func FormatRange(s, least, most float64) string {
	return fmt.Sprintf("%s (%s to %s)", FormatSeconds(s), FormatSeconds(least), FormatSeconds(most))
}

// FormatAge prints how long ago something was, roughly.
func FormatAge(d time.Duration) string {
	ago := func(n int, unit string) string { return Counted(n, unit) + " ago" }
	switch {
	case d < -time.Minute: // a clock was wrong, then or now
		return "in the future"
	case d < time.Minute:
		return "just now"
	case d < time.Hour:
		return ago(int(d.Minutes()), "minute")
	case d < 48*time.Hour:
		return ago(int(d.Hours()), "hour")
	}
	return ago(int(d.Hours()/24), "day")
}

// Counted prints how many there are of a thing: 1 class, 2 classes.
func Counted(n int, thing string) string {
	switch {
	case n == 1:
		return "1 " + thing
	case strings.HasSuffix(thing, "s"), strings.HasSuffix(thing, "ch"):
		return fmt.Sprintf("%d %ses", n, thing)
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// FormatCount prints a large number with three digits and a letter: 1.23 G.
func FormatCount(n int64) string {
	v := float64(n)
	for _, u := range []struct {
		size float64
		name string
	}{{1e15, " P"}, {1e12, " T"}, {1e9, " G"}, {1e6, " M"}, {1e3, " k"}} {
		if v >= u.size*.9995 {
			return digits(v/u.size) + u.name
		}
	}
	return fmt.Sprint(n)
}

// FormatBytes prints an amount of memory with three digits.
func FormatBytes(n int64) string {
	v := float64(n)
	for _, u := range []struct {
		size float64
		name string
	}{{1 << 30, " GiB"}, {1 << 20, " MiB"}, {1 << 10, " KiB"}} {
		if v >= u.size*.9995 {
			return digits(v/u.size) + u.name
		}
	}
	return fmt.Sprintf("%d B", n)
}

// FormatTimes prints how many times as much with three digits: 3.46x.
func FormatTimes(v float64) string { return digits(v) + "x" }

// digits prints three significant digits.
func digits(v float64) string {
	switch {
	case v < 9.995:
		return fmt.Sprintf("%.2f", v)
	case v < 99.95:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.0f", v)
}

// FormatError prints a small number with two digits and its power of ten: 1.4e-5.
func FormatError(v float64) string {
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(v, 'e', 1, 64), "e")
	power, err := strconv.Atoi(exponent)
	if err != nil || power == 0 { // infinite or not a number, which have no power
		return mantissa
	}
	return fmt.Sprintf("%se%d", strings.TrimSuffix(mantissa, ".0"), power)
}

// percent prints a share.
func percent(share float64) string { return fmt.Sprintf("%.0f%%", 100*share) }
