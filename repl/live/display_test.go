package live

import (
	"context"
	"errors"
	"fmt"
	"image"
	"math"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"occlude/executor"
	"occlude/internal/engine"
	"occlude/lang"
	"occlude/repl/picture"
)

// growth is a heat map of which more and more is known.
type growth struct {
	mu    sync.Mutex
	whole *executor.HeatMap
	known int // positions
}

// grow adds positions, and gives one of them another value.
func (g *growth) grow(positions, changed int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.known = min(g.known+positions, len(g.whole.States))
	p := g.whole.Classes[0].P
	if changed >= 0 {
		p[changed*37%len(p)] = float32(changed%7) / 7
	}
}

// Look gives the first positions; nil while there are none.
func (g *growth) Look() *executor.HeatMap {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.known == 0 {
		return nil
	}
	h := *g.whole
	h.Partial = true
	h.States = append([]executor.State(nil), h.States...)
	h.Classes = append([]executor.ClassMap(nil), h.Classes...)
	h.Classes[0].P = append([]float32(nil), h.Classes[0].P...)
	for i := g.known; i < len(h.States); i++ {
		h.States[i], h.Classes[0].P[i] = executor.Missing, float32(math.NaN())
	}
	return &h
}

// heatMap runs a query on the example's model.
func heatMap(t *testing.T, text string) *executor.HeatMap {
	t.Helper()
	dir, err := filepath.Abs("../../examples")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	h, err := run(text)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// run runs a query among the examples.
func run(text string) (h *executor.HeatMap, err error) {
	const create = `CREATE MODEL chest FROM 'models/chest.onnx' WITH (labels = 'models/chest.labels.txt', mean = [0.30, 0.30, 0.30], std = [0.27, 0.27, 0.27]);`
	err = engine.New().Run(context.Background(), engine.Text{Source: create + text}, func(_ lang.Statement, r executor.Result) error {
		h, _ = r.(*executor.HeatMap)
		return nil
	})
	return h, err
}

// shown is a display on an emulated terminal.
func shown(e *emulator, p picture.Protocol) *Display {
	return &Display{out: e, rate: nearby, now: time.Now, terminal: &picture.Terminal{Protocol: p, Size: func() picture.Size {
		return picture.Size{Columns: e.columns, Lines: e.lines, Cell: image.Pt(10, 20)}
	}}}
}

// check looks whether the terminal could be left as it is.
func (e *emulator) check(t *testing.T) {
	t.Helper()
	if e.failed != nil {
		t.Fatal(e.failed)
	}
	if e.hidden || e.held || e.cut {
		t.Errorf("the cursor is hidden: %v; the screen is held: %v; lines are cut: %v", e.hidden, e.held, e.cut)
	}
}

const blocks = picture.Blocks

// A query runs for ten seconds: the line counts, the map grows below it, and in the end
// nothing is left of either.
func TestMapGrows(t *testing.T) {
	h := heatMap(t, "OCCLUDE 'images/nodule.png' USING chest STRIDE 8;")
	n := len(h.States)
	for _, p := range []picture.Protocol{blocks, picture.Kitty} {
		synctest.Test(t, func(t *testing.T) {
			e := newEmulator(90, 30)
			fmt.Fprint(e, "$ occlude\r\n")
			d, g := shown(e, p), &growth{whole: h}
			d.Start("images/nodule.png", n)
			d.watch(g)
			step := func(of time.Duration, positions int) []string {
				t.Helper()
				g.grow(positions, -1)
				d.Add(positions)
				time.Sleep(of)
				synctest.Wait()
				e.check(t)
				if e.y != 1 || e.x != 0 {
					t.Errorf("the cursor rests at (%d, %d)", e.x, e.y)
				}
				return e.text()
			}
			if text := step(350*time.Millisecond, 0); len(text) != 1 {
				t.Fatalf("after 0.35 s:\n%s", strings.Join(text, "\n"))
			}
			if text := step(200*time.Millisecond, 0); len(text) != 2 || !strings.HasPrefix(text[1], "nodule.png    0% ───") || !strings.HasSuffix(text[1], "0 of 729 positions") {
				t.Fatalf("before anything is known:\n%s", strings.Join(text, "\n"))
			}
			text := step(2*time.Second, 200)
			if len(text) < 20 || !regexp.MustCompile(`^nodule.png   27% ━+─+  200 of 729 positions · [0-9]{2}/s · [0-9]+ s left$`).MatchString(text[1]) ||
				!regexp.MustCompile(`^nodule +p₀ 0\.953$`).MatchString(text[2]) {
				t.Fatalf("after 200:\n%s", strings.Join(text, "\n"))
			}
			if last := text[len(text)-1]; !strings.HasPrefix(last, "p falls most at (") {
				t.Errorf("the last line is %q", last)
			}
			if (p == blocks) != strings.Contains(strings.Join(text, ""), "▀") || (p == picture.Kitty) != (len(e.images) == 1) {
				t.Errorf("%s: %d images, and\n%s", p, len(e.images), strings.Join(text, "\n"))
			}
			drawn, bytes := e.images, e.bytes
			before := fmt.Sprint(drawn)
			step(time.Second, 0) // nothing new but the time that is left
			if n := e.bytes - bytes; fmt.Sprint(e.images) != before || n > 3000 {
				t.Errorf("%s: %d bytes while nothing grew, images %v, were %s", p, n, e.images, before)
			}
			before = fmt.Sprint(e.images)
			again := step(2*time.Second, 300)
			if p == blocks == (fmt.Sprint(e.images) != before) || len(again) != len(text) || !strings.Contains(again[1], " 68% ") {
				t.Errorf("%s: after 500: images %v, were %v\n%s", p, e.images, before, strings.Join(again, "\n"))
			}
			d.Finish()
			e.check(t)
			if text := e.text(); len(text) != 1 || text[0] != "$ occlude" || len(e.images) > 0 || len(e.scrolled) > 0 {
				t.Errorf("%s: in the end there is\n%s\nand images %v, %d lines scrolled", p, strings.Join(text, "\n"), e.images, len(e.scrolled))
			}
			writes := e.writes
			time.Sleep(time.Minute)
			if d.Finish(); e.writes != writes {
				t.Error("something is written after the end")
			}
		})
	}
}

// What is over within a moment is not shown at all.
func TestQuickQueriesShowNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEmulator(90, 30)
		d := shown(e, blocks)
		for range 10 {
			d.Start("a.png", 10)
			time.Sleep(300 * time.Millisecond)
			d.Add(10)
			d.Above(func() { fmt.Fprint(e, "said\r\n") })
			d.Finish()
		}
		if e.writes != 10 {
			t.Errorf("%d writes", e.writes)
		}
	})
}

