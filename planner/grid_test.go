package planner_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"occlude/lang"
	"occlude/planner"
)

func (w *world) plan(text string) (planner.Plan, error) {
	script, diagnostics := lang.Parse("q", text)
	if err := diagnostics.Err(); err != nil {
		return nil, err
	}
	return w.planner.Plan(context.Background(), script.Statements[0])
}

func TestGridCoversTheImage(t *testing.T) {
	folder(t)
	w := newWorld(t)
	create(t, w, "CREATE MODEL m FROM 'small.onnx';") // 32 x 24
	rapid.Check(t, func(t *rapid.T) {
		pw, ph := rapid.IntRange(1, 32).Draw(t, "patch w"), rapid.IntRange(1, 24).Draw(t, "patch h")
		sw, sh := rapid.IntRange(1, 40).Draw(t, "stride w"), rapid.IntRange(1, 40).Draw(t, "stride h")
		drop := rapid.Bool().Draw(t, "drop")
		edge := map[bool]string{true: "drop", false: "cover"}[drop]
		p, err := w.plan(fmt.Sprintf("OCCLUDE 'scan.png' USING m PATCH %dx%d STRIDE %dx%d WITH (edge = %s);", pw, ph, sw, sh, edge))
		if err != nil {
			t.Fatal(err)
		}
		g := p.(*planner.Occlude).Grid
		axis := func(at []int, n, patch, stride int) {
			if at[0] != 0 {
				t.Fatalf("the first position is %d", at[0])
			}
			last := at[len(at)-1]
			for i, v := range at {
				if v != i*stride && (drop || i < len(at)-1 || v != n-patch) {
					t.Fatalf("position %d is %d", i, v)
				}
				if i > 0 && v <= at[i-1] {
					t.Fatalf("position %d does not ascend", i)
				}
			}
			if last > n-patch || !drop && last != n-patch || drop && last+stride <= n-patch {
				t.Fatalf("the last position is %d of %d", last, n-patch)
			}
		}
		axis(g.X, 32, pw, sw)
		axis(g.Y, 24, ph, sh)
		if len(g.Positions) != g.Rows()*g.Cols() || !g.Complete() {
			t.Fatalf("%d positions of %d x %d", len(g.Positions), g.Rows(), g.Cols())
		}
		for i, pos := range g.Positions {
			if pos.Row*g.Cols()+pos.Col != i || pos.X != g.X[pos.Col] || pos.Y != g.Y[pos.Row] {
				t.Fatalf("position %d is %+v", i, pos)
			}
		}
	})
}

// The grid that everyone compares with.
func TestGridOf224(t *testing.T) {
	folder(t)
	w := newWorld(t)
	classifier(t, ".", "usual.onnx", 224, 224, 3)
	create(t, w, "CREATE MODEL usual FROM 'usual.onnx';")
	p, err := w.plan("OCCLUDE 'scan.png' USING usual;")
	if err != nil {
		t.Fatal(err)
	}
	if g := p.(*planner.Occlude).Grid; g.Rows() != 53 || g.Cols() != 53 || len(g.Positions) != 2809 {
		t.Errorf("%d x %d = %d", g.Rows(), g.Cols(), len(g.Positions))
	}
}

func TestGridHasALimit(t *testing.T) {
	folder(t)
	w := newWorld(t)
	classifier(t, ".", "huge.onnx", 4500, 4500, 2)
	create(t, w, "CREATE MODEL huge FROM 'huge.onnx';")
	_, err := w.plan("OCCLUDE 'scan.png' USING huge STRIDE 1;")
	if err == nil || !strings.Contains(err.Error(), "beyond the limit") {
		t.Errorf("%v", err)
	}
	// Neither is a condition asked for minutes.
	_, err = w.plan("OCCLUDE 'scan.png' USING huge STRIDE 2 WHERE x < 0" + strings.Repeat(" OR x < 0", 100) + ";")
	if err == nil || !strings.Contains(err.Error(), "a condition with 202 numbers is too long for") {
		t.Errorf("%v", err)
	}
	// A list has no grid to be too large.
	if _, err := w.plan("OCCLUDE 'scan.png' USING huge STRIDE 1 AT (4000, 4000);"); err != nil {
		t.Error(err)
	}
}

func TestCancelledContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	script, _ := lang.Parse("q", "SHOW MODELS;")
	if _, err := newWorld(t).planner.Plan(ctx, script.Statements[0]); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func create(t testing.TB, w *world, text string) {
	t.Helper()
	p, err := w.plan(text)
	if err == nil {
		_, err = w.apply(p)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestFormats(t *testing.T) {
	for s, want := range map[float64]string{
		0: "0 us", 1e-6: "1 us", .000999: "999 us", .0009996: "1 ms", .25: "250 ms", .9994: "999 ms", .9996: "1.00 s",
		9.994: "9.99 s", 9.996: "10.0 s", 119.9: "119.9 s", 120: "2 min 00 s", 3599.6: "60 min 00 s", 7200: "2.0 h",
	} {
		if got := planner.FormatSeconds(s); got != want {
			t.Errorf("%g s is %s, want %s", s, got, want)
		}
	}
	for v, want := range map[float64]string{1: "1.0", 1e-4: "1e-4", 1.44e-5: "1.4e-5", 9.96e-7: "1e-6", 0: "0.0", .02: "2e-2", math.Inf(1): "+Inf"} {
		if got := planner.FormatError(v); got != want {
			t.Errorf("%g is %s, want %s", v, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1.00 k", 12345: "12.3 k", 999_499: "999 k", 999_600: "1.00 M", 15_500_000_000: "15.5 G", 1e18: "1000 P"} {
		if got := planner.FormatCount(n); got != want {
			t.Errorf("%d is %s, want %s", n, got, want)
		}
	}
	for v, want := range map[float64]string{1: "1.00x", 0.333333: "0.33x", 9.996: "10.0x", 123.4: "123x"} {
		if got := planner.FormatTimes(v); got != want {
			t.Errorf("%g times is %s, want %s", v, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1.00 KiB", 1 << 20: "1.00 MiB", 1536 << 20: "1.50 GiB"} {
		if got := planner.FormatBytes(n); got != want {
			t.Errorf("%d is %s, want %s", n, got, want)
		}
	}
}
