package executor_test

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"occlude/executor"
)

// kinds are queries of every kind of plan that gives the same bits each time.
var kinds = []string{
	"FOR TOP 2 STRIDE 20 WITH (batch = 3);",
	"STRIDE 40 WITH (plan = full, batch = 2);",
	"STRIDE 16 WHERE x > 40 AND (x + y) % 3 = 0 WITH (batch = 3);",
	"STRIDE 20 WITH (tau = 0.5, batch = 2);",
	"STRIDE 10 WITH (drill_down = 0.2, speedup = 3, batch = 4);",
	"STRIDE 12 WITH (tau = 0.6, drill_down = 0.3, speedup = 2, batch = 5);",
	"STRIDE 10 SSIM >= 0.8 VERIFY 20 POSITIONS WITH (plan = 'approximate', batch = 4);",
	"AT (0, 0), (100, 100), (7, 9), (80, 81), (33, 10) WITH (batch = 1);",
}

// Whether positions are computed coarse to fine, because of the clause or the setting,
// does not change a bit of the answer.
func TestProgressiveKeepsTheBits(t *testing.T) {
	b := newBench(t)
	b.run(chest)
	for _, query := range kinds {
		plain := b.one(cavity + query)
		for _, ask := range []string{"", "SET progressive = on;"} {
			b.run("RESET progressive;" + ask)
			h := b.one(cavity + map[bool]string{true: "PROGRESSIVE "}[ask == ""] + query)
			if (h.Plan.Progressive == "") != h.Plan.Grid.Listed {
				t.Fatalf("%s: in progressive order because of %q", query, h.Plan.Progressive)
			}
			if bits(h) != bits(plain) || !slices.Equal(h.States, plain.States) {
				t.Errorf("%s: other bits in progressive order", query)
			}
		}
		b.run("RESET progressive;")
	}
}

// stopped runs a query that a context ends after some positions, and gives what it
// returned before the error.
func (b *bench) stopped(query string, after int64) []executor.Result {
	b.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	b.session.Progress = &stopper{after: after, cancel: cancel}
	defer func() { b.session.Progress = nil }()
	results, err := b.try(ctx, query)
	if told := (*executor.Interrupted)(nil); !errors.As(err, &told) || !errors.Is(err, context.Canceled) {
		b.t.Fatalf("%s, ended after %d positions: %v", query, after, err)
	}
	return results
}

// Whatever the plan and whenever its context ends, a map is left that tells what was
// computed as the complete one does, and of the rest no more than is known.
func TestPartial(t *testing.T) {
	b := newBench(t)
	b.run(chest)
	random := rand.New(rand.NewPCG(7, 7))
	for _, query := range kinds {
		complete := b.one(cavity + query)
		for _, order := range []string{"", "PROGRESSIVE "} {
			after := 1 + random.Int64N(int64(complete.Actual.Positions)*2/3)
			results := b.stopped(cavity+order+query, after)
			if len(results) != 1 {
				t.Fatalf("%s%s: %d results", order, query, len(results))
			}
			h := results[0].(*executor.HeatMap)
			if !h.Partial || h.Computed() == 0 || h.Actual.Positions < int(after) {
				t.Fatalf("%s%s: after %d positions %d are computed, partial: %v", order, query, after, h.Actual.Positions, h.Partial)
			}
			if n := h.Count(executor.Missing); n > 0 && order != "" && !h.Plan.Grid.Listed {
				t.Errorf("%s%s: %d positions are missing", order, query, n)
			}
			if n := h.Count(executor.Missing) + h.Count(executor.Interpolated); n == 0 && h.Plan.Chosen().Adaptive == nil {
				t.Errorf("%s%s: nothing is left of %d positions after %d", order, query, len(h.States), h.Actual.Positions)
			}
			for i, s := range h.States {
				for k, c := range h.Classes {
					p, full := c.P[i], complete.Classes[k].P[i]
					if missing := s == executor.Missing; missing != (p != p) {
						t.Fatalf("%s%s: position %d is %s and %g", order, query, i, s, p)
					}
					if s == executor.Exact && complete.States[i] == executor.Exact && math.Float32bits(p) != math.Float32bits(full) {
						t.Fatalf("%s%s: position %d is %g and exact, complete %g", order, query, i, p, full)
					}
				}
			}
			b.session.Progress = nil
			rows := b.run("SELECT state, count(*), count(p), count(p_drop), count(p0) FROM last GROUP BY state;")[0].(*executor.Relation).Rows
			count := map[string]int64{}
			for _, row := range rows {
				state, n := row[0].(string), row[1].(int64)
				count[state] = n / int64(len(h.Classes))
				if known := n; state == "missing" && (row[2] != int64(0) || row[3] != int64(0)) || state != "missing" && (row[2] != known || row[3] != known) || row[4] != n {
					t.Errorf("%s%s: last has %v", order, query, row)
				}
			}
			for _, s := range []executor.State{executor.Exact, executor.Approximate, executor.Interpolated, executor.Missing} {
				if count[s.String()] != int64(h.Count(s)) {
					t.Errorf("%s%s: last has %d %s positions, the map %d", order, query, count[s.String()], s, h.Count(s))
				}
			}
		}
	}
}