// What is said moves the picture down, and in the end none is left.
func TestPictureBelowWhatIsSaid(t *testing.T) {
	h := heatMap(t, "OCCLUDE 'images/nodule.png' USING chest STRIDE 52;")
	synctest.Test(t, func(t *testing.T) {
		e := newEmulator(90, 30)
		d, g := shown(e, picture.Kitty), &growth{whole: h}
		d.Start("nodule.png", 25)
		d.watch(g)
		g.grow(5, -1)
		time.Sleep(time.Second)
		for range 2 {
			d.Above(func() { fmt.Fprint(e, "said\r\n") })
			if len(e.images) != 1 {
				t.Errorf("after something was said there are images %v", e.images)
			}
		}
		d.Finish()
		if e.check(t); len(e.images) > 0 {
			t.Errorf("in the end there are images %v", e.images)
		}
	})
}

// The picture of an image makes room for that of the next, but does not stand below its
// name for long.
func TestNextImage(t *testing.T) {
	h := heatMap(t, "OCCLUDE 'images/nodule.png' USING chest STRIDE 52;")
	synctest.Test(t, func(t *testing.T) {
		e := newEmulator(90, 30)
		d := shown(e, picture.Kitty)
		d.Start("a.png", 50)
		pictured := func(want bool, after time.Duration) {
			t.Helper()
			time.Sleep(after)
			synctest.Wait()
			d.mu.Lock() // for two looks in a row
			defer d.mu.Unlock()
			e.check(t)
			if text := e.text(); (len(text) > 1) != want || (len(e.images) == 1) != want {
				t.Errorf("%d images in\n%s", len(e.images), strings.Join(text, "\n"))
			}
		}
		for i := range 2 {
			d.Next(fmt.Sprintf("%c.png", 'a'+i), i+1, 2)
			pictured(i > 0, 300*time.Millisecond)
			pictured(false, time.Second) // the base pass
			g := &growth{whole: h}
			d.watch(g)
			pictured(false, time.Second) // the first positions
			g.grow(1, -1)
			d.Add(1)
			pictured(true, 5*time.Second)
		}
		d.Finish()
	})
}

