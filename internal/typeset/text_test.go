package typeset

import (
	"image"
	"image/color"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestShorten(t *testing.T) {
	for _, tt := range []struct {
		s     string
		width int
		want  string
	}{
		{"short", 5, "short"},
		{"diabetic macular edema", 13, "diabeti…edema"},
		{"abcdefghij", 5, "ab…ij"},
		{"Ящерица", 4, "Ящ…а"},
		{"abc", 1, "…"},
		{"abc", 0, "…"},
		{"", 0, ""},
	} {
		if got := Shorten(tt.s, tt.width, utf8.RuneCountInString); got != tt.want {
			t.Errorf("%q in %d: %q, want %q", tt.s, tt.width, got, tt.want)
		}
	}
}

// What shorten returns fits, or is the ellipsis; it begins and ends as the whole.
func TestShortenFits(t *testing.T) {
	faces, err := NewFaces()
	if err != nil {
		t.Fatal(err)
	}
	measure := func(s string) int { return Width(faces.Body, s) }
	rapid.Check(t, func(t *rapid.T) {
		s, width := rapid.String().Draw(t, "s"), rapid.IntRange(0, 300).Draw(t, "width")
		got := Shorten(s, width, measure)
		if got != ellipsis && measure(got) > width {
			t.Fatalf("%q is %d wide, more than %d", got, measure(got), width)
		}
		if got == s {
			return
		}
		head, tail, found := strings.Cut(got, ellipsis)
		if !found || !strings.HasPrefix(s, head) || !strings.HasSuffix(s, tail) && !strings.Contains(s, ellipsis) {
			t.Fatalf("%q became %q", s, got)
		}
	})
}

func TestWrap(t *testing.T) {
	got := Wrap("one two three four five six seven", 9, 3, utf8.RuneCountInString)
	if want := "one two|three|four…even"; strings.Join(got, "|") != want {
		t.Errorf("got %q, want %q", strings.Join(got, "|"), want)
	}
	if got := Wrap("  ", 9, 3, utf8.RuneCountInString); len(got) != 0 {
		t.Errorf("blanks became %q", got)
	}
}

func TestPlain(t *testing.T) {
	for _, tt := range []struct{ s, want string }{
		{"DME", "DME"},
		{"two\nlines\tand a tab", "two lines and a tab"},
		{"\x1b[31mred\a", "□[31mred□"},
		{"\u202eover\u202c", "□over□"},
		{"bad \xff byte", "bad □ byte"},
		{"中文 Ящ", "中文 Ящ"},
	} {
		got := Plain(tt.s)
		if got != tt.want {
			t.Errorf("%q: %q, want %q", tt.s, got, tt.want)
		}
		if strings.ContainsFunc(got, unicode.IsControl) {
			t.Errorf("%q keeps a control character", got)
		}
	}
}

// inkOf counts the pixels of a text.
func inkOf(t *testing.T, s string) int {
	t.Helper()
	faces, err := NewFaces()
	if err != nil {
		t.Fatal(err)
	}
	page := image.NewRGBA(image.Rect(0, 0, 400, 40))
	Fill(page, page.Rect, Paper)
	Draw(page, faces.Heading, Ink, 10, 30, s)
	n := 0
	for y := range 40 {
		for x := range 400 {
			if page.RGBAAt(x, y).R < 0xd0 {
				n++
			}
		}
	}
	return n
}

// Letters of other alphabets are drawn as themselves, and those that the font
// lacks as boxes: both leave ink.
func TestEveryCharacterShows(t *testing.T) {
	for _, r := range "aéßЖλ中文🙂□p₀−…·×⁻⁶" {
		if inkOf(t, string(r)) == 0 {
			t.Errorf("%c leaves nothing on the page", r)
		}
	}
	if inkOf(t, "中") != inkOf(t, "文") {
		t.Error("two characters that the font lacks should show as the same box")
	}
	if inkOf(t, " ") != 0 {
		t.Error("a space leaves ink")
	}
}

func TestRisingTextIsTurned(t *testing.T) {
	faces, err := NewFaces()
	if err != nil {
		t.Fatal(err)
	}
	page := image.NewRGBA(image.Rect(0, 0, 100, 100))
	Fill(page, page.Rect, Paper)
	DrawRising(page, faces.Body, color.RGBA{A: 0xff}, 50, 50, "iiiiiiiiii")
	box := image.Rectangle{}
	for y := range 100 {
		for x := range 100 {
			if page.RGBAAt(x, y) != Paper {
				box = box.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	if box.Dy() < 2*box.Dx() || !image.Pt(50, 50).In(box) {
		t.Errorf("the text fills %v: it should stand upright around the middle", box)
	}
}
