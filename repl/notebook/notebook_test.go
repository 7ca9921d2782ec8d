package notebook

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"math"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	_ "go4.org/unsafe/assume-no-moving-gc"
	"gorgonia.org/tensor"

	"occlude/executor"
	"occlude/internal/engine"
	"occlude/internal/jupyter"
	"occlude/internal/npy"
	"occlude/internal/settings"
	"occlude/lang"
)

// shown is what a cell has shown, a message each.
type shown struct {
	mu  sync.Mutex
	all []output
}

type output struct {
	kind string
	data map[string]string // of streams: by name
	id   string
}

// output makes an output whose messages are gathered.
func (s *shown) output(t *testing.T) *jupyter.Output {
	return jupyter.NewOutput(1, func(kind string, content any) {
		text, err := json.Marshal(content)
		if err != nil {
			t.Error(err)
		}
		var m struct {
			Name, Text string
			Data       map[string]string
			Transient  struct {
				ID string `json:"display_id"`
			}
		}
		if err := json.Unmarshal(text, &m); err != nil {
			t.Error(err)
		}
		if kind == "stream" {
			m.Data = map[string]string{m.Name: m.Text}
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.all = append(s.all, output{kind, m.Data, m.Transient.ID})
	})
}

// kinds are the messages in short: their kind and the media types.
func (s *shown) kinds() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for _, o := range s.all {
		kind := o.kind
		for _, mime := range []string{"stdout", "stderr", "image/png", "text/html", "text/plain"} {
			if _, ok := o.data[mime]; ok {
				kind += " " + mime
			}
		}
		all = append(all, kind)
	}
	return strings.Join(all, ", ")
}

const chest = "CREATE OR REPLACE MODEL chest FROM 'models/chest.onnx' WITH (labels = 'models/chest.labels.txt'); "

// session is a kernel in the folder of the examples.
func session(t *testing.T) *Kernel {
	t.Helper()
	dir, err := filepath.Abs("../../examples")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	k := New(engine.New(), "test")
	if s, err := run(t, k, chest); err != nil || s.kinds() != "stream stdout" {
		t.Fatalf("%v, %s", err, s.kinds())
	}
	return k
}

func run(t *testing.T, k *Kernel, code string) (*shown, error) {
	t.Helper()
	s := &shown{}
	out := s.output(t)
	err := k.Execute(context.Background(), jupyter.Cell{Code: code, Count: 7}, out)
	out.Stream(jupyter.Stderr, "\n") // sends what was gathered
	out.Display("", nil)
	if n := len(s.all); n < 2 || s.all[n-1].kind != "display_data" {
		t.Fatalf("messages are missing in %s", s.kinds())
	}
	s.all = s.all[:len(s.all)-2]
	return s, err
}

func TestResults(t *testing.T) {
	k := session(t)
	for _, c := range []struct{ code, kinds, says string }{
		{"", "", ""},
		{"-- nothing", "", ""},
		{"SET threads = 2", "stream stdout", "SET\n"},
		{"SHOW threads;", "execute_result text/html text/plain", "(1 row)"},
		{"SET threads = 2; SHOW threads; RESET threads;", "stream stdout, execute_result text/html text/plain, stream stdout", "RESET"},
		{"DESCRIBE MODEL chest;", "execute_result text/html text/plain", "reach"},
		{"OCCLUDE 'images/clear.png' USING chest STRIDE 104;", "display_data image/png text/plain, stream stdout", "grid"},
		{"OCCLUDE 'images/nodule*.png' USING chest STRIDE 208;", "display_data image/png text/plain, stream stdout, display_data image/png text/plain, stream stdout", "grid"},
		{"OCCLUDE 'images/clear.png' USING chest AT (1, 2), (3, 4);", "execute_result text/html text/plain", "2 by hand"},
		{"EXPLAIN OCCLUDE 'images/clear.png' USING chest;", "execute_result text/html text/plain", "chosen"},
		{"EXPLAIN (FORMAT json) OCCLUDE 'images/clear.png' USING chest;", "execute_result text/plain", `"version"`},
		{"PREDICT 'images/clear.png' USING chest; SHOW MODELS", "execute_result text/html text/plain, execute_result text/html text/plain", "chest"},
		{"BENCHMARK (RUNS 1, WARMUP 0, PLANS (incremental)) OCCLUDE 'images/clear.png' USING chest STRIDE 104;", "display_data image/png text/plain, execute_result text/html text/plain", "multiply-adds"},
		{"EVALUATE (OCCLUDE 'images/clear.png' USING chest STRIDE 104) USING deletion WITH (steps = 2);", "display_data image/png text/plain, execute_result text/html text/plain", "lower is better"},
		{"EVALUATE (OCCLUDE 'images/clear.png' USING chest STRIDE 104) USING pointing(1, 2, 3, 4);", "execute_result text/html text/plain", "a hit if"},
		{"COMPARE (OCCLUDE 'images/clear.png' USING chest STRIDE 104) WITH (OCCLUDE 'images/nodule.png' USING chest STRIDE 104);", "display_data image/png text/plain, stream stdout", "correlation"},
		{"OCCLUDE 'images/clear.png' USING chest STRIDE 104; SELECT heatmap('png') FROM last;", "display_data image/png text/plain, stream stdout, display_data image/png text/plain", "ms\n<png "},
		{"OCCLUDE 'images/clear.png' USING chest STRIDE 104; SELECT 1 AS one, heatmap() FROM last;", "display_data image/png text/plain, stream stdout, execute_result text/html text/plain", "<array 3x3>"},
		{"SET format = 'csv'; SHOW threads; OCCLUDE 'images/clear.png' USING chest STRIDE 208; RESET format;", "stream stdout", "image,model,class_id"},
	} {
		s, err := run(t, k, c.code)
		if err != nil || s.kinds() != c.kinds {
			t.Errorf("%s\nshows %s, want %s (%v)", c.code, s.kinds(), c.kinds, err)
		}
		var said strings.Builder
		for _, o := range s.all {
			said.WriteString(o.data["stdout"] + o.data["text/plain"])
			check(t, o.data)
		}
		if !strings.Contains(said.String(), c.says) {
			t.Errorf("%s\ndoes not say %q but\n%s", c.code, c.says, said.String())
		}
	}
}