// At the bottom of the screen there is made room, once; and results are printed above.
func TestRoomIsMadeOnce(t *testing.T) {
	h := heatMap(t, "OCCLUDE 'images/nodule.png' USING chest STRIDE 52;")
	synctest.Test(t, func(t *testing.T) {
		e := newEmulator(90, 24)
		for i := range 23 {
			fmt.Fprintf(e, "line %d\r\n", i)
		}
		d, g := shown(e, blocks), &growth{whole: h}
		d.Start("a.png", 75)
		for i := range 3 {
			d.Next(fmt.Sprintf("%c.png", 'a'+i), i+1, 3)
			d.watch(g)
			for range 25 {
				g.grow(1, -1)
				time.Sleep(100 * time.Millisecond)
				d.Add(1)
			}
			synctest.Wait()
			e.check(t)
			if text := e.text(); !strings.HasPrefix(text[e.y], fmt.Sprintf("image %d of 3, %c.png", i+1, 'a'+i)) {
				t.Errorf("at image %d:\n%s", i, strings.Join(text, "\n"))
			}
			if i < 2 {
				d.Above(func() { fmt.Fprintf(e, "result %d\r\n", i) })
			}
			g = &growth{whole: h}
		}
		d.Finish()
		e.check(t)
		all := append(append([]string(nil), e.scrolled...), e.text()...)
		var want []string
		for i := range 23 {
			want = append(want, fmt.Sprintf("line %d", i))
		}
		want = append(want, "result 0", "result 1")
		if strings.Join(all, "\n") != strings.Join(want, "\n") {
			t.Errorf("left is\n%s", strings.Join(all, "\n"))
		}
	})
}

// The window is pulled wider, narrower, higher and lower: the picture fits, and nothing is
// left of the one before.
func TestResize(t *testing.T) {
	h := heatMap(t, "OCCLUDE 'images/nodule.png' USING chest STRIDE 52;")
	for _, p := range []picture.Protocol{blocks, picture.Kitty} {
		synctest.Test(t, func(t *testing.T) {
			e := newEmulator(90, 30)
			fmt.Fprint(e, "$ occlude\r\n")
			d, g := shown(e, p), &growth{whole: h}
			d.Start("nodule.png", 25)
			d.watch(g)
			for _, size := range [][2]int{{90, 30}, {120, 50}, {40, 50}, {40, 12}, {25, 9}, {200, 9}, {12, 6}, {90, 30}} {
				e.resize(size[0], size[1])
				g.grow(1, -1)
				d.Add(1)
				time.Sleep(3 * time.Second)
				synctest.Wait()
				e.check(t)
				text := strings.Join(e.text(), "\n")
				if strings.Count(text, "%") != 1 || strings.Count(text, "p₀") > 1 || strings.Count(text, ", by ") > 1 {
					t.Errorf("%s in %v:\n%s", p, size, text)
				}
				if high := size[1] >= 12; high != strings.Contains(text, "p₀") {
					t.Errorf("%s in %v there is a picture: %v\n%s", p, size, !high, text)
				}
			}
			d.Finish()
			e.check(t)
			if all := append(e.scrolled, e.text()...); len(all) != 1 || all[0] != "$ occlude" || len(e.images) > 0 {
				t.Errorf("%s: left is\n%s", p, strings.Join(all, "\n"))
			}
		})
	}
}

