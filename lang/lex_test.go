package lang

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestTokens(t *testing.T) {
	kinds := map[string]string{}
	for name, kind := range (language{}).Symbols() {
		kinds[fmt.Sprint(kind)] = strings.ToLower(name)
	}
	for src, want := range map[string]string{
		"16x16":                    "number 16, word x, number 16",
		"16 x 16":                  "number 16, word x, number 16",
		"16X16":                    "number 16, word X, number 16",
		"16 x16":                   "number 16, word x, number 16",
		"16x 16":                   "number 16, word x, number 16",
		"16x":                      "number 16, word x",
		"16x16x":                   "number 16, word x, number 16, word x",
		"16xy":                     "bad 16xy",
		"a x16":                    "word a, word x16",
		".5 5. 1e-3 1E+3 1.5e2":    "number .5, number 5., number 1e-3, number 1E+3, number 1.5e2",
		"1e 1.2.3 1..2":            "bad 1e, bad 1.2.3, bad 1..2",
		"-5":                       "symbol -, number 5",
		"5-3":                      "number 5, symbol -, number 3",
		"5--3":                     "number 5",
		"a.b resnet18.v2 _x":       "word a.b, word resnet18.v2, word _x",
		"a. .b":                    "word a, bad ., bad ., word b",
		"top Top \"top\"":          "keyword top, keyword Top, quoted \"top\"",
		"occlude_net topper":       "word occlude_net, word topper",
		`"a ""b"" c"`:              `quoted "a ""b"" c"`,
		`'C:\scans\a.png'`:         `string 'C:\scans\a.png'`,
		`'it''s -- not /* a */ ;'`: `string 'it''s -- not /* a */ ;'`,
		"'' ''''":                  "string '', string ''''",
		"'a\nb'":                   "string 'a\nb'",
		"modèle Größe 写真":          "word modèle, word Größe, word 写真",
		"mode\u0300le":             "word mode\u0300le",
		"#7f7f7f #":                "color #7f7f7f, color #",
		"a/**/b/* ' */c--d\ne--f":  "word a, word b, word c, word e",
		"a /* /* */ b":             "word a, word b",
		"<= >= <> != < > = ==":     "symbol <=, symbol >=, symbol <>, symbol !=, symbol <, symbol >, symbol =, symbol ==",
		"\ufeffa\u00a0b\r\nc":      "word a, word b, word c",
		"a\x00b\xff":               "word a, bad \x00, word b, bad \xff",
		"'open\nb":                 "bad 'open, word b",
		"'open;\nb":                "bad 'open, symbol ;, word b",
		"a /* open":                "word a, bad /* open",
		"“a”":                      "bad “, word a, bad ”",
	} {
		var got []string
		s := newScanner("", src)
		for {
			token, _ := s.Next()
			if token.EOF() {
				break
			}
			got = append(got, kinds[fmt.Sprint(token.Type)]+" "+token.Value)
			if src[token.Pos.Offset:][:len(token.Value)] != token.Value {
				t.Errorf("%q: %q is not at %d", src, token.Value, token.Pos.Offset)
			}
		}
		if got := strings.Join(got, ", "); got != want {
			t.Errorf("%q\n  is %s\n not %s", src, got, want)
		}
	}
}

