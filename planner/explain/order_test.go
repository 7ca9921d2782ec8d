package explain

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"occlude/planner"
)

// What asks for an order from coarse to fine is named, in JSON with the levels.
func TestOrderIsExplained(t *testing.T) {
	p := bench(t)
	r, _ := report(t, p, "EXPLAIN OCCLUDE 'scan.png' USING residual PATCH 8 STRIDE 2 PROGRESSIVE;")
	var b bytes.Buffer
	if err := r.JSON(&b); err != nil {
		t.Fatal(err)
	}
	var got struct{ Plan struct{ Order Order } }
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	order := got.Plan.Order
	if want := []int{16, 36 - 16, 121 - 36, 441 - 121}; order.By != planner.ByClause || !slices.Equal(order.Levels, want) {
		t.Errorf("%+v, want levels of %d", order, want)
	}
	b.Reset()
	if err := r.HTML(&b); err != nil || !strings.Contains(b.String(), "as PROGRESSIVE asks") {
		t.Errorf("%v, HTML %s", err, b.String())
	}
	if s := (&Order{By: planner.BySetting, Levels: []int{25, 3}}).String(); s != "coarse to fine, levels of 25, 3 positions, as SET progressive = on asks" {
		t.Error(s)
	}
	if r, _ := report(t, p, "EXPLAIN OCCLUDE 'scan.png' USING residual AT (0, 0), (8, 8) PROGRESSIVE;"); r.Plan.Order != nil {
		t.Errorf("of a list: %s", r.Plan.Order)
	}
}