// A partial map's files are whole, and tell what it tells.
func TestPartialFiles(t *testing.T) {
	b := newBench(t)
	b.run(chest)
	h := b.stopped(cavity+"STRIDE 10 INTO 'a.png', 'a.npy', 'a.csv', 'a.json' WITH (batch = 4);", 100)[0].(*executor.HeatMap)
	if want := []string{"a.png", "a.npy", "a.csv", "a.json"}; !slices.Equal(h.Written, want) {
		t.Fatalf("wrote %q", h.Written)
	}
	missing := h.Count(executor.Missing)
	if missing == 0 || missing == len(h.States) {
		t.Fatalf("%d of %d are missing", missing, len(h.States))
	}
	values := array(t, "a.npy").Data().([]float32)
	if len(values) != len(h.States) || !slices.EqualFunc(values, h.Classes[0].P, same) {
		t.Error("a.npy has other values")
	}
	f, err := os.Open("a.png")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := png.Decode(f); err != nil {
		t.Errorf("a.png: %v", err)
	}
	text, err := os.Open("a.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer text.Close()
	rows, err := csv.NewReader(text).ReadAll()
	if err != nil || len(rows) != 1+len(h.States) {
		t.Fatalf("a.csv: %d rows, %v", len(rows), err)
	}
	var objects []struct {
		P     *float32
		Drop  *float32 `json:"p_drop"`
		State string
	}
	data, err := os.ReadFile("a.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &objects); err != nil || len(objects) != len(h.States) {
		t.Fatalf("a.json: %d objects, %v", len(objects), err)
	}
	for i, s := range h.States {
		row, o := rows[i+1], objects[i]
		p, drop := row[9], row[10]
		if missing := s == executor.Missing; row[11] != s.String() || (p == "") != missing || (drop == "") != missing || o.State != s.String() || (o.P == nil) != missing || (o.Drop == nil) != missing {
			t.Fatalf("position %d is %s: csv has %q, json %+v", i, s, row, o)
		} else if v, _ := strconv.ParseFloat(p, 32); !missing && (float32(v) != h.Classes[0].P[i] || *o.P != h.Classes[0].P[i]) {
			t.Fatalf("position %d is %g: csv has %s, json %g", i, h.Classes[0].P[i], p, *o.P)
		}
	}
	left, err := filepath.Glob("*")
	if hidden, _ := filepath.Glob(".*"); err != nil || len(left) != 5 || len(hidden) != 0 {
		t.Errorf("files are left: %q and %q", left, hidden)
	}
}

// Once samples have been estimated from, a partial map tells of every position.
func TestPartialSampling(t *testing.T) {
	b := newBench(t)
	b.run(chest)
	const query = cavity + "STRIDE 8 SSIM >= 0.97 WITH (plan = 'approximate', batch = 4);"
	complete := b.one(query)
	stages := complete.Actual.Stages
	if len(stages) < 2 {
		t.Fatalf("%d stages", len(stages))
	}
	first := stages[0].Positions + stages[0].Sketches
	h := b.stopped(query, int64(first+1))[0].(*executor.HeatMap)
	if h.Count(executor.Missing) > 0 || h.Computed() <= stages[0].Positions || h.Computed() == len(h.States) || h.Quality != nil {
		t.Errorf("%d missing, %d computed after %d, quality %+v", h.Count(executor.Missing), h.Computed(), first, h.Quality)
	}
	h = b.stopped(query, 4)[0].(*executor.HeatMap)
	if h.Count(executor.Missing) == 0 || h.Count(executor.Interpolated) > 0 {
		t.Errorf("before the first estimate %d are missing, %d interpolated", h.Count(executor.Missing), h.Count(executor.Interpolated))
	}
}

// Of several images those before the one in work are complete, and those after it are
// not there.
func TestPartialOfSeveral(t *testing.T) {
	b := newBench(t)
	b.run(chest)
	const query = "OCCLUDE 'examples/images/*.png' USING chest STRIDE 30 INTO '{image}.npy' WITH (batch = 4);"
	each := len(b.maps(query)[0].States)
	results := b.stopped(query, int64(each+each/2))
	if len(results) != 2 {
		t.Fatalf("%d results", len(results))
	}
	first, second := results[0].(*executor.HeatMap), results[1].(*executor.HeatMap)
	if first.Partial || first.Count(executor.Missing) > 0 || !second.Partial || second.Count(executor.Missing) == 0 || len(second.Written) != 1 {
		t.Errorf("%d and %d are missing, partial: %v, %v", first.Count(executor.Missing), second.Count(executor.Missing), first.Partial, second.Partial)
	}
}

// A table, a comparison and whatever else is made of maps takes complete ones only.
func TestNothingElseIsPartial(t *testing.T) {
	b := newBench(t)
	b.run(chest)
	stored(t, b, "data.db")
	const query = cavity + "STRIDE 20 WITH (batch = 4)"
	for _, text := range []string{
		cavity + "STRIDE 20 INTO TABLE maps, 'x.png' WITH (batch = 4);",
		"EXPLAIN ANALYZE " + query + ";",
		"BENCHMARK (RUNS 1, WARMUP 0, PLANS (full)) " + query + ";",
		"COMPARE (" + query + ") WITH (" + query + ");",
		"EVALUATE (" + query + ") USING deletion;",
		"COPY (" + query + ") TO 'x.csv';",
	} {
		if results := b.stopped(text, 9); len(results) > 0 {
			t.Errorf("%s returned a %T", text, results[0])
		}
		if left, _ := filepath.Glob("x.*"); len(left) > 0 {
			t.Errorf("%s left %q", text, left)
		}
	}
	b.run(cavity + "STRIDE 20 INTO TABLE maps, 'x.png' WITH (batch = 4);")
	rows := b.run("SELECT count(*), count(p) FROM maps;")[0].(*executor.Relation).Rows
	if rows[0][0] != int64(144) || rows[0][1] != int64(144) {
		t.Errorf("the table has %v", rows)
	}
}
