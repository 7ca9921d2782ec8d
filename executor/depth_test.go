package executor_test

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"
	"math"
	"os"
	"strings"
	"testing"

	"golang.org/x/image/tiff"

	"occlude/executor"
	"occlude/internal/dicomfile/dicomtest"
)

// TestDeepPicturesReachTheModel: what a gray model sees of a deep gray picture, in
// a PNG, a TIFF and the frames of a DICOM file, has more than 8 bits, on the whole
// image and under a patch.
func TestDeepPicturesReachTheModel(t *testing.T) {
	const side, center, width = 20, 1000.5, 3001
	b := newBench(t)
	b.grayModel("gray.onnx", side)
	b.run("CREATE MODEL g FROM 'gray.onnx' WITH (output = raw, scale = 1, channels = 'gray', window = [1000.5, 3001]);")

	// The same gray everywhere, in 65535ths, but for one brighter corner.
	gray := func(frame, x, y int) float64 {
		if x >= side-4 && y >= side-4 {
			return 51234 - 2000*float64(frame)
		}
		return 20000 + 700*float64(frame)
	}
	picture := image.NewGray16(image.Rect(0, 0, side, side))
	scan := dicomtest.Image{Columns: side, Rows: side, Bits: 16, Stored: 12, High: 11, Intercept: "-1024", Frames: make([][]uint16, 3)}
	seen := map[[2]int]float64{} // in 0..255, by frame and whether it is the corner
	for frame := range scan.Frames {
		for y := range side {
			for x := range side {
				v := gray(frame, x, y)
				if frame == 0 {
					picture.SetGray16(x, y, color.Gray16{Y: uint16(v)})
				}
				stored := math.Round((v/65535-0.5)*(width-1) + center - 0.5 + 1024)
				scan.Frames[frame] = append(scan.Frames[frame], uint16(stored))
				corner := 0
				if x >= side-4 && y >= side-4 {
					corner = 1
				}
				seen[[2]int{frame, corner}] = ((stored-1024-(center-0.5))/(width-1) + 0.5) * 255
			}
		}
	}
	save := func(name string, write func(io.Writer) error) {
		f, err := os.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(write(f), f.Close()); err != nil {
			t.Fatal(err)
		}
	}
	save("deep.png", func(w io.Writer) error { return png.Encode(w, picture) })
	save("deep.tif", func(w io.Writer) error { return tiff.Encode(w, picture, nil) })
	save("scan.dcm", func(w io.Writer) error { _, err := w.Write(scan.File(t)); return err })

	for name, want := range map[string][2]float64{
		"deep.png":   {gray(0, 0, 0) / 257, gray(0, side-1, side-1) / 257},
		"deep.tif":   {gray(0, 0, 0) / 257, gray(0, side-1, side-1) / 257},
		"scan.dcm":   {seen[[2]int{0, 0}], seen[[2]int{0, 1}]},
		"scan.dcm#1": {seen[[2]int{0, 0}], seen[[2]int{0, 1}]},
		"scan.dcm#3": {seen[[2]int{2, 0}], seen[[2]int{2, 1}]},
	} {
		for _, v := range want {
			if math.Abs(v-math.Round(v)) < 0.05 {
				t.Fatalf("%g has 8 bits", v)
			}
		}
		h := b.one(fmt.Sprintf("OCCLUDE '%s' USING g FOR TOP 2 PATCH 4 STRIDE 16 FILL black INTO '{image}.npy';", name))
		if h.Image != name {
			t.Errorf("%q is called %q", name, h.Image)
		}
		brightest, mean := class(h, 1), class(h, 0)
		all := (want[0]*(side*side-16) + want[1]*16) / (side * side)
		// The patch at the last position hides the corner.
		last := len(brightest.P) - 1
		for what, pair := range map[string][2]float64{
			"greatest": {float64(brightest.P0), want[1]}, "mean": {float64(mean.P0), all},
			"greatest without the corner": {float64(brightest.P[last]), want[0]},
			"mean without the corner":     {float64(mean.P[last]), all - want[1]*16/(side*side)},
			"mean without another":        {float64(mean.P[0]), all - want[0]*16/(side*side)},
		} {
			if !(math.Abs(pair[0]-pair[1]) < 1e-3) {
				t.Errorf("%s: %s gray is %g, want %g", name, what, pair[0], pair[1])
			}
		}
	}
	for _, file := range []string{"deep.npy", "scan.npy", "scan-1.npy", "scan-3.npy"} {
		if _, err := os.Stat(file); err != nil {
			t.Error(err)
		}
	}
	if err := b.fails("PREDICT 'scan.dcm#4' USING g;"); !strings.Contains(err.Error(), `image "scan.dcm#4": DICOM: it has the frames 1 to 3`) {
		t.Error(err)
	}
	if maps := b.maps("OCCLUDE '*.dcm#2' USING g STRIDE 16;"); maps[0].Image != "scan.dcm#2" {
		t.Error(maps[0].Image)
	}
}

