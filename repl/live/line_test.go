package live

import (
	"strings"
	"testing"
	"time"

	"github.com/mattn/go-runewidth"

	"occlude/repl/course"
)

func TestLine(t *testing.T) {
	now := time.Now()
	c := course.Begin("scans/patient-0042/chest.png", 2809, now)
	for i := range 50 {
		c.Add(now.Add(time.Duration(i)*100*time.Millisecond), 30*i)
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
		got := strings.NewReplacer("\x1b[2m", "", "\x1b[22m", "").Replace(line(&c, columns, false))
		if got != want || runewidth.StringWidth(got) > max(1, columns) {
			t.Errorf("%d columns:\n%q, want\n%q", columns, got, want)
		}
	}
	if got := line(&c, 70, true); got != "chest.png   52% ======-------  1470 of 2809 positions, 300/s, 5 s left" {
		t.Errorf("plain: %q", got)
	}
	c.Image, c.Number, c.Of = "x/a\x1b[2J-name-that-goes-on-and-on-until-nobody-knows-what-it-was-about.png", 2, 30
	if got := line(&c, 90, false); !strings.HasPrefix(got, "image 2 of 30, a") || strings.Contains(got, "\x1b[2J") || !strings.Contains(got, "…") {
		t.Errorf("%q", got)
	}
}
