package heatmap

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// What is known stays, what nobody asked for stays away, and all else lies between the
// least and the greatest value.
func TestPreviewKeepsToWhatIsKnown(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := mapOf(8+4*rapid.IntRange(0, 20).Draw(t, "columns"), 8+4*rapid.IntRange(0, 20).Draw(t, "rows"), 8, 4, 0.5, constant(math.NaN()))
		asked, lo, hi := make([]bool, len(m.P)), float32(1), float32(0)
		share := rapid.IntRange(1, 40).Draw(t, "one in")
		for i := range m.P {
			asked[i] = rapid.IntRange(0, 9).Draw(t, "asked") > 0
			if asked[i] && rapid.IntRange(1, share).Draw(t, "known") == 1 {
				m.P[i] = rapid.Float32Range(0, 1).Draw(t, "p")
				lo, hi = min(lo, m.P[i]), max(hi, m.P[i])
			}
		}
		got := Preview(m, asked)
		for i, p := range got.P {
			switch {
			case !isNaN(m.P[i]):
				if p != m.P[i] {
					t.Fatalf("position %d became %g, was %g", i, p, m.P[i])
				}
			case isNaN(p):
			case !asked[i]:
				t.Fatalf("position %d was not asked for and has %g", i, p)
			case p < lo-1e-6 || p > hi+1e-6:
				t.Fatalf("position %d has %g, known are %g to %g", i, p, lo, hi)
			}
		}
	})
}

// A coarse map is whole, and close to what it is a part of; one computed row by row is not.
func TestPreviewOfACoarseMap(t *testing.T) {
	smooth := func(x, y float64) float64 { return 0.5 + 0.3*math.Sin(x/40)*math.Cos(y/40) }
	whole := mapOf(224, 224, 16, 4, 0.9, smooth)
	asked := make([]bool, len(whole.P))
	for i := range asked {
		asked[i] = true
	}
	for _, step := range []int{2, 4, 8} {
		coarse := mapOf(224, 224, 16, 4, 0.9, constant(math.NaN()))
		for i := range coarse.P {
			if i%whole.Cols%step == 0 && i/whole.Cols%step == 0 {
				coarse.P[i] = whole.P[i]
			}
		}
		got, worst := Preview(coarse, asked), 0.0
		for i, p := range got.P {
			if isNaN(p) {
				t.Fatalf("step %d: position %d has no value", step, i)
			}
			worst = max(worst, math.Abs(float64(p-whole.P[i])))
		}
		if limit := 0.035 * float64(step); worst > limit { // the slope is 0.03 a position
			t.Errorf("step %d: off by %.3f, more than %.3f", step, worst, limit)
		}
	}
	rows := mapOf(224, 224, 16, 4, 0.9, constant(math.NaN()))
	copy(rows.P[:20*rows.Cols], whole.P)
	if got := Preview(rows, asked); !isNaN(got.P[len(got.P)-1]) {
		t.Error("the last row of a map has a value from the first ones")
	}
}

// Nothing to fill in, or nothing to fill it with: the map stays as it is.
func TestPreviewOfNothing(t *testing.T) {
	for _, p := range []float64{0.5, math.NaN()} {
		m := mapOf(64, 64, 16, 4, 0.9, constant(p))
		asked := make([]bool, len(m.P))
		for i := range asked {
			asked[i] = true
		}
		for i, q := range Preview(m, asked).P {
			if isNaN(q) != isNaN(m.P[i]) || !isNaN(q) && q != m.P[i] {
				t.Fatalf("of %g became %g", p, q)
			}
		}
	}
}