// TestColoursInGray: a gray model sees the luma of a coloured picture, and a coloured
// model a gray picture in all three channels.
func TestColoursInGray(t *testing.T) {
	const side = 24
	b := newBench(t)
	b.grayModel("gray.onnx", side)
	b.run("CREATE MODEL g FROM 'gray.onnx' WITH (output = raw, scale = 1, channels = 'gray');" + chest)
	picture := colourful(t, "colours.png", side, 3)
	grays, sum, most := image.NewGray(picture.Bounds()), 0.0, 0.0
	for y := range side {
		for x := range side {
			c := picture.NRGBAAt(x, y)
			luma := math.Floor(0.299*float64(c.R) + 0.587*float64(c.G) + 0.114*float64(c.B) + 0.5)
			sum, most = sum+luma, max(most, luma)
			grays.SetGray(x, y, color.Gray{Y: uint8(luma)})
		}
	}
	h := b.one("OCCLUDE 'colours.png' USING g FOR TOP 2 PATCH 4 STRIDE 16;")
	if mean, greatest := float64(class(h, 0).P0), float64(class(h, 1).P0); math.Abs(mean-sum/(side*side)) > 1e-2 || math.Abs(greatest-most) > 1 {
		t.Errorf("the mean is %g, the greatest %g; want %g and %g", mean, greatest, sum/(side*side), most)
	}
	coloured := image.NewNRGBA(grays.Bounds())
	draw.Draw(coloured, coloured.Bounds(), grays, image.Point{}, draw.Src)
	var same [2]*executor.HeatMap
	for i, m := range []image.Image{grays, coloured} {
		name := fmt.Sprintf("gray%d.png", i)
		save(t, name, m)
		same[i] = b.one("OCCLUDE '" + name + "' USING chest STRIDE 104;")
	}
	if bits(same[0]) != bits(same[1]) {
		t.Error("a gray picture is another one than the same in colours that are gray")
	}
}

func class(h *executor.HeatMap, id int) executor.ClassMap {
	for _, c := range h.Classes {
		if c.ID == id {
			return c
		}
	}
	return executor.ClassMap{}
}

// TestMasksInFrames: a frame is a mask wherever a picture is, and the same one.
func TestMasksInFrames(t *testing.T) {
	b := newBench(t)
	b.run(chest)
	stored(t, b, "data.db")
	const side = 32
	scan := dicomtest.Image{Columns: side, Rows: side, Bits: 8, Stored: 8, High: 7, Frames: [][]uint16{make([]uint16, side*side), make([]uint16, side*side)}}
	left := image.NewGray(image.Rect(0, 0, side, side))
	for y := range side {
		for x := range side / 2 {
			scan.Frames[1][y*side+x] = 255
			left.SetGray(x, y, color.Gray{Y: 255})
		}
	}
	if err := os.WriteFile("marks.dcm", scan.File(t), 0o600); err != nil {
		t.Fatal(err)
	}
	save(t, "marks.png", left)
	const query = "OCCLUDE 'examples/images/cavity.png' USING chest STRIDE 26 "
	b.run(query + "INTO TABLE maps;")
	count := func(mask string) []any {
		return b.run("SELECT count(*) FROM maps WHERE inside('" + mask + "');")[0].(*executor.Relation).Rows[0]
	}
	if a, c := len(b.one(query+"WHERE inside('marks.png');").States), len(b.one(query+"WHERE inside('marks.dcm#2');").States); a != c {
		t.Errorf("WHERE leaves %d positions, of a frame %d", a, c)
	}
	if a, c := count("marks.png"), count("marks.dcm#2"); a[0] != c[0] || a[0] == int64(0) {
		t.Errorf("%d rows are inside, of a frame %d", a, c)
	}
	energy := func(mask string) float64 {
		return b.scores("EVALUATE (" + query + ") USING energy('" + mask + "');").Scores[0].Value
	}
	if a, c := energy("marks.png"), energy("marks.dcm#2"); a != c || a == 0 {
		t.Errorf("the energy is %g, of a frame %g", a, c)
	}
}
