package conformance

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// printer writes aligned lines as results come in; it knows all names before.
type printer struct {
	out   io.Writer
	width int // of the names
}

func newPrinter(out io.Writer, cases []testCase) printer {
	p := printer{out: out}
	for _, c := range cases {
		p.width = max(p.width, utf8.RuneCountInString(oneLine(c.name)))
	}
	return p
}

// line prints one case:
//
//	PASS  test_relu     abs 0        rel 0
//	FAIL  test_softmax  abs 1.2e-02  rel 3.4e-01  output "y": 3 of 24 elements ...
//	SKIP  test_acos     operator Acos is not on the list
func (p printer) line(name string, r result) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %-*s", r.verdict, p.width, oneLine(name))
	if r.compared {
		fmt.Fprintf(&b, "  abs %-7s  rel %-7s", number(r.dev.abs), number(r.dev.rel))
	}
	if r.reason != "" {
		b.WriteString("  " + oneLine(r.reason))
	}
	_, err := fmt.Fprintln(p.out, strings.TrimRight(b.String(), " "))
	return err
}

func number(x float64) string {
	if x == 0 {
		return "0"
	}
	return fmt.Sprintf("%.1e", x)
}

// oneLine keeps names from files from breaking the lines of the report.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
}
