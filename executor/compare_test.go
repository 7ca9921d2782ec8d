package executor_test

import (
	"image/png"
	"math"
	"os"
	"testing"

	"gorgonia.org/tensor"

	"occlude/executor"
)

// TestCompare holds a comparison against its two queries.
func TestCompare(t *testing.T) {
	b := newBench(t)
	b.run(chest)
	for _, q := range []struct {
		first, second string
		shape         tensor.Shape
	}{
		{"OCCLUDE 'examples/images/nodule.png' USING chest STRIDE 40 FILL black", "OCCLUDE 'examples/images/nodule.png' USING chest STRIDE 40 FILL white", tensor.Shape{3, 7, 7}},
		{"OCCLUDE 'examples/images/nodule.png' USING chest STRIDE 40x80 FOR TOP 3", "OCCLUDE 'examples/images/cavity.png' USING chest STRIDE 40x80 FOR TOP 3", tensor.Shape{3, 3, 4, 7}},
		{"OCCLUDE 'examples/images/nodule.png' USING chest AT (160, 72), (3, 4)", "OCCLUDE 'examples/images/nodule.png' USING chest AT (160, 72), (3, 4) FOR CLASS 'clear'", tensor.Shape{3, 2}},
		{"OCCLUDE 'examples/images/nodule.png' USING chest STRIDE 40 WHERE x > 100", "OCCLUDE 'examples/images/clear.png' USING chest STRIDE 40 WHERE x > 100 WITH (plan = full)", tensor.Shape{3, 7, 7}},
	} {
		first, second := b.one(q.first+";"), b.one(q.second+";")
		c := b.run("COMPARE (" + q.first + ") WITH (" + q.second + ");")[0].(*executor.Comparison)
		if len(c.Classes) != len(first.Classes) {
			t.Fatalf("%s: %d ranks", q.first, len(c.Classes))
		}
		g := first.Plan.Grid
		array := c.Array()
		if !array.Shape().Eq(q.shape) {
			t.Fatalf("%s: an array of shape %v, want %v", q.first, array.Shape(), q.shape)
		}
		values := array.Data().([]float32)
		third := len(values) / 3
		rows := c.Relation().Rows
		for k, l := range c.Classes {
			largest, xs, ys := 0.0, []float64{}, []float64{}
			for i, pos := range g.Positions {
				a, z := first.Classes[k].P0-first.Classes[k].P[i], second.Classes[k].P0-second.Classes[k].P[i]
				row := rows[k*len(g.Positions)+i]
				if row[0] != k+1 || row[1] != first.Classes[k].Label || row[2] != second.Classes[k].Label || row[3] != pos.X || row[4] != pos.Y ||
					row[7] != a || row[8] != z || row[9] != a-z {
					t.Fatalf("%s: the row %v, want drops of %g and %g", q.first, row, a, z)
				}
				at := k*len(g.Positions) + i
				if !g.Listed {
					at = k*g.Rows()*g.Cols() + pos.Row*g.Cols() + pos.Col
				}
				if values[at] != a || values[third+at] != z || values[2*third+at] != a-z {
					t.Fatalf("%s: the array has %g, %g and %g at (%d, %d)", q.first, values[at], values[third+at], values[2*third+at], pos.X, pos.Y)
				}
				if d := float64(a - z); math.Abs(d) > math.Abs(largest) {
					largest = d
				}
				xs, ys = append(xs, float64(a)), append(ys, float64(z))
			}
			if l.Difference != largest {
				t.Errorf("%s: the largest difference is %g, want %g", q.first, l.Difference, largest)
			}
			if want := correlation(xs, ys); math.Abs(l.Pearson-want) > 1e-9 {
				t.Errorf("%s: correlation %g, want %g", q.first, l.Pearson, want)
			}
			if math.IsNaN(l.SSIM) != g.Listed || l.SSIM > 1 {
				t.Errorf("%s: SSIM %g", q.first, l.SSIM)
			}
		}
		if len(q.shape) != 4 { // several ranks have all there is to draw
			continue
		}
		b.run("COPY (COMPARE (" + q.first + ") WITH (" + q.second + ")) TO 'c.png';")
		f, err := os.Open("c.png")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := png.Decode(f); err != nil {
			t.Error(err)
		}
		f.Close()
	}
}

func correlation(x, y []float64) float64 {
	n := float64(len(x))
	var sx, sy, sxx, syy, sxy float64
	for i := range x {
		sx, sy = sx+x[i], sy+y[i]
	}
	for i := range x {
		dx, dy := x[i]-sx/n, y[i]-sy/n
		sxx, syy, sxy = sxx+dx*dx, syy+dy*dy, sxy+dx*dy
	}
	return sxy / math.Sqrt(sxx*syy)
}

// What both maps share is told once, what sets them apart above each.
func TestComparisonNames(t *testing.T) {
	b := newBench(t)
	b.run(chest + "CREATE MODEL other FROM 'examples/models/chest.onnx';")
	for _, c := range []struct{ first, second, title, one, two string }{
		{"'examples/images/nodule.png' USING chest", "'examples/images/nodule.png' USING chest FILL black", "nodule.png · chest", "fill gray", "fill black"},
		{"'examples/images/nodule.png' USING chest", "'examples/images/clear.png' USING other", "two images in two models", "nodule.png · chest", "clear.png · other"},
		{"'examples/images/nodule.png' USING chest", "'examples/images/nodule.png' USING chest WITH (plan = full)", "nodule.png · chest", "incremental", "full"},
		{"'examples/images/nodule.png' USING chest", "'examples/images/nodule.png' USING chest", "nodule.png · chest", "first", "second"},
	} {
		p := b.run("COMPARE (OCCLUDE " + c.first + " STRIDE 208) WITH (OCCLUDE " + c.second + " STRIDE 208);")[0].(*executor.Comparison).Pair()
		if p.Title != c.title || p.First.Name != c.one || p.Second.Name != c.two {
			t.Errorf("%q, %q and %q, want %q, %q and %q", p.Title, p.First.Name, p.Second.Name, c.title, c.one, c.two)
		}
	}
}