// There are no more than ten frames a second, and no more bytes than the line takes.
func TestOutputIsBounded(t *testing.T) {
	h := heatMap(t, "OCCLUDE 'images/nodule.png' USING chest STRIDE 8;")
	synctest.Test(t, func(t *testing.T) {
		e := newEmulator(200, 60)
		d, g := shown(e, blocks), &growth{whole: h}
		d.rate = 50_000
		const seconds = 20
		d.Start("nodule.png", len(h.States))
		d.watch(g)
		for i := range seconds * 100 {
			g.grow(1, i) // everything changes all the time
			d.Add(1)
			time.Sleep(10 * time.Millisecond)
		}
		d.Finish()
		e.check(t)
		if e.writes > 10*seconds+1 || e.writes < seconds {
			t.Errorf("%d writes in %d seconds", e.writes, seconds)
		}
		lines := 10 * seconds * 300 // which change ten times a second
		if e.bytes > seconds*d.rate+lines {
			t.Errorf("%d bytes in %d seconds at %d bytes a second", e.bytes, seconds, d.rate)
		}
	})
}

// A slow line gets fewer frames.
func TestSlowTerminal(t *testing.T) {
	h := heatMap(t, "OCCLUDE 'images/nodule.png' USING chest STRIDE 8;")
	synctest.Test(t, func(t *testing.T) {
		e := newEmulator(90, 40)
		d, g := shown(e, blocks), &growth{whole: h}
		large := 0
		d.out = writer(func(data []byte) (int, error) {
			if len(data) > 400 { // more than the line
				large++
				time.Sleep(100 * time.Millisecond)
			}
			return e.Write(data)
		})
		d.Start("nodule.png", len(h.States))
		d.watch(g)
		for i := range 6000 {
			g.grow(1, i)
			d.Add(1)
			time.Sleep(10 * time.Millisecond)
		}
		d.Finish()
		if large < 20 || large > 31 { // a twentieth of a minute
			t.Errorf("%d frames of 0.1 s each in a minute", large)
		}
	})
}

type writer func([]byte) (int, error)

func (w writer) Write(data []byte) (int, error) { return w(data) }

// Neither a terminal that is gone nor one that knows nothing is a reason to stop.
func TestPoorTerminals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		d := shown(newEmulator(60, 24), picture.None)
		d.out, d.terminal.Dumb, d.screen.plain = &out, true, true
		d.Start("scans/a.png", 300)
		time.Sleep(time.Second)
		d.Add(100)
		time.Sleep(time.Second)
		d.Above(func() { out.WriteString("said\n") })
		d.Finish()
		if text := out.String(); strings.ContainsAny(text, "\x1b\n━") && strings.Count(text, "\n") != 1 || !strings.Contains(text, "\ra.png   33% ") || !strings.Contains(text, "=") {
			t.Errorf("%q", text)
		}
		if text := out.String(); !regexp.MustCompile(`\r +\rsaid\n`).MatchString(text) || !regexp.MustCompile(`\r +\r$`).MatchString(text) {
			t.Errorf("left is %q", text)
		}

		d = shown(newEmulator(60, 24), blocks)
		d.out = writer(func([]byte) (int, error) { return 0, errors.New("gone") })
		d.Start("a.png", 10)
		time.Sleep(time.Second)
		d.Add(10)
		d.Finish()
	})
}

// After a stop the shell has written something: the display goes on below it.
func TestResume(t *testing.T) {
	h := heatMap(t, "OCCLUDE 'images/nodule.png' USING chest STRIDE 52;")
	synctest.Test(t, func(t *testing.T) {
		e := newEmulator(90, 40)
		d, g := shown(e, blocks), &growth{whole: h}
		d.Start("nodule.png", 25)
		d.watch(g)
		g.grow(5, -1)
		time.Sleep(time.Second)
		synctest.Wait()
		fmt.Fprint(e, "\r\n[1]+  Stopped\r\n$ fg\r\n")
		d.resume()
		time.Sleep(time.Second)
		synctest.Wait()
		e.check(t)
		if text := e.text(); e.y != 3 || !strings.HasPrefix(text[1], "[1]+  Stopped") || !strings.HasPrefix(text[3], "nodule.png") || !strings.HasPrefix(text[4], "nodule  ") {
			t.Errorf("the cursor is in line %d of\n%s", e.y, strings.Join(text, "\n"))
		}
		d.Finish()
		if text := e.text(); len(text) != 3 {
			t.Errorf("left is\n%s", strings.Join(text, "\n"))
		}
	})
}
