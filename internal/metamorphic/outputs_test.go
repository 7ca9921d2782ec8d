package metamorphic

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"

	"occlude/executor"
	"occlude/internal/npy"
	"occlude/internal/store"
	"occlude/planner"
)

// near demands that two values of a map agree within the tolerance.
func (k *trial) near(what string, h *executor.HeatMap, a, b float32) error {
	if d := math.Abs(float64(a) - float64(b)); !(d <= k.tolerance(h)) {
		return differ("%s is %v and %v", what, a, b)
	}
	return nil
}

// sameRows demands that rows which were read back, as texts, are those of a heat map.
func sameRows(what string, h *executor.HeatMap, rows [][]string) error {
	want := h.Relation()
	if len(rows) != len(want.Rows) {
		return differ("%s has %d rows, the relation %d", what, len(rows), len(want.Rows))
	}
	for i, row := range want.Rows {
		for j, v := range row {
			if got := rows[i][j]; !means(got, v) {
				return differ("%s: %s of row %d is %s, and %v in the relation", what, want.Columns[j], i, got, v)
			}
		}
	}
	return nil
}

// means tells whether a text has all of a value.
func means(text string, v any) bool {
	switch v := v.(type) {
	case nil:
		return text == ""
	case float32:
		f, err := strconv.ParseFloat(text, 32)
		return err == nil && float32(f) == v
	}
	return text == fmt.Sprint(v)
}

// files compares what is written with what is returned.
func files(k *trial, _ *rand.Rand, q query) error {
	q = q.timeless()
	names := []string{k.path("h.csv"), k.path("h.json"), k.path("h.npy")}
	if !q.has("AT") {
		names = append(names, k.path("h.png"))
	}
	h, err := k.answer(q.with("INTO", "'"+strings.Join(names, "', '")+"'").text())
	if err != nil {
		return err
	}
	if len(h.Written) != len(names) {
		return differ("%d files are written", len(h.Written))
	}
	k.measured.bits++
	if err := sameCSV(names[0], h); err != nil {
		return err
	}
	if err := sameJSON(names[1], h); err != nil {
		return err
	}
	a, _, err := npy.ReadFile(names[2])
	if err != nil {
		return err
	}
	if want := h.Array(); !a.Shape().Eq(want.Shape()) || fmt.Sprint(a.Data()) != fmt.Sprint(want.Data()) {
		return differ("the .npy has %v", a)
	}
	if q.has("AT") {
		return nil
	}
	p, err := os.Open(names[3])
	if err != nil {
		return err
	}
	defer p.Close()
	_, err = png.Decode(p)
	return err
}

func sameCSV(name string, h *executor.HeatMap) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return err
	}
	return sameRows("the .csv", h, rows[1:])
}

func sameJSON(name string, h *executor.HeatMap) error {
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	var objects []map[string]any
	d := json.NewDecoder(strings.NewReader(string(data)))
	d.UseNumber()
	if err := d.Decode(&objects); err != nil {
		return err
	}
	rows := make([][]string, len(objects))
	for i, o := range objects {
		for _, c := range h.Relation().Columns {
			text := ""
			if o[c] != nil {
				text = fmt.Sprint(o[c])
			}
			rows[i] = append(rows[i], text)
		}
	}
	return sameRows("the .json", h, rows)
}

// copies demands that COPY writes what INTO does.
func copies(k *trial, rng *rand.Rand, q query) error {
	q = q.timeless()
	endings := []string{"csv", "json", "npy", "png"}
	ending := endings[rng.IntN(len(endings))]
	if ending == "png" && q.has("AT") {
		ending = "npy"
	}
	into, to := k.path("into."+ending), k.path("copied."+ending)
	if _, err := k.answer(q.with("INTO", "'"+into+"'").text()); err != nil {
		return err
	}
	if _, err := k.run("CLEAR CACHE; COPY (" + q.text() + ") TO '" + to + "'"); err != nil {
		return fmt.Errorf("COPY (%s) TO '%s'\n%w", q.text(), to, err)
	}
	a, err := os.ReadFile(into)
	if err != nil {
		return err
	}
	b, err := os.ReadFile(to)
	if err != nil {
		return err
	}
	k.measured.bits++
	if !bytes.Equal(a, b) {
		return differ("COPY TO .%s writes other bytes than INTO", ending)
	}
	return nil
}

