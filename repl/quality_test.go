package repl

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"occlude/executor"
	"occlude/internal/quality"
	"occlude/planner"
)

func told(q *executor.Quality, exact bool) string {
	var b strings.Builder
	for _, l := range qualityOf(q).lines(exact) {
		b.WriteString(l[0] + "|" + l[1] + "\n")
	}
	return b.String()
}

func TestQualityForPeople(t *testing.T) {
	expected := executor.ClassQuality{Class: "cat", SSIM: .98765, SSIMLower: .9, Pearson: .99999, NRMSE: .1, Top10Overlap: .704}
	measured := expected
	measured.Class, measured.Measured = "dog", &quality.Figures{SSIM: .95, SSIMKrypton: 1, Pearson: math.NaN(), NRMSE: .000123, Top10Overlap: 1}
	for name, c := range map[string]struct {
		quality *executor.Quality
		exact   bool
		want    string
	}{
		"none": {nil, true, ""},
		"one class": {&executor.Quality{Classes: []executor.ClassQuality{expected}, Notes: []string{"a", "b"}}, false,
			"quality|SSIM about 0.987, lower bound 0.900; correlation 0.999, 70% of the top tenth\nnote|a\n|b\n"},
		"two classes": {&executor.Quality{Classes: []executor.ClassQuality{expected, measured}}, false,
			`quality|cat: SSIM about 0.987, lower bound 0.900; correlation 0.999, 70% of the top tenth
|dog: SSIM about 0.987, lower bound 0.900; correlation 0.999, 70% of the top tenth
measured|dog: SSIM 0.950, as Krypton draws it 1.000; correlation undefined, NRMSE 0.00012, 100% of the top tenth
`},
		"of hints, measured": {&executor.Quality{Classes: []executor.ClassQuality{{Class: "dog", Measured: measured.Measured}}}, false,
			"measured|SSIM 0.950, as Krypton draws it 1.000; correlation undefined, NRMSE 0.00012, 100% of the top tenth\n"},
		"checks": {&executor.Quality{Checks: &executor.Checks{Positions: 1, RMS: .0123, Worst: .0123}}, false,
			"checks|p was off by 0.012 at 1 random position (root mean square; at most 0.012)\n"},
		"exact": {&executor.Quality{Classes: []executor.ClassQuality{expected}, Notes: []string{"there was nothing to verify"}}, true,
			"quality|exact at every position\nnote|there was nothing to verify\n"},
	} {
		if got := told(c.quality, c.exact); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, c.want)
		}
	}
}

// What was not asked for or is not known is not in JSON; what is not defined is null.
func TestQualityInJSON(t *testing.T) {
	for want, q := range map[string]*executor.Quality{
		`{"verified":0,"classes":[],"checks":{"positions":3,"rms":0.5,"worst":1},"notes":[]}`: {Checks: &executor.Checks{Positions: 3, RMS: .5, Worst: 1}},
		`{"target":0.9,"reached":false,"verified":24,"classes":[{"class":"cat","ssim_estimated":0.5,"ssim_lower_bound":0.25,"pearson":0.75,"nrmse":0.125,"top10_overlap":1}],"notes":["late"]}`: {
			Target: .9, Verified: 24, Notes: []string{"late"},
			Classes: []executor.ClassQuality{{Class: "cat", SSIM: .5, SSIMLower: .25, Pearson: .75, NRMSE: .125, Top10Overlap: 1}}},
		`{"target":1,"reached":true,"verified":0,"classes":[{"class":"cat","measured":{"ssim":1,"ssim_krypton":null,"pearson":0.5,"nrmse":0,"top10_overlap":0}}],"notes":[]}`: {
			Target: 1, Reached: true,
			Classes: []executor.ClassQuality{{Class: "cat", Measured: &quality.Figures{SSIM: 1, SSIMKrypton: math.Inf(1), Pearson: .5}}}},
	} {
		got, err := json.Marshal(qualityOf(q))
		if err != nil || string(got) != want {
			t.Errorf("%v\n%s\nwant\n%s", err, got, want)
		}
	}
}

// The row of a summary has the least of what is known of all classes.
func TestLeastSimilarity(t *testing.T) {
	q := qualityOf(&executor.Quality{Classes: []executor.ClassQuality{
		{SSIM: .9, SSIMLower: .7, Measured: &quality.Figures{SSIM: .8}}, {SSIM: .95, SSIMLower: .6, Measured: &quality.Figures{SSIM: .85}}}})
	estimated, lower, measured := q.similarities()
	for i, want := range []float64{.9, .6, .8} {
		if got := least([][]*float64{estimated, lower, measured}[i]); got != want {
			t.Errorf("the least is %v, want %v", got, want)
		}
	}
	for _, q := range []*SummaryQuality{nil, qualityOf(&executor.Quality{}), qualityOf(&executor.Quality{Classes: []executor.ClassQuality{{Measured: &quality.Figures{SSIM: math.NaN()}}}})} {
		estimated, lower, measured := q.similarities()
		for _, all := range [][]*float64{estimated, lower, measured} {
			if got := least(all); got != "" {
				t.Errorf("the least of %v is %v", all, got)
			}
		}
	}
}

func TestFallText(t *testing.T) {
	for drop, want := range map[float32]string{
		0.5:   "p falls by about 0.5000 with the patch at (4, 8)",
		0:     "p falls nowhere; it stays as it is with the patch at (4, 8)",
		-0.25: "p falls nowhere; it rises least, by about 0.2500, with the patch at (4, 8)",
	} {
		if got := fallText(drop, planner.Position{X: 4, Y: 8}, "about "); got != want {
			t.Errorf("a fall by %v is told as %q, want %q", drop, got, want)
		}
	}
}
