package explain

import (
	"strings"
	"testing"
)

func TestLayerNames(t *testing.T) {
	full := []string{
		"input",
		"/features/features.1/features.1.0/block/block.0/block.0.0/Conv",
		"/layer1/layer1.0/conv1/Conv",
		"/stage2/stage2.1/Slice",
		"/stage2/stage2.1/Slice_1",
		"Conv_12",
		"resnet50/conv1_relu/Relu",
		"/",
		"",
	}
	want := []string{
		"input", "features.1.0/block.0.0", "layer1.0/conv1", "stage2.1/Slice", "stage2.1/Slice_1",
		"Conv_12", "resnet50/conv1_relu", "", "",
	}
	for i, got := range layerNames(full) {
		if got != want[i] {
			t.Errorf("%q becomes %q, not %q", full[i], got, want[i])
		}
	}
}

func TestShorten(t *testing.T) {
	for _, c := range []struct {
		in          string
		n           int
		middle, end string
	}{
		{"short", 5, "short", "short"},
		{"abcdefghijklm", 11, "ab…fghijklm", "abcdefghij…"},
		{"one, two, three", 9, "o…, three", "one, two…"},
		{"畳み込み層", 7, "畳…み層", "畳み込…"},
	} {
		middle, end := shortenMiddle(c.in, c.n), shortenEnd(c.in, c.n)
		if width(middle) > c.n || width(end) > c.n {
			t.Errorf("%q in %d columns: %q and %q", c.in, c.n, middle, end)
		}
		if c.in[0] < 0x80 && (middle != c.middle || end != c.end) {
			t.Errorf("%q in %d columns: %q and %q, not %q and %q", c.in, c.n, middle, end, c.middle, c.end)
		}
	}
}

func TestSome(t *testing.T) {
	names := []string{"alpha", "beta", "gamma"}
	for _, c := range []struct {
		n    int
		want string
	}{
		{100, "alpha, beta, gamma"}, {18, "alpha, beta, gamma"}, {17, "alpha and 2 more"},
	} {
		if got := some(names, c.n); got != c.want || len(got) > c.n {
			t.Errorf("in %d columns: %q", c.n, got)
		}
	}
	if got := some([]string{strings.Repeat("x", 50), "y"}, 20); width(got) > 20 || !strings.HasSuffix(got, " and 1 more") {
		t.Errorf("%q", got)
	}
}

func TestSecondsUpTo(t *testing.T) {
	for _, c := range []struct {
		longest, value float64
		want           string
	}{
		{2233, 2233, "2233.0"}, {2233, 0, ""}, {12.5, 0.25, "0.25"}, {.0126, .00001, "0.00001"}, {1e-9, 1e-9, "0.000000"},
	} {
		if got := secondsUpTo(c.longest)(c.value); got != c.want {
			t.Errorf("%g beside %g: %q, not %q", c.value, c.longest, got, c.want)
		}
	}
}
