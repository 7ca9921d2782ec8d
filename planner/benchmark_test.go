package planner_test

import (
	"fmt"
	"strings"
	"testing"

	"occlude/planner"
)

// There may be many plans, but not any number of them.
func TestPlansHaveALimit(t *testing.T) {
	folder(t)
	w := newWorld(t)
	create(t, w, "CREATE MODEL m FROM 'small.onnx';")
	for _, n := range []int{64, 65} {
		var plans []string
		for i := range n {
			plans = append(plans, fmt.Sprintf("incremental WITH (batch = %d)", i+1))
		}
		p, err := w.plan("BENCHMARK (PLANS (" + strings.Join(plans, ", ") + ")) OCCLUDE 'scan.png' USING m;")
		switch {
		case n == 64 && (err != nil || len(p.(*planner.Benchmark).Alternatives) != n):
			t.Errorf("%d plans: %v", n, err)
		case n == 65 && (err == nil || !strings.Contains(err.Error(), "65 plans are beyond the limit of 64")):
			t.Errorf("%d plans: %v", n, err)
		}
	}
}
