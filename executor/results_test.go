package executor_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"image/png"
	"math"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"occlude/executor"
	"occlude/internal/npy"
)

func array(t *testing.T, path string) *tensor.Dense {
	t.Helper()
	a, _, err := npy.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func same(a, b float32) bool { return a == b || a != a && b != b }

func TestArrayShapes(t *testing.T) {
	b := newBench(t)
	b.run(chest)
	for _, c := range []struct {
		clauses string
		shape   tensor.Shape
	}{
		{"STRIDE 104", tensor.Shape{3, 3}},
		{"STRIDE 104x208", tensor.Shape{2, 3}},
		{"STRIDE 100", tensor.Shape{4, 4}},
		{"STRIDE 100 WITH (edge = drop)", tensor.Shape{3, 3}},
		{"STRIDE 104 FOR TOP 3", tensor.Shape{3, 3, 3}},
		{"STRIDE 104x208 FOR TOP 5", tensor.Shape{5, 2, 3}},
		{"AT (0, 0), (5, 5)", tensor.Shape{2}},
		{"AT (0, 0), (5, 5) FOR TOP 4", tensor.Shape{4, 2}},
		{"STRIDE 104 WHERE x > 0 AND y = 104", tensor.Shape{3, 3}},
		{"PATCH 224", tensor.Shape{1, 1}},
	} {
		h := b.one("OCCLUDE 'examples/images/nodule.png' USING chest " + c.clauses + " INTO 'a.npy';")
		a := array(t, "a.npy")
		if !a.Shape().Eq(c.shape) {
			t.Errorf("%s: shape %v, want %v", c.clauses, a.Shape(), c.shape)
			continue
		}
		if !reflect.DeepEqual(h.Written, []string{"a.npy"}) {
			t.Errorf("%s: wrote %q", c.clauses, h.Written)
		}
		// Each value stands in its class's block, at its row and column.
		values := a.Data().([]float32)
		each := len(values) / len(h.Classes)
		filled := 0
		for i, class := range h.Classes {
			for j, pos := range h.Plan.Grid.Positions {
				at := j
				if !h.Plan.Grid.Listed {
					at = pos.Row*h.Plan.Grid.Cols() + pos.Col
				}
				if got := values[i*each+at]; got != class.P[j] {
					t.Errorf("%s: class %d at (%d, %d) is %g, want %g", c.clauses, class.ID, pos.X, pos.Y, got, class.P[j])
				}
				filled++
			}
		}
		for _, v := range values {
			if v != v {
				filled++
			}
		}
		if filled != len(values) {
			t.Errorf("%s: %d of %d values are neither a position nor NaN", c.clauses, len(values)-filled, len(values))
		}
	}
}

// WHERE leaves positions out and changes no other, where convolutions are
// computed in the same way: that is chosen for the positions that are left.
func TestWhereKeepsTheRest(t *testing.T) {
	b := newBench(t)
	b.run(chest)
	all := b.one("OCCLUDE 'examples/images/nodule.png' USING chest STRIDE 52 WITH (convolution = direct);")
	some := b.one("OCCLUDE 'examples/images/nodule.png' USING chest STRIDE 52 WHERE inside('examples/masks/lungs.png') AND x <> 104 WITH (convolution = direct);")
	a, s := all.Array().Data().([]float32), some.Array().Data().([]float32)
	kept := 0
	for i := range s {
		switch {
		case s[i] != s[i]:
		case s[i] != a[i]:
			t.Errorf("position %d: %g with WHERE, %g without", i, s[i], a[i])
		default:
			kept++
		}
	}
	if n := len(some.Plan.Grid.Positions); kept != n || n == 0 || n >= len(a) {
		t.Errorf("%d values for %d positions of %d", kept, n, len(a))
	}
}

func TestRelation(t *testing.T) {
	b := newBench(t)
	b.run(chest)
	h := b.one("OCCLUDE 'examples/images/cavity-2.png' USING chest FOR TOP 2 PATCH 20x10 STRIDE 102x107 INTO 'r.csv', 'r.json';")
	r := h.Relation()
	want := "image model class_id class x y w h p0 p p_drop state"
	if got := strings.Join(r.Columns, " "); got != want {
		t.Fatalf("columns %s, want %s", got, want)
	}
	if len(r.Rows) != 2*9 {
		t.Fatalf("%d rows", len(r.Rows))
	}

	f, err := os.Open("r.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	records, err := csv.NewReader(f).ReadAll()
	if err != nil || len(records) != 1+len(r.Rows) {
		t.Fatalf("%d records, %v", len(records), err)
	}
	var objects []map[string]any
	readJSON(t, "r.json", &objects)
	if len(objects) != len(r.Rows) {
		t.Fatalf("%d objects", len(objects))
	}
	for i, row := range r.Rows {
		class, pos := h.Classes[i/9], h.Plan.Grid.Positions[i%9]
		p, p0 := class.P[i%9], class.P0
		want := []any{"examples/images/cavity-2.png", "chest", class.ID, class.Label, pos.X, pos.Y, 20, 10, p0, p, p0 - p, "exact"}
		if !reflect.DeepEqual(row, want) {
			t.Errorf("row %d is %v, want %v", i, row, want)
		}
		record, object := records[i+1], objects[i]
		if v, err := strconv.ParseFloat(record[9], 32); err != nil || float32(v) != p {
			t.Errorf("CSV row %d has p = %s, want %v", i, record[9], p)
		}
		if v, ok := object["p"].(float64); !ok || float32(v) != p {
			t.Errorf("JSON row %d has p = %v, want %v", i, object["p"], p)
		}
		if object["class"] != class.Label || record[3] != class.Label || object["x"] != float64(pos.X) || record[4] != fmt.Sprint(pos.X) {
			t.Errorf("row %d: %v, %v", i, record, object)
		}
	}
}

func TestTextBringsNumbersBack(t *testing.T) {
	for _, v := range []float32{0, 1, .1, 1.0 / 3, 1e-30, 0.9762757} {
		if back, err := strconv.ParseFloat(executor.Text(v), 32); err != nil || float32(back) != v {
			t.Errorf("%g becomes %s", v, executor.Text(v))
		}
	}
	r := &executor.Relation{Columns: []string{"a", `b "quoted"`}, Rows: [][]any{{float32(math.NaN()), "x\ny"}, {math.Inf(1), 3}}}
	var out strings.Builder
	if err := r.JSON(&out); err != nil {
		t.Fatal(err)
	}
	var back []map[string]any
	if err := json.Unmarshal([]byte(out.String()), &back); err != nil {
		t.Fatalf("%v in %s", err, out.String())
	}
	if back[0]["a"] != nil || back[1]["a"] != nil || back[0][`b "quoted"`] != "x\ny" || back[1][`b "quoted"`] != 3.0 {
		t.Errorf("%v", back)
	}
}

func TestSeveralImages(t *testing.T) {
	b := newBench(t)
	b.run(chest)
	maps := b.maps("OCCLUDE 'examples/images/nodule*.png' USING chest STRIDE 104 INTO 'm-{image}.npy', 'm-{image}.png' COLORMAP 'jet_r';")
	if len(maps) != 2 {
		t.Fatalf("%d maps", len(maps))
	}
	for i, name := range []string{"nodule-2", "nodule"} {
		h := maps[i]
		if h.Image != "examples/images/"+name+".png" {
			t.Errorf("image %d is %s", i, h.Image)
		}
		alone := b.one("OCCLUDE 'examples/images/" + name + ".png' USING chest STRIDE 104;")
		if bits(alone) != bits(h) {
			t.Errorf("%s has another map among others", name)
		}
		a := array(t, "m-"+name+".npy")
		for j, v := range a.Data().([]float32) {
			if !same(v, h.Classes[0].P[j]) {
				t.Errorf("m-%s.npy: value %d is %g, want %g", name, j, v, h.Classes[0].P[j])
			}
		}
		f, err := os.Open("m-" + name + ".png")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := png.Decode(f); err != nil {
			t.Error(err)
		}
	}
	if maps[0].Actual.Load <= 0 || maps[1].Actual.Load != 0 || maps[1].Actual.Plan != 0 {
		t.Errorf("load %g and %g, plan %g and %g: the first image accounts for both", maps[0].Actual.Load, maps[1].Actual.Load, maps[0].Actual.Plan, maps[1].Actual.Plan)
	}
}

// One colour and one gray picture, several classes, grids of one row or column.
func TestPictures(t *testing.T) {
	long(t)
	b := newBench(t)
	b.run(chest)
	colourful(t, "colours.png", 90, 8)
	for _, clauses := range []string{
		"STRIDE 104 FOR TOP 5", "PATCH 224x16 STRIDE 104", "PATCH 16x224 STRIDE 104",
		"STRIDE 52 WHERE x = 52", "STRIDE 104 COLORMAP jet_r",
	} {
		b.run("OCCLUDE 'colours.png' USING chest " + clauses + " INTO 'p.png';")
		f, err := os.Open("p.png")
		if err != nil {
			t.Fatal(err)
		}
		m, err := png.Decode(f)
		f.Close()
		if err != nil {
			t.Fatalf("%s: %v", clauses, err)
		}
		if m.Bounds().Dx() < 200 || m.Bounds().Dy() < 200 {
			t.Errorf("%s: a picture of %v", clauses, m.Bounds())
		}
	}
	b.grayModel("gray.onnx", 30)
	b.run("CREATE MODEL g FROM 'gray.onnx' WITH (output = raw); OCCLUDE 'colours.png' USING g PATCH 10 INTO 'p.png';")
}

func TestCopy(t *testing.T) {
	b := newBench(t)
	b.run(chest)
	for _, c := range []struct{ copy, message, file, begins string }{
		{"COPY (OCCLUDE 'examples/images/nodule.png' USING chest STRIDE 104 FOR TOP 2) TO 'h.csv'", "COPY 18 rows to h.csv", "h.csv", "image,model,"},
		{"COPY (OCCLUDE 'examples/images/nodule.png' USING chest STRIDE 104) TO 'h.data' (FORMAT json)", "COPY 9 rows to h.data", "h.data", "[\n  {\"image\": "},
		{"COPY (OCCLUDE 'examples/images/nodule.png' USING chest STRIDE 104) TO 'h.npy'", "COPY 9 rows to h.npy", "h.npy", "\x93NUMPY"},
		{"COPY (OCCLUDE 'examples/images/nodule.png' USING chest STRIDE 104) TO 'h.png'", "COPY 9 rows to h.png", "h.png", "\x89PNG"},
		{"COPY (OCCLUDE 'examples/images/nodule*.png' USING chest STRIDE 208) TO '{image}.csv'", "COPY 4 rows to nodule-2.csv, COPY 4 rows to nodule.csv", "nodule.csv", "image,model,"},
		{"COPY (PREDICT 'examples/images/*.png' USING chest TOP 2) TO 'p.csv'", "COPY 16 rows to p.csv", "p.csv", "image,model,rank,class_id,class,p\n"},
		{"COPY (SHOW MODELS) TO 'm.json'", "COPY 1 row to m.json", "m.json", "[\n  {\"name\": \"chest\""},
	} {
		var messages []string
		for _, r := range b.run(c.copy + ";") {
			messages = append(messages, r.(executor.Message).Text)
		}
		if got := strings.Join(messages, ", "); got != c.message {
			t.Errorf("%s\nsays %q, want %q", c.copy, got, c.message)
		}
		data, err := os.ReadFile(c.file)
		if err != nil || !strings.HasPrefix(string(data), c.begins) {
			t.Errorf("%s\nwrote %.40q, %v", c.copy, data, err)
		}
	}
}

func TestPredict(t *testing.T) {
	b := newBench(t)
	b.run(chest)
	r := b.run("PREDICT 'examples/images/cavity*.png' USING chest TOP 3;")[0].(*executor.Relation)
	if len(r.Rows) != 6 {
		t.Fatalf("%d rows", len(r.Rows))
	}
	for i, row := range r.Rows {
		image := []string{"examples/images/cavity-2.png", "examples/images/cavity.png"}[i/3]
		if row[0] != image || row[1] != "chest" || row[2] != i%3+1 {
			t.Errorf("row %d: %v", i, row)
		}
		if i%3 == 0 && row[4] != "cavity" {
			t.Errorf("row %d: %v", i, row)
		}
		if i%3 > 0 && row[5].(float32) > r.Rows[i-1][5].(float32) {
			t.Errorf("row %d is more probable than the one before", i)
		}
	}
	if r := b.run("PREDICT 'examples/images/clear.png' USING chest;")[0].(*executor.Relation); len(r.Rows) != 5 {
		t.Errorf("%d rows without TOP", len(r.Rows))
	}
}

// A coloured picture is shown beside the map, which is laid over its gray.
func TestColouredPicturesAreShown(t *testing.T) {
	b := newBench(t)
	b.run(chest)
	colourful(t, "colours.png", 90, 8)
	b.grayModel("gray.onnx", 30)
	b.run("CREATE MODEL g FROM 'gray.onnx' WITH (output = raw);")
	for query, want := range map[string]bool{
		"OCCLUDE 'colours.png' USING chest PATCH 224;": true, "OCCLUDE 'examples/images/clear.png' USING chest PATCH 224;": false,
		"OCCLUDE 'colours.png' USING g PATCH 30;": false,
	} {
		if got := b.one(query).Figure().Original; got != want {
			t.Errorf("%s: a panel for the picture: %t", query, got)
		}
	}
}

// Files that are named by the frames of one file have names of their own, whoever
// writes them.
func TestCopyNamesFrames(t *testing.T) {
	b := newBench(t)
	b.run(chest)
	stored(t, b, "data.db")
	twoFrames(t, "ct.dcm")
	for frame := 1; frame <= 2; frame++ {
		b.run(fmt.Sprintf("OCCLUDE 'ct.dcm#%d' USING chest STRIDE 104 INTO TABLE maps;", frame))
	}
	b.run("COPY (SELECT image, heatmap(x, y, p_drop) FROM maps GROUP BY image) TO '{image}.npy';")
	b.run("COPY (OCCLUDE 'ct.dcm#2' USING chest STRIDE 104) TO '{image}.csv';")
	for _, file := range []string{"ct-1.npy", "ct-2.npy", "ct-2.csv"} {
		if _, err := os.Stat(file); err != nil {
			t.Error(err)
		}
	}
}
