package command_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	_ "go4.org/unsafe/assume-no-moving-gc"

	"occlude/docs"
	"occlude/internal/engine"
	"occlude/repl"
	"occlude/repl/command"
)

// newSession makes a session that writes into two builders.
func newSession() (s *command.Session, out, errs *strings.Builder) {
	e := engine.New()
	out, errs = &strings.Builder{}, &strings.Builder{}
	return &command.Session{Engine: e, Printer: &repl.Printer{Out: out, Settings: &e.Session.Settings}, Err: errs}, out, errs
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// The manual lists the commands that there are, with their arguments and other names.
func TestManual(t *testing.T) {
	page, ok := docs.Page("repl")
	if !ok {
		t.Fatal("there is no page")
	}
	var listed, table []string
	for _, m := range regexp.MustCompile("(?m)^\\| `(\\\\[^`]*)` \\| ([^|]*) \\|").FindAllStringSubmatch(page, -1) {
		listed = append(listed, strings.ReplaceAll(m[1], `\|`, "|")+": "+strings.ReplaceAll(m[2], "`", ""))
	}
	names := map[string]bool{}
	for _, c := range command.Table() {
		table = append(table, c.Usage()+": "+strings.Join(c.Aliases, ", "))
		for _, n := range c.Names() {
			if names[n] || n[0] != '\\' && n[0] != '.' || n != strings.ToLower(n) {
				t.Errorf("%s is taken, or no name", n)
			}
			names[n] = true
			if found, ok := command.Find(strings.ToUpper(n)); !ok || found.Name != c.Name {
				t.Errorf("%s is found as %s", n, found.Name)
			}
		}
	}
	if got, want := strings.Join(listed, "\n"), strings.Join(table, "\n"); got != want {
		t.Errorf("docs/repl.md lists\n%s\nthere are\n%s", got, want)
	}
	s, _, errs := newSession()
	if _, err := s.Do(context.Background(), engine.Text{Source: `\?`}, 0); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(errs.String()) {
		if len(line) > 80 {
			t.Errorf("too wide: %s", line)
		}
	}
}

// What a line is depends on what stands before it.
func TestIs(t *testing.T) {
	for _, c := range []struct {
		line, before string
		want         bool
	}{
		{`\q`, "", true}, {"  \\x on", "", true}, {".help", "", true}, {".5", "", false}, {"quit;", "", true}, {"EXIT", "", true},
		{"", "", false}, {"SELECT 1;", "", false}, {"..", "", false},
		{`\e`, "SELECT 1\n", true}, {`\e`, "SELECT (1\n", true}, {`\e`, "SHOW ALL;\n", true},
		{`\e`, "SELECT 'a\n", false}, {`\e`, "SHOW /* a\n", false}, {`\e`, "DROP MODEL \"a\n", false},
		{".help", "SELECT 1\n", false}, {"quit", "SELECT 1 AS\n", false},
	} {
		if got := command.Is(c.line, c.before); got != c.want {
			t.Errorf("%q behind %q: %v", c.line, c.before, got)
		}
	}
}

// Scripts are cut at commands where no statement is under way, and are whole otherwise.
func TestPieces(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{"", ""},
		{"SHOW ALL;", "SHOW ALL;"},
		{"\\x\nSHOW ALL;\nSHOW\nTABLES;\n.mode csv\n", "!\\x\n|SHOW ALL;\nSHOW\nTABLES;\n|!.mode csv\n"},
		{"SELECT '\n\\x\n';\n \\x", "SELECT '\n\\x\n';\n|! \\x"},
		{"SELECT 1\n.5;\nexit\n", "SELECT 1\n.5;\n|!exit\n"},
		{"-- \\x\n/*\n\\x */\n\\x", "-- \\x\n/*\n\\x */\n|!\\x"},
	} {
		var got []string
		for _, p := range command.Pieces(c.src) {
			mark := ""
			if p.Command {
				mark = "!"
			}
			got = append(got, mark+c.src[p.From:p.To])
		}
		if strings.Join(got, "|") != c.want {
			t.Errorf("%q is cut into %q", c.src, got)
		}
	}
	for src, want := range map[string]string{
		"": "", "SHOW": ";", "\\x": "", "\\x\nSHOW 'a": "'", "\\set a it's\nSHOW ALL;": "", "SELECT 1\n\\e": "", "SELECT '\n\\e": "'",
	} {
		if lacks, ok := command.Complete(src); lacks != want || ok != (want == "") {
			t.Errorf("%q lacks %q, %v", src, lacks, ok)
		}
	}
}

