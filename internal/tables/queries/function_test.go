package queries

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"gorgonia.org/tensor"
	"pgregory.net/rapid"

	"occlude/internal/npy"
)

var inf, nan = math.Inf(1), math.NaN()

func array(side int) *tensor.Dense {
	return tensor.New(tensor.WithShape(side, side), tensor.WithBacking(make([]float32, side*side)))
}

// position is a row as the functions see it.
type position struct{ x, y, w, h, v float64 }

// values writes rows as a common table.
func values(rows []position) string {
	texts := make([]string, len(rows))
	for i, r := range rows {
		v := fmt.Sprint(r.v)
		if math.IsNaN(r.v) {
			v = "NULL"
		}
		texts[i] = fmt.Sprintf("(%d, %v, %v, %v, %v, %s)", i, r.x, r.y, r.w, r.h, v)
	}
	return "WITH r(n, x, y, w, h, p_drop) AS (VALUES " + strings.Join(texts, ", ") + ") "
}

// thousandths are of like magnitude: what a window lost by far larger ones that
// have left it is not looked for.
var thousandths = rapid.Map(rapid.IntRange(-1000, 1000), func(n int) float64 { return float64(n) / 1000 })

func draw(t *rapid.T) []position {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) position {
		return position{
			x: float64(rapid.IntRange(0, 5).Draw(t, "x") * 4), y: float64(rapid.IntRange(0, 4).Draw(t, "y") * 3),
			w: 8, h: 6, v: rapid.OneOf(rapid.Just(nan), rapid.Just(0.5), thousandths).Draw(t, "v"),
		}
	}), 1, 40).Draw(t, "rows")
}

// referencePeak sorts all rows.
func referencePeak(rows []position) any {
	var there []position
	for _, r := range rows {
		if !math.IsNaN(r.v) {
			there = append(there, r)
		}
	}
	if len(there) == 0 {
		return nil
	}
	sort.Slice(there, func(i, j int) bool {
		a, b := there[i], there[j]
		if a.v != b.v {
			return a.v > b.v
		}
		return a.y < b.y || a.y == b.y && a.x < b.x
	})
	return there[0]
}

// referenceMass counts the pixels of a box, each with its share of the patches over it.
func referenceMass(rows []position, bx, by, bw, bh int) any {
	inside, all := 0.0, 0.0
	for _, r := range rows {
		if !(r.v > 0) {
			continue
		}
		for x := int(r.x); x < int(r.x+r.w); x++ {
			for y := int(r.y); y < int(r.y+r.h); y++ {
				all += r.v / (r.w * r.h)
				if x >= bx && x < bx+bw && y >= by && y < by+bh {
					inside += r.v / (r.w * r.h)
				}
			}
		}
	}
	if all == 0 {
		return nil
	}
	return inside / all
}

// referenceMap is the grid of the rows by position.
func referenceMap(rows []position) (shape [2]int, cells []float64) {
	xs, ys := map[float64]bool{}, map[float64]bool{}
	for _, r := range rows {
		xs[r.x], ys[r.y] = true, true
	}
	for _, y := range keys(ys) {
		for _, x := range keys(xs) {
			sum, n := 0.0, 0.0
			for _, r := range rows {
				if r.x == x && r.y == y && !math.IsNaN(r.v) {
					sum, n = sum+r.v, n+1
				}
			}
			cells = append(cells, sum/n) // 0/0 is NaN
		}
	}
	return [2]int{len(ys), len(xs)}, cells
}

func keys(set map[float64]bool) (all []float64) {
	for k := range set {
		all = append(all, k)
	}
	sort.Float64s(all)
	return all
}

func samePeak(got any, rows []position) bool {
	want := referencePeak(rows)
	if got == nil || want == nil {
		return got == want
	}
	var p struct{ X, Y, Value float64 }
	if err := json.Unmarshal([]byte(got.(string)), &p); err != nil {
		return false
	}
	w := want.(position)
	return p.X == w.x && p.Y == w.y && p.Value == w.v
}

func sameMass(got, want any) bool {
	if got == nil || want == nil {
		return got == want
	}
	return math.Abs(got.(float64)-want.(float64)) < 1e-9
}