// TestTraps looks at what the tokens become.
func TestTraps(t *testing.T) {
	occlude := func(src string) *Occlude { return one(t, src).(*Occlude) }
	for _, size := range []string{"16x16", "16 x 16", "16X16", "16 x16", "16x 16", "16", "16.0", "1.6e1"} {
		if e := occlude("OCCLUDE 'a' USING m PATCH " + size + ";").Patch; e.W != 16 || e.H != 16 {
			t.Errorf("PATCH %s is %dx%d", size, e.W, e.H)
		}
	}
	if e := occlude("OCCLUDE 'a' USING m STRIDE 4x8;").Stride; e.W != 4 || e.H != 8 {
		t.Errorf("STRIDE 4x8 is %dx%d", e.W, e.H)
	}
	for src, key := range map[string]string{
		"oct": "oct", "OCT": "oct", `"OCT"`: "OCT", `"top"`: "top", `"a ""b"""`: `a "b"`, "resnet18.v2": "resnet18.v2",
		"occlude_net": "occlude_net", "occlude": "occlude", "model": "model", "x": "x", "if": "if", "写真": "写真",
		"seconds": "seconds", "all": "all", "gray": "gray", "inside": "inside", `"resnet-18"`: "resnet-18",
	} {
		if got := occlude("OCCLUDE 'a' USING " + src + " PATCH 8;").Model.Key(); got != key {
			t.Errorf("the model %s is %q", src, got)
		}
		if got := one(t, "DROP MODEL "+src+";").(*DropModel).Model.Key(); got != key {
			t.Errorf("DROP MODEL %s drops %q", src, got)
		}
	}
	for src, want := range map[string]string{
		`'C:\scans\a.png'`: `C:\scans\a.png`, `'C:\'`: `C:\`, `'it''s'`: "it's", `''''`: "'",
		"'a -- b'": "a -- b", "'写真/*.png'": "写真/*.png", `'a"b'`: `a"b`, "'a;b'": "a;b",
	} {
		if got := occlude("OCCLUDE " + src + " USING m;").Image.Value; got != want {
			t.Errorf("the image %s is %q", src, got)
		}
	}
	if got := occlude("OCCLUDE 'a' USING m FOR CLASS 'FOR';").Target.Class; !Equal(got, str("FOR")) {
		t.Errorf("the class 'FOR' is %v", got)
	}
	for src, want := range map[string]float64{".5": 0.5, "1e-3": 0.001, "-5": -5, "- .5": -0.5, "5.": 5, "0": 0, "1e308": 1e308} {
		if got := one(t, "SET a = "+src+";").(*Set).Value; !Equal(got, num(want)) {
			t.Errorf("%s is %v", src, got)
		}
	}
	if i, ok := one(t, "SET seed = 9007199254740993;").(*Set).Value.(Number).Int(); !ok || i != 9007199254740993 {
		t.Errorf("a long seed became %d, %v", i, ok)
	}
	// Any word may name an option.
	o := occlude("OCCLUDE 'a' USING m WITH (top = 1, WITH = 2, seed = 3, \"For\" = 4, a.b = 5);")
	var names []string
	for _, option := range o.Options {
		names = append(names, option.Name.Key())
	}
	if want := []string{"top", "with", "seed", "For", "a.b"}; !slices.Equal(names, want) {
		t.Errorf("options are %q", names)
	}
}

// TestAbsurd gives texts that no person writes: each has an error, and soon.
func TestAbsurd(t *testing.T) {
	const many = 1 << 20
	times := strings.Repeat
	for name, test := range map[string]struct{ src, want string }{
		"long string":      {"OCCLUDE '" + times("a", many) + "' USING m;", "this string is too long: 1048578 bytes"},
		"long name":        {"DROP MODEL \"" + times("a", many) + "\";", "this name is too long"},
		"longish name":     {"DROP MODEL \"" + times("a", 2000) + "\";", "this name is too long"},
		"long word":        {"DROP MODEL " + times("a", many) + ";", "this word is too long"},
		"long number":      {"SET a = " + times("9", many) + ";", "this number is too long"},
		"huge number":      {"SET a = 1e999999;", "too large a number"},
		"parentheses":      {"OCCLUDE 'a' USING m WHERE " + times("(", many) + ";", "nested too deeply"},
		"brackets":         {"SET a = " + times("[", many) + times("]", many) + ";", "nested too deeply"},
		"NOT":              {"OCCLUDE 'a' USING m WHERE " + times("NOT ", many/4) + "x > 1;", "nested too deeply"},
		"minus":            {"OCCLUDE 'a' USING m WHERE " + times("- ", many/4) + "x > 1;", "nested too deeply"},
		"sum":              {"OCCLUDE 'a' USING m WHERE x" + times("+x", many/64) + " > 1;", "too many terms"},
		"product":          {"OCCLUDE 'a' USING m WHERE x" + times("*x", many/64) + " > 1;", "too many terms"},
		"tokens":           {"OCCLUDE 'a' USING m AT (1,1)" + times(",(1,1)", 90_000) + ";", "the statement is too long"},
		"bad points":       {"OCCLUDE 'a' USING m AT (.1,.1)" + times(",(.1,.1)", 10_000) + ";", "whole pixels, not .1"},
		"statements":       {times("x;", many/16), "too many errors"},
		"no semicolons":    {times("SHOW ALL ", many/16), "missing ; before SHOW"},
		"text":             {times(" ", maxSource) + ";", "the text is too long"},
		"open comment":     {times("/* ", many), "never closed"},
		"quotes":           {times("'", many+1), "this string is never closed"},
		"NUL bytes":        {times("\x00", many), "NUL byte"},
		"not UTF-8":        {times("\xff", many), "not valid UTF-8"},
		"surrogates":       {"SHOW \xed\xa0\x80;", "not valid UTF-8"},
		"UTF-16":           {"\xff\xfeS\x00H\x00O\x00W\x00", "UTF-16"},
		"line of no sense": {times("a", 900) + times(" b", many) + ";", "the statement is too long"},
	} {
		_, diagnostics := Parse("t", test.src)
		if text := diagnostics.Format(test.src); !strings.Contains(text, test.want) || len(text) > 20_000 {
			t.Errorf("%s: %d bytes of errors, without %q:\n%.1000s", name, len(text), test.want, text)
		}
		Complete(test.src)
		Split(test.src)
	}
}

// TestLarge parses what a program may well write.
func TestLarge(t *testing.T) {
	src := "OCCLUDE 'a' USING m AT (1, 2)" + strings.Repeat(", (1, 2)", 50_175) + ";"
	if o := one(t, src).(*Occlude); len(o.At) != 50_176 {
		t.Errorf("%d positions", len(o.At))
	}
	src = "OCCLUDE 'a' USING m WHERE x = 1" + strings.Repeat(" OR x = 1", 20_000) + ";"
	if o := one(t, src).(*Occlude); len(o.Where.(*Or).Terms) != 20_001 {
		t.Errorf("%d terms", len(o.Where.(*Or).Terms))
	}
}
