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
	"slices"
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
			if got := rows[i][j]; got != executor.Text(v) {
				return differ("%s: %s of row %d is %s, and %s in the relation", what, want.Columns[j], i, got, executor.Text(v))
			}
		}
	}
	return nil
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
	f, err := os.Open(names[0])
	if err != nil {
		return err
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return err
	}
	k.measured.bits++
	if err := sameRows("the .csv", h, rows[1:]); err != nil {
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
			rows[i] = append(rows[i], plain(o[c]))
		}
	}
	return sameRows("the .json", h, rows)
}

// plain writes a value of JSON as a relation has it.
func plain(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case json.Number:
		if i, err := v.Int64(); err == nil && !strings.ContainsAny(v.String(), ".eE") {
			return strconv.FormatInt(i, 10)
		}
		f, err := strconv.ParseFloat(v.String(), 32)
		if err != nil {
			return v.String()
		}
		return executor.Text(float32(f))
	}
	return fmt.Sprint(v)
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
	results, err := k.run("DROP TABLE IF EXISTS maps; CLEAR CACHE; " + into + "; SELECT " + strings.Join(h.Relation().Columns, ", ") + " FROM maps")
	if err != nil {
		return fmt.Errorf("%s\n%w", into, err)
	}
	k.measured.bits++
	rows := results[len(results)-1].(*executor.Relation)
	got, want := texts(rows), texts(h.Relation())
	for i := range want {
		if i >= len(got) || got[i] != want[i] {
			return differ("the table has %d rows, the relation %d, which has and the table has not\n%s", len(got), len(want), want[i])
		}
	}
	return nil
}

// texts are a relation's rows as texts, sorted. SQLite keeps numbers in double precision.
func texts(r *executor.Relation) []string {
	all := make([]string, len(r.Rows))
	for i, row := range r.Rows {
		for _, v := range row {
			if f, ok := v.(float64); ok {
				v = float32(f)
			}
			all[i] += executor.Text(v) + " | "
		}
	}
	slices.Sort(all)
	return all
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