func sameMap(t testing.TB, got any, rows []position) bool {
	shape, cells := referenceMap(rows)
	a, h, err := npy.Read(bytes.NewReader(got.([]byte)))
	if err != nil {
		t.Fatal(err)
	}
	if h.DType != "f4" || len(h.Shape) != 2 || [2]int{h.Shape[0], h.Shape[1]} != shape {
		return false
	}
	for i, v := range a.Data().([]float32) {
		if d := math.Abs(float64(v) - cells[i]); !(d <= 1e-7) && !(math.IsNaN(float64(v)) && math.IsNaN(cells[i])) {
			return false
		}
	}
	return true
}

// The aggregates are what a plain computation of the same rows gives, over all rows
// and over every window of them.
func TestAggregates(t *testing.T) {
	b := newBench(t)
	rapid.Check(t, func(rt *rapid.T) {
		rows := draw(rt)
		got := b.run(values(rows) + "SELECT peak(), mass_in(3, 2, 9, 7), heatmap(), heatmap(x, y, p_drop) FROM r")[0]
		if !samePeak(got[0], rows) {
			rt.Fatalf("peak %v, want %v", got[0], referencePeak(rows))
		}
		if want := referenceMass(rows, 3, 2, 9, 7); !sameMass(got[1], want) {
			rt.Fatalf("mass %v, want %v", got[1], want)
		}
		if !sameMap(t, got[2], rows) || !bytes.Equal(got[2].([]byte), got[3].([]byte)) {
			rt.Fatalf("heat map of %v", rows)
		}
		n := rapid.IntRange(0, 6).Draw(rt, "before")
		frame := fmt.Sprintf("OVER (ORDER BY n ROWS BETWEEN %d PRECEDING AND 1 PRECEDING)", n)
		for i, w := range b.run(values(rows) + "SELECT peak() " + frame + ", mass_in(3, 2, 9, 7) " + frame + ", heatmap() " + frame + " FROM r ORDER BY n") {
			window := rows[max(0, i-n):i]
			if !samePeak(w[0], window) || !sameMass(w[1], referenceMass(window, 3, 2, 9, 7)) {
				rt.Fatalf("window %d of %d rows: %v", i, n, w)
			}
			if w[2] == nil != (len(window) == 0) || w[2] != nil && !sameMap(t, w[2], window) {
				rt.Fatalf("heat map of window %d: %v", i, window)
			}
		}
	})
}

// Groups, filters and boxes that differ from row to row.
func TestAggregatesInGroups(t *testing.T) {
	b := newBench(t)
	b.run("CREATE TABLE m AS SELECT g, x, y, 4 AS w, 4 AS h, (g * 7 + x * 3 + y) % 11 AS p_drop FROM " +
		"(SELECT value AS g FROM json_each('[1,2,3]')), (SELECT value * 4 AS x FROM json_each('[0,1,2]')), (SELECT value * 4 AS y FROM json_each('[0,1]'))")
	got := b.run("SELECT g, peak()->>'value' = max(p_drop), peak() FILTER (WHERE x = 0)->>'x', mass_in(0, 0, 12, 8), mass_in(x, y, w / 2, h) FROM m GROUP BY g ORDER BY g")
	for i, row := range got {
		if want := fmt.Sprint([]any{i + 1, 1, 0, 1, 0.5}); fmt.Sprint(row) != want {
			t.Errorf("%v, want %s", row, want)
		}
	}
	// A view may use them.
	b.run("CREATE VIEW peaks AS SELECT g, peak() AS p FROM m GROUP BY g")
	if n := b.one("SELECT count(*) FROM peaks WHERE p ->> 'value' > 5"); n != int64(3) {
		t.Error(n)
	}
}

func TestHeatMapPicture(t *testing.T) {
	b := newBench(t)
	for _, sql := range []string{
		"SELECT heatmap('png') FROM (SELECT 0 AS x, 0 AS y, 8 AS w, 8 AS h, 0.5 AS p_drop UNION SELECT 32, 16, 8, 8, -0.1)",
		"SELECT heatmap(x, y, p, 'png') FROM (SELECT 0 AS x, 0 AS y, 1 AS p UNION SELECT 8, 0, 1 UNION SELECT 16, 8, 3)",
		"SELECT heatmap(column1, column2, column3, column4, column5, 'png') FROM (VALUES (0, 0, 16, 16, NULL), (NULL, 1, 16, 16, 0.25))",
	} {
		c, err := png.DecodeConfig(bytes.NewReader(b.one(sql).([]byte)))
		if err != nil || c.Width < 300 || c.Height < 200 {
			t.Errorf("%s: %v, %v", sql, c, err)
		}
	}
	if v := b.one("SELECT heatmap(1, 1, 1) WHERE 0"); v != nil {
		t.Error(v)
	}
}