// check makes sure that what is sent is what its type says.
func check(t *testing.T, data map[string]string) {
	t.Helper()
	if text, ok := data["image/png"]; ok {
		picture, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		m, err := png.Decode(bytes.NewReader(picture))
		if err != nil {
			t.Fatal(err)
		}
		if m.Bounds().Dx() < 200 {
			t.Errorf("a picture of %v", m.Bounds())
		}
	}
	d := xml.NewDecoder(strings.NewReader(data["text/html"]))
	for {
		_, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, data["text/html"])
		}
	}
}

// Results that are not known by type are shown by what they can be.
func TestUnknownResults(t *testing.T) {
	rows := &executor.Relation{Columns: []string{"<a>", "b"}, Rows: [][]any{{"x & y", 1}}}
	for _, c := range []struct {
		result executor.Result
		kinds  string
		want   string
	}{
		{tabulated{Result: executor.Message{}, rows: rows}, "execute_result text/html text/plain", "x &amp; y"},
		{painted{tabulated{Result: executor.Message{}, rows: rows}, []byte("a picture")}, "display_data image/png text/plain, stream stdout", base64.StdEncoding.EncodeToString([]byte("a picture"))},
		{painted{tabulated{Result: executor.Message{}, rows: rows}, nil}, "execute_result text/html text/plain", "&lt;a&gt;"},
	} {
		s := &shown{}
		out := s.output(t)
		if err := newView(out, &settings.Settings{}).show(c.result); err != nil {
			t.Fatal(err)
		}
		out.Clear()
		s.all = s.all[:len(s.all)-1]
		if s.kinds() != c.kinds || !strings.Contains(fmt.Sprint(s.all), c.want) {
			t.Errorf("%T is shown as %s, want %s with %q", c.result, s.all, c.kinds, c.want)
		}
	}
	if err := newView((&shown{}).output(t), &settings.Settings{}).show(struct{ executor.Result }{}); err == nil {
		t.Error("what is nothing is shown")
	}
}

type tabulated struct {
	executor.Result
	rows *executor.Relation
}

func (t tabulated) Relation() *executor.Relation { return t.rows }

type painted struct {
	tabulated
	picture []byte
}

func (p painted) PNG(w io.Writer) error {
	if p.picture == nil {
		return errors.New("cannot be drawn")
	}
	_, err := w.Write(p.picture)
	return err
}

