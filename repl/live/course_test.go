package live

import (
	"strings"
	"testing"
	"time"

	"github.com/mattn/go-runewidth"
)

func TestLine(t *testing.T) {
	now := time.Now()
	c := begin("scans/patient-0042/chest.png", 2809, now)
	for i := range 50 {
		c.add(now.Add(time.Duration(i)*100*time.Millisecond), 30*i)
	}
	for columns, want := range map[int]string{
		120: "chest.png   52% ━━━━━━━━━━━━━━━━────────────────  1470 of 2809 positions · 300/s · 5 s left",
		70:  "chest.png   52% ━━━━━──────  1470 of 2809 positions · 300/s · 5 s left",
		60:  "chest.png   52%  1470 of 2809 positions · 300/s · 5 s left",
		56:  "chest.png   52%  1470 of 2809 positions · 5 s left",
		40:  "chest.png   52% ━━━━━━━───────  5 s left",
		20:  "chest.png   52%",
		5:   "52%",
		1:   "…",
		0:   "…",
	} {
		got := strings.NewReplacer("\x1b[2m", "", "\x1b[22m", "").Replace(c.line(columns, false))
		if got != want || runewidth.StringWidth(got) > max(1, columns) {
			t.Errorf("%d columns:\n%q, want\n%q", columns, got, want)
		}
	}
	if got := c.line(70, true); got != "chest.png   52% ======-------  1470 of 2809 positions, 300/s, 5 s left" {
		t.Errorf("plain: %q", got)
	}
	c.image, c.number, c.of = "x/a\x1b[2J-name-that-goes-on-and-on-until-nobody-knows-what-it-was-about.png", 2, 30
	if got := c.line(90, false); !strings.HasPrefix(got, "image 2 of 30, a") || strings.Contains(got, "\x1b[2J") || !strings.Contains(got, "…") {
		t.Errorf("%q", got)
	}
}

// The speed is that of late, not since the beginning.
func TestSpeed(t *testing.T) {
	now := time.Now()
	c := begin("a", 1000, now)
	if v := c.speed(); v != 0 {
		t.Errorf("at once %g/s", v)
	}
	for i := range 300 {
		done := i
		if i > 100 {
			done = 100 + 5*(i-100)
		}
		c.add(now.Add(time.Duration(i)*100*time.Millisecond), done)
	}
	if v := c.speed(); v < 49.9 || v > 50.1 {
		t.Errorf("%g/s, want 50", v)
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
