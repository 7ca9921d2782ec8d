package repl_test

import (
	"regexp"
	"strings"
	"testing"

	"occlude/repl"
)

// title is what stands above the tables of a benchmark, without what depends on the
// machine.
func title(text string) string {
	text, _, _ = strings.Cut(text, "\n\n")
	return regexp.MustCompile(`(?m)^  machine   .*\n`).ReplaceAllString(strings.TrimPrefix(text, created), "")
}

func TestBenchmarkForPeople(t *testing.T) {
	const timed = "  time      from the image's file to its heat map; models were loaded and weights packed before\n"
	for text, want := range map[string]string{
		"BENCHMARK (RUNS 1, WARMUP 0) OCCLUDE 'images/nodule.png' USING chest STRIDE 104 FOR TOP 2 WHERE x > 0;": `BENCHMARK images/nodule.png USING chest
  class     nodule (class 1), p0 = 0.9532
            clear (class 0), p0 = 0.0175
  grid      patch 16x16, stride 104, fill gray: 3 x 3 = 9 positions, 6 where x > 0
  runs      1 of each plan, in turn
` + timed + `  against   full: speedup, largest difference of p, SSIM
  *         what the planner would choose`,
		"BENCHMARK (RUNS 2, WARMUP 2, PLANS (approximate WITH (tau = 0.4), incremental WITH (batch = 2))) OCCLUDE 'images/nodule.png' USING chest AT (0, 0), (9, 9);": `BENCHMARK images/nodule.png USING chest
  class     nodule (class 1), p0 = 0.9532
  grid      patch 16x16, fill gray: 2 by hand
  runs      2 of each plan, in turn, after 2 that do not count
` + timed + `  against   incremental WITH (batch = 2): speedup, largest difference of p, SSIM`,
		"BENCHMARK (RUNS 1, WARMUP 0, PLANS (approximate WITH (tau = 0.4))) OCCLUDE 'images/nodule*.png' USING chest STRIDE 104;": `BENCHMARK 2 images, images/nodule-2.png to images/nodule.png, USING chest
  grid      patch 16x16, stride 104, fill gray: 3 x 3 = 9 positions
  runs      1 of each plan, in turn
  time      from the 2 images' files to their heat maps; models were loaded and weights packed before
  against   approximate WITH (tau = 0.4): speedup; no plan is exact, so there is nothing to judge the maps by`,
	} {
		if got := title(printed(t, "table", text, nil)); got != want {
			t.Errorf("%s\nprints\n%s\nwant\n%s", text, got, want)
		}
	}
	got := printed(t, "table", "BENCHMARK (RUNS 1, WARMUP 0, PLANS (incremental, full)) OCCLUDE 'images/nodule.png' USING chest STRIDE 104;", nil)
	for _, want := range []string{
		`(?m)^ plan +\| runs \| median +\| range +\| speedup \| estimate +\| estimate / median $`,
		`(?m)^ incremental \* +\| +1 \| .* [0-9.]+x \| +[0-9.]+ [mu]?s \([0-9.]+ [mu]?s to [0-9.]+ [mu]?s\) \| +[0-9.]+x $`,
		`(?m)^ full +\| +1 \| .* \| +1\.00x \|`,
		`(?m)^ plan +\| positions \| multiply-adds \| memory +\| estimate +\| difference +\| SSIM +$`,
		`(?m)^ full +\| +9 \| +781 M \| +[0-9.]+ [KM]iB \| +[0-9.]+ [KM]iB \| +reference \| reference $`,
		`(?m)^ incremental \* +\| +9 \| .* \| +([0-9.]+e-[0-9]+|0) \| +1\.0000 $`,
	} {
		if !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("nothing like %s in\n%s", want, got)
		}
	}
}

func TestComparisonForPeople(t *testing.T) {
	got := timeless(printed(t, "table", `
		COMPARE (OCCLUDE 'images/nodule.png' USING chest FOR TOP 2 STRIDE 104) WITH (OCCLUDE 'images/clear.png' USING chest FOR TOP 2 STRIDE 104 FILL black);
		COMPARE (OCCLUDE 'images/nodule.png' USING chest AT (160, 72)) WITH (OCCLUDE 'images/nodule.png' USING chest AT (160, 72) WITH (plan = full));`,
		func(p *repl.Printer) { p.Terminal = blocks(140) }))
	lines := strings.Split(strings.TrimPrefix(got, created), "\n")
	want := []string{
		"COMPARE images/nodule.png USING chest WITH images/clear.png USING chest",
		"  grid      patch 16x16, stride 104: 3 x 3 = 9 positions",
		" rank 1",
		"  first     nodule (class 1), p0 = 0.9532, fill gray, incremental; p falls by 0.0013 with the patch at (104, 208)",
	}
	for i, w := range want {
		if lines[i] != w {
			t.Errorf("line %d is\n%s\nwant\n%s", i, lines[i], w)
		}
	}
	for _, w := range []string{
		`(?m)^  second    clear \(class 0\), p0 = 0\.95[0-9]+, fill black, incremental; p falls `, `(?m)^ rank 2$`,
		`(?m)^  alike     correlation -?[01]\.[0-9]{3}, SSIM -?[01]\.[0-9]{3}$`, `(?m)^  time      run T and T$`,
		`(?m)^nodule.png · fill gray +clear.png · fill black +difference$`, `first − second\n`, // the picture
		`(?m)^  alike     correlation 1\.000, SSIM undefined$`, `(?m)^  apart     at most by [+-]0\.0000, first - second, with the patch at \(160, 72\)$`,
	} {
		if !regexp.MustCompile(w).MatchString(got) {
			t.Errorf("nothing like %s in\n%s", w, got)
		}
	}
	if n := strings.Count(got, "first − second"); n != 1 { // positions by hand have no picture
		t.Errorf("%d pictures", n)
	}
}
