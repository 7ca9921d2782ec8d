package course

import (
	"testing"
	"time"
)

// The speed is that of late, not since the beginning.
func TestSpeed(t *testing.T) {
	now := time.Now()
	c := Begin("a", 1195, now)
	if c.Speed() != "" || c.Left() != "" {
		t.Errorf("at once %s/s, %s left", c.Speed(), c.Left())
	}
	for i := range 300 {
		done := i
		if i > 100 {
			done = 100 + 5*(i-100)
		}
		c.Add(now.Add(time.Duration(i)*100*time.Millisecond), done)
	}
	if v := c.speed(); v < 49.9 || v > 50.1 {
		t.Errorf("%g/s, want 50", v)
	}
	if c.Speed() != "50" || c.Left() != "2 s" {
		t.Errorf("%s/s, %s left", c.Speed(), c.Left())
	}
	if n := len(c.recent); n > 90 {
		t.Errorf("%d moments are kept", n)
	}
}

func TestDuration(t *testing.T) {
	for seconds, want := range map[float64]string{
		0.01: "1 s", 5: "5 s", 59.5: "1 min 0 s", 130: "2 min 10 s", 7260: "2 h 1 min", 1e9: "days",
	} {
		if got := duration(seconds); got != want {
			t.Errorf("%g: %q, want %q", seconds, got, want)
		}
	}
}
