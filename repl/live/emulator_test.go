package live

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/mattn/go-runewidth"
)

// emulator is a terminal: as much of one as displays ask for. What it does not know it
// refuses.
type emulator struct {
	columns, lines int
	cells          [][]rune
	x, y           int // x may be columns: the next character then begins a line
	keptX, keptY   int
	scrolled       []string // lines that left at the top
	hidden, held   bool
	cut            bool           // lines that are too long
	images         map[string]int // kitty's, by number: how often each was drawn
	writes         int
	bytes          int
	failed         error
}

func newEmulator(columns, lines int) *emulator {
	e := &emulator{columns: columns, lines: lines, images: map[string]int{}}
	for range lines {
		e.cells = append(e.cells, e.blank())
	}
	return e
}

func (e *emulator) blank() []rune { return []rune(strings.Repeat(" ", e.columns)) }

var (
	control = regexp.MustCompile(`^\x1b\[(\??)([0-9;]*)([A-Za-z])`)
	command = regexp.MustCompile(`^\x1b_G([^;\x1b]*)(;[^\x1b]*)?\x1b\\`)
)

// Write implements io.Writer.
func (e *emulator) Write(data []byte) (int, error) {
	e.writes++
	e.bytes += len(data)
	s := string(data)
	for s != "" && e.failed == nil {
		if m := control.FindStringSubmatch(s); m != nil {
			e.control(m[1] == "?", m[2], m[3])
			s = s[len(m[0]):]
			continue
		}
		if m := command.FindStringSubmatch(s); m != nil {
			e.image(m[1])
			s = s[len(m[0]):]
			continue
		}
		switch {
		case strings.HasPrefix(s, "\x1b7"):
			e.keptX, e.keptY = e.x, e.y
			s = s[2:]
			continue
		case strings.HasPrefix(s, "\x1b8"):
			e.x, e.y = e.keptX, e.keptY
			s = s[2:]
			continue
		}
		r, n := utf8.DecodeRuneInString(s)
		s = s[n:]
		switch {
		case r == '\r':
			e.x = 0
		case r == '\n':
			e.newline()
		case r < ' ':
			e.failed = fmt.Errorf("control %q before %.20q", r, s)
		default:
			e.put(r)
		}
	}
	return len(data), e.failed
}

func (e *emulator) newline() {
	if e.y < e.lines-1 {
		e.y++
		return
	}
	e.scrolled = append(e.scrolled, strings.TrimRight(string(e.cells[0]), " "))
	e.cells = append(e.cells[1:], e.blank())
}

func (e *emulator) put(r rune) {
	if w := runewidth.RuneWidth(r); w != 1 {
		e.failed = fmt.Errorf("%q is %d wide", r, w)
		return
	}
	if e.x == e.columns && e.cut {
		e.x--
	}
	if e.x == e.columns {
		e.x = 0
		e.newline()
	}
	e.cells[e.y][e.x] = r
	e.x++
}

func (e *emulator) control(private bool, text, final string) {
	n, _ := strconv.Atoi(text)
	at := min(e.x, e.columns-1)
	switch {
	case private && text == "7" && (final == "h" || final == "l"):
		e.cut = final == "l"
	case private && text == "25" && (final == "h" || final == "l"):
		e.hidden = final == "l"
	case private && text == "2026" && (final == "h" || final == "l"):
		e.held = final == "h"
	case private:
		e.failed = fmt.Errorf("private control %s%s", text, final)
	case final == "A":
		e.y = max(0, e.y-max(1, n))
	case final == "B":
		e.y = min(e.lines-1, e.y+max(1, n))
	case final == "C":
		e.x = min(e.columns-1, at+max(1, n))
	case final == "K" && text == "":
		copy(e.cells[e.y][at:], e.blank())
	case final == "J" && text == "":
		copy(e.cells[e.y][at:], e.blank())
		for y := e.y + 1; y < e.lines; y++ {
			e.cells[y] = e.blank()
		}
	case final == "m":
	default:
		e.failed = fmt.Errorf("control %s%s", text, final)
	}
}

// image keeps kitty's pictures that have a number.
func (e *emulator) image(keys string) {
	k := map[string]string{}
	for _, pair := range strings.Split(keys, ",") {
		name, value, _ := strings.Cut(pair, "=")
		k[name] = value
	}
	switch k["a"] {
	case "T":
		e.images[k["i"]]++
	case "d":
		delete(e.images, k["i"])
	}
}

// resize gives the window another size as terminals do that break no lines anew:
// lines are cut off at the right, and at the bottom as long as the cursor is above that.
func (e *emulator) resize(columns, lines int) {
	for e.y >= lines {
		e.scrolled = append(e.scrolled, strings.TrimRight(string(e.cells[0]), " "))
		e.cells = e.cells[1:]
		e.y--
	}
	e.columns, e.lines, e.x = columns, lines, min(e.x, columns-1)
	cells := e.cells[:min(lines, len(e.cells))]
	e.cells = nil
	for _, line := range cells {
		e.cells = append(e.cells, append(line[:min(columns, len(line))], []rune(strings.Repeat(" ", max(0, columns-len(line))))...))
	}
	for len(e.cells) < lines {
		e.cells = append(e.cells, e.blank())
	}
}

// text is what stands on the screen, without blanks at the ends.
func (e *emulator) text() []string {
	var list []string
	for _, line := range e.cells {
		list = append(list, strings.TrimRight(string(line), " "))
	}
	for len(list) > 0 && list[len(list)-1] == "" {
		list = list[:len(list)-1]
	}
	return list
}