// Tables show the pictures and the maps that are in them, up to a size, and no text
// whole that is long.
func TestCells(t *testing.T) {
	array := func(shape []int, values ...float32) []byte {
		var b bytes.Buffer
		if err := npy.Write(&b, tensor.New(tensor.WithShape(shape...), tensor.WithBacking(values))); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	var small bytes.Buffer
	if err := png.Encode(&small, image.NewGray(image.Rect(0, 0, 3, 2))); err != nil {
		t.Fatal(err)
	}
	nan := float32(math.NaN())
	r := &executor.Relation{Columns: []string{"<title>", "number"}, Rows: [][]any{
		{small.Bytes(), 1}, {array([]int{2, 3}, 0, 1, nan, -1, 0, 0.5), nil}, {array([]int{6}, 0, 1, 2, 3, 4, 5), 2.5},
		{[]byte("other"), 3}, {strings.Repeat("<é", 300), 4}, {append(small.Bytes(), make([]byte, mostPicture)...), 5},
	}}
	var b bytes.Buffer
	table(&b, r)
	check(t, map[string]string{"text/html": b.String()})
	var drawn []image.Rectangle
	for _, p := range regexp.MustCompile(`base64,([^"]*)"`).FindAllStringSubmatch(b.String(), -1) {
		m, err := png.Decode(base64.NewDecoder(base64.StdEncoding, strings.NewReader(p[1])))
		if err != nil {
			t.Fatal(err)
		}
		drawn = append(drawn, m.Bounds())
		if m.Bounds().Dx() == 3 {
			continue
		}
		for at, warm := range map[image.Point]bool{{60, 20}: true, {20, 60}: false} {
			if r, _, b, a := m.At(at.X, at.Y).RGBA(); (r > b) != warm || a == 0 {
				t.Errorf("at %v it is %v", at, m.At(at.X, at.Y))
			}
		}
		if _, _, _, a := m.At(100, 20).RGBA(); a != 0 {
			t.Error("what is not a number has a colour")
		}
	}
	if fmt.Sprint(drawn) != "[(0,0)-(3,2) (0,0)-(120,80)]" {
		t.Errorf("pictures of %v", drawn)
	}
	for _, want := range []string{"&lt;title&gt;", "&lt;array 6&gt;", "&lt;5 bytes&gt;", strings.Repeat("&lt;é", widest/2) + "…<", "&lt;png 3x2&gt;</td>", `text-align:right;white-space:nowrap">2.5<`} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%.3000s", want, b.String())
		}
	}
}

// A notebook keeps a part of a long table, and says how much is missing.
func TestLongTables(t *testing.T) {
	r := &executor.Relation{Columns: []string{"n", "text"}}
	for i := range 1234 {
		r.Rows = append(r.Rows, []any{i, "<" + fmt.Sprint(i) + ">"})
	}
	s := &shown{}
	if err := newView(s.output(t), &settings.Settings{}).show(r); err != nil {
		t.Fatal(err)
	}
	for mime, text := range s.all[0].data {
		if !strings.Contains(text, "1034 more rows") || strings.Contains(text, "1233") || len(r.Rows) != 1234 {
			t.Errorf("%s: %s", mime, text)
		}
	}
	check(t, s.all[0].data)
}

var ansi = regexp.MustCompile("\x1b\\[[0-9;]*m")

func TestErrors(t *testing.T) {
	k := session(t)
	s, err := run(t, k, "SHOW threads;\nSHOW wibble;\nSHOW device;")
	f := (*jupyter.Failure)(nil)
	if !errors.As(err, &f) || f.Name != "Error" || s.kinds() != "execute_result text/html text/plain" {
		t.Fatalf("%v after %s", err, s.kinds())
	}
	want := "[7]:2:6: error: there is no setting \"wibble\"\n  SHOW wibble;\n       ^~~~~~\n  hint: SHOW ALL; lists the settings"
	text := strings.Join(f.Traceback, "\n")
	if got := ansi.ReplaceAllString(text, ""); got != want || got == text {
		t.Errorf("%q, want %q with colours", text, want)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	err = k.Execute(ctx, jupyter.Cell{Code: "OCCLUDE 'images/clear.png' USING chest;"}, (&shown{}).output(t))
	if !errors.As(err, &f) || f.Name != "Interrupted" {
		t.Errorf("an interrupt: %v", err)
	}
}

// A first cell may ask about what is to be run before it.
func TestBeginBeforeQuestions(t *testing.T) {
	k := New(engine.New(), "")
	k.Begin = func(ctx context.Context, _ io.Writer) {
		err := k.engine.Run(ctx, engine.Text{Source: "CREATE MODEL chest FROM '../../examples/models/chest.onnx';"}, func(lang.Statement, executor.Result) error { return nil })
		if err != nil {
			t.Error(err)
		}
	}
	if _, err := run(t, k, "chest?"); err != nil {
		t.Error(err)
	}
}

// What is to be run first runs once, before the first cell, which shows what it says.
func TestBegin(t *testing.T) {
	k, times := New(engine.New(), ""), 0
	k.Begin = func(_ context.Context, errs io.Writer) {
		times++
		fmt.Fprint(errs, "no such file")
	}
	for _, want := range []string{"stream stderr, execute_result text/html text/plain", "execute_result text/html text/plain"} {
		if s, err := run(t, k, "SHOW threads"); err != nil || s.kinds() != want || times != 1 {
			t.Errorf("%s after %d times, %v", s.kinds(), times, err)
		}
	}
}