// Errors stand where they are, in the line that was typed or in the file that was run.
func TestErrors(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "a.oql", "SELECT 1 AS a; \n\\i 'b b.oql'\nSHOW nothing;\n")
	write(t, "b b.oql", "\\set x 1\nSELECT :x AS b; SELECT 2 AS b,\n  nosuch;\n")
	write(t, "self.oql", "\\i self.oql\n")
	write(t, "e.oql", "\\e\n")
	for source, want := range map[string]string{
		`\wibble`:           "1:1: error: there is no command \\wibble\n  \\wibble\n  ^~~~~~~\n  hint: \\? lists the commands\n",
		`  .mdoe csv`:       "1:3: error: there is no command .mdoe\n    .mdoe csv\n    ^~~~~\n  hint: did you mean .mode?\n",
		`\d é b`:            "1:6: error: \\d takes one argument: \\d [MODEL]\n  \\d é b\n       ^\n  hint: write names with blanks in single quotes\n",
		`\unset`:            "1:1: error: \\unset takes an argument: \\unset NAME\n  \\unset\n  ^~~~~~\n",
		`\m all`:            "1:4: error: \\m takes nothing\n  \\m all\n     ^~~\n",
		`\i 'it''s`:         "1:4: error: this text is never closed\n  \\i 'it''s\n     ^~~~~~\n  hint: end it with '\n",
		`\timing maybe;`:    "1:9: error: \"maybe\" is neither on nor off\n  \\timing maybe;\n          ^~~~~\n",
		`\h wibble wobble`:  "1:4: error: there is no help on \"wibble wobble\"\n  \\h wibble wobble\n     ^~~~~~~~~~~~~\n  hint: \\h lists what there is help on\n",
		`\o no/such/folder`: "error: ",
		`\i a.oql`:          "b b.oql:3:3: error: no such column: nosuch\n    nosuch;\n    ^~~~~~\n",
		`\i self.oql`:       "self.oql:1:4: error: 20 files read one another\n  \\i self.oql\n     ^~~~~~~~\n",
		`\i e.oql`:          "e.oql:1:1: error: nothing is edited while a file is run\n  \\e\n  ^~\n",
	} {
		s, _, _ := newSession()
		_, err := s.Do(context.Background(), engine.Text{Source: source}, len(source)-len(strings.TrimLeft(source, " ")))
		shown := (*engine.Error)(nil)
		if !errors.As(err, &shown) || !strings.Contains(shown.Format(), want) {
			t.Errorf("%s: %v", source, err)
			if shown != nil {
				t.Errorf("shown as\n%swant\n%s", shown.Format(), want)
			}
		}
	}
}

// \o makes results go to a file that is there, whole, when it ends.
func TestOutput(t *testing.T) {
	t.Chdir(t.TempDir())
	s, out, errs := newSession()
	source := ".mode csv\nSELECT 1 AS a;\n\\o first.csv\nSELECT 2 AS b;\n\\o 'second file.csv'\nSELECT 3 AS c;\n\\o\nSELECT 4 AS d;\n\\o third.csv\nSELECT 5 AS e;\n"
	if _, err := s.Script(context.Background(), engine.Text{Source: source}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat("third.csv"); err == nil {
		t.Error("the third file is there before its end")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"first.csv": "b\n2\n", "second file.csv": "c\n3\n", "third.csv": "e\n5\n"} {
		if text, err := os.ReadFile(name); err != nil || string(text) != want {
			t.Errorf("%s holds %q, %v", name, text, err)
		}
	}
	if out.String() != "a\n1\nd\n4\n" || errs.String() != "Format is csv.\nwrote first.csv\nwrote second file.csv\nwrote third.csv\n" {
		t.Errorf("%q\n%q", out, errs)
	}
	if left, _ := filepath.Glob("*"); len(left) != 3 {
		t.Errorf("%q are there", left)
	}
}

// Each statement has its own time.
func TestTiming(t *testing.T) {
	s, _, errs := newSession()
	if _, err := s.Script(context.Background(), engine.Text{Source: "\\timing\nSELECT 1; SELECT 2; SHOW ALL;\n\\timing\nSELECT 3;"}); err != nil {
		t.Fatal(err)
	}
	if got := regexp.MustCompile(`\d\S* \w+`).ReplaceAllString(errs.String(), "t"); got != "Timing is on.\nTime: t\nTime: t\nTime: t\nTiming is off.\n" {
		t.Error(errs)
	}
}

// The rc file is found where the environment says. Each of its statements has its own
// chance, and only what was asked for is printed.
func TestRC(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for _, c := range []struct{ rc, xdg, home, want string }{
		{"rc", "/xdg", "/home", "rc"}, {"", "/xdg", "/home", "/xdg/occlude/rc.oql"},
		{"", "relative", "/home", "/home/.config/occlude/rc.oql"}, {"", "", "", ""},
	} {
		t.Setenv("OCCLUDE_RC", c.rc)
		t.Setenv("XDG_CONFIG_HOME", c.xdg)
		t.Setenv("HOME", c.home)
		if got := command.RCPath(); got != filepath.FromSlash(c.want) {
			t.Errorf("%+v: %s", c, got)
		}
	}
	write(t, "rc.oql", "SET threads = 3; SHOW wibble; SHOW threads;\n\\wibble\n\\set x 1\nSELEC 1; SELECT :x AS x;\n")
	s, out, errs := newSession()
	if err := s.RC(context.Background(), "rc.oql", true); err != nil {
		t.Fatal(err)
	}
	if want := " threads \n---------\n 3       \n(1 row)\n x \n---\n 1 \n(1 row)\n"; out.String() != want {
		t.Errorf("%s", out)
	}
	for _, want := range []string{"rc.oql:1:23: error: there is no setting", "SET threads = 3; SHOW wibble; SHOW threads;\n", "rc.oql:2:1: error: there is no command", "rc.oql:4:1: error: "} {
		if !strings.Contains(errs.String(), want) {
			t.Errorf("no %q in\n%s", want, errs)
		}
	}
	if err := s.RC(context.Background(), "nosuch", false); err != nil {
		t.Error(err)
	}
	if err := s.RC(context.Background(), "nosuch", true); err == nil || !strings.Contains(err.Error(), "nosuch") {
		t.Error(err)
	}
	t.Setenv("OCCLUDE_RC", "rc.oql")
	var shown strings.Builder
	e := engine.New()
	command.ReadRC(context.Background(), e, &shown)
	if e.Session.Settings.Threads() != 3 || !strings.Contains(shown.String(), "rc.oql:2:1") || strings.Contains(shown.String(), "(1 row)") {
		t.Errorf("%d threads, %s", e.Session.Settings.Threads(), shown.String())
	}
}