// table puts the answer into a table and reads it back.
func table(k *trial, _ *rand.Rand, q query) error {
	q = q.timeless().without("INTO", "COLORMAP")
	defer func(s *store.Store) { k.engine.Session.Store = s }(k.engine.Session.Store)
	k.engine.Session.Store = store.Open("occlude.db") // of all trials: the machine is measured once
	h, err := k.answer(q.text())
	if err != nil && strings.Contains(err.Error(), refusedTrend) {
		return errSkip // by what was measured
	}
	if err != nil {
		return err
	}
	seen := map[planner.Position]bool{}
	for _, p := range h.Plan.Grid.Positions {
		if seen[p] { // which tables refuse
			return errSkip
		}
		seen[p] = true
	}
	into := q.with("INTO", "TABLE maps").text()
	results, err := k.run("DROP TABLE IF EXISTS maps; CLEAR CACHE; " + into +
		"; SELECT plan FROM occlude_map WHERE tbl = 'maps'; SELECT " + strings.Join(h.Relation().Columns, ", ") + " FROM maps")
	if err != nil {
		return fmt.Errorf("%s\n%w", into, err)
	}
	plan := results[len(results)-2].(*executor.Relation).Rows[0][0].(string)
	choice, err := planner.ParseChoice(plan)
	if err != nil {
		return err
	}
	got, want := results[len(results)-1].(*executor.Relation), h.Relation()
	if len(got.Rows) != len(want.Rows) {
		return differ("the table has %d rows, the relation %d", len(got.Rows), len(want.Rows))
	}
	if !choice.Same(h.Plan.Choice()) {
		k.measured.near++
		if h.Plan.Chosen().Adaptive != nil {
			return nil // which may compute other positions
		}
		return k.sameTable(h, got, k.tolerance(h))
	}
	k.measured.bits++
	return k.sameTable(h, got, 0)
}

// sameTable demands that the rows of a table, in whatever order, are those of a heat map,
// and their values within a limit.
func (k *trial) sameTable(h *executor.HeatMap, table *executor.Relation, limit float64) error {
	of := func(row []any) string { return fmt.Sprint(row[:8]...) } // all but the values
	found := map[string][]any{}
	for _, row := range table.Rows {
		found[of(row)] = row
	}
	for _, row := range h.Relation().Rows {
		there := found[of(row)]
		if there == nil {
			return differ("the table has no row %v", row)
		}
		for j := 8; j < 11; j++ {
			v := float64(row[j].(float32))
			if d := math.Abs(float64(float32(there[j].(float64))) - v); !(d <= 2*limit) { // of p_drop, by both p0 and p
				return differ("the table has %v, the relation %v", there, row)
			}
		}
		if there[11] != row[11] {
			return differ("the table has %v, the relation %v", there, row)
		}
	}
	return nil
}

// analyze demands that EXPLAIN ANALYZE runs the plan of the query, and does its work.
func analyze(k *trial, _ *rand.Rand, q query) error {
	q = q.timeless()
	h, err := k.answer(q.text())
	if err != nil {
		return err
	}
	if _, err := k.run("CLEAR CACHE"); err != nil {
		return err
	}
	results, err := k.run("EXPLAIN (ANALYZE, LAYERS, RULES, ALTERNATIVES) " + q.text())
	if err != nil {
		return err
	}
	e := results[0].(*executor.Explanation)
	k.measured.bits++
	switch a := e.Actual; {
	case e.Plan.Query.Chosen().Name != h.Plan.Chosen().Name:
		return differ("EXPLAIN ANALYZE runs plan %s, the query %s", e.Plan.Query.Chosen().Name, h.Plan.Chosen().Name)
	case a.Positions != h.Actual.Positions || a.MACs() != h.Actual.MACs() || a.P0 != h.Actual.P0 || a.Class != h.Actual.Class:
		return differ("EXPLAIN ANALYZE computes %d positions with %d multiply-adds for p0 = %v of class %s, the query %d with %d for %v of %s",
			a.Positions, a.MACs(), a.P0, a.Class, h.Actual.Positions, h.Actual.MACs(), h.Actual.P0, h.Actual.Class)
	}
	return nil
}

// compare demands that COMPARE finds no difference between the two exact plans.
func compare(k *trial, _ *rand.Rand, q query) error {
	q = q.exact().without("INTO", "ON ERROR", "COLORMAP")
	text := "COMPARE (" + q.hinted("plan", "'full'").text() + ") WITH (" + q.hinted("plan", "'incremental'").text() + ")"
	results, err := k.run("RESET ALL; CLEAR CACHE; " + text)
	if err != nil {
		return fmt.Errorf("%s\n%w", text, err)
	}
	c := results[len(results)-1].(*executor.Comparison)
	k.measured.near++
	for i, l := range c.Classes {
		if d := math.Abs(l.Difference); !(d <= 2*k.tolerance(c.First)) && c.First.Classes[i].ID == c.Second.Classes[i].ID {
			return differ("COMPARE finds the plans to differ by %g in class %s", l.Difference, c.First.Classes[i].Label)
		}
	}
	return nil
}