// writeMask makes a mask whose lit pixels are told by a function.
func writeMask(t testing.TB, path string, side int, lit func(x, y int) bool) {
	t.Helper()
	m := image.NewGray(image.Rect(0, 0, side, side))
	for y := range side {
		for x := range side {
			if lit(x, y) {
				m.Set(x, y, color.White)
			}
		}
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, m); err != nil {
		t.Fatal(err)
	}
}

// A mask is brought to the input's size, the nearest pixel for each, and inside tells
// what lies on it; with a patch, that patch's middle.
func TestInside(t *testing.T) {
	b := newBench(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "it's.png")
	random := rand.New(rand.NewPCG(1, 2))
	const side = 16
	lit := make([]bool, side*side)
	for i := range lit {
		lit[i] = random.IntN(2) == 0
	}
	writeMask(t, path, side, func(x, y int) bool { return lit[y*side+x] })
	name := "'" + strings.ReplaceAll(path, "'", "''") + "'"
	b.keep("maps", "a.png", 32, func(x, y int) float32 { return 0 }, 5)
	on := func(x, y int) bool { return x >= 0 && y >= 0 && x < 32 && y < 32 && lit[y/2*side+x/2] }
	got := b.run("SELECT x, y, inside(x - 1.5, y, " + name + "), inside(x, y, w, h, " + name + "), inside(" + name + ") FROM maps")
	if len(got) != 25 {
		t.Fatal(len(got))
	}
	for _, row := range got {
		x, y := int(row[0].(int64)), int(row[1].(int64))
		point, patch := on(int(math.Floor(float64(x)-1.5)), y), on(x+4, y+3)
		if row[2] != truth(point) || row[3] != truth(patch) || row[4] != truth(patch) {
			t.Errorf("%v, want %v and %v", row, point, patch)
		}
	}
	if v := b.one("SELECT inside(NULL, 1, " + name + ") FROM maps LIMIT 1"); v != nil {
		t.Error(v)
	}
	// A mask that changed is read again.
	writeMask(t, path, side/2, func(x, y int) bool { return true })
	if n := b.one("SELECT count(*) FROM maps WHERE inside(" + name + ")"); n != int64(20) { // the last column's middles lie outside
		t.Error(n)
	}
}

func truth(b bool) any {
	if b {
		return int64(1)
	}
	return int64(0)
}

// Where inputs differ in size, inside wants to know whose is meant: not if all that
// the statement reads have one size, and not if a model is named.
func TestInsideOfSeveralInputs(t *testing.T) {
	b := newBench(t)
	t.Chdir(t.TempDir())
	writeMask(t, "left.png", 64, func(x, y int) bool { return x < 32 })
	flat := func(x, y int) float32 { return 0 }
	b.keep("small", "a.png", 32, flat, 2)
	b.keep("large", "a.png", 64, flat, 2)
	count := func(table string) string { return "SELECT count(*) FROM " + table + " WHERE inside(20, 0, 'left.png')" }
	if a, c := b.one(count("small")), b.one(count("large")); a != int64(0) || c != int64(4) {
		t.Error(a, c)
	}
	if got := b.fails(count("small, large")); !strings.Contains(got, "32x32 (squash) and 64x64 (squash)") || !strings.Contains(got, "'mask.png', model)") {
		t.Error(got)
	}
	b.run("CREATE VIEW half AS SELECT * FROM large WHERE inside(w, h, 'left.png')")
	if n := b.one(count("half")); n != int64(4) {
		t.Error(n)
	}
	// The session's models tell where no map does.
	b.env.Inputs = func() []Input { return []Input{{Model: "other", Shape: Shape{8, 8, "squash"}}} }
	if v := b.one("SELECT inside(3, 3, 'left.png', 'other')"); v != int64(1) {
		t.Error(v)
	}
	if got := b.fails("SELECT inside(3, 3, 'left.png', 'mother')"); !strings.Contains(got, `nor a model "mother"`) {
		t.Error(got)
	}
	// And so does the last result.
	b.SetLast(&Last{Columns: []string{"x"}, Rows: func(yield func([]any) bool) { yield([]any{5}) },
		Inputs: []Input{{Model: "m", Shape: Shape{8, 8, "squash"}}}})
	if v := b.one("SELECT inside(x, 0, 'left.png') FROM last"); v != int64(0) {
		t.Error(v)
	}
}
