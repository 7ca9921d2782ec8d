package shell

import (
	"strings"

	"occlude/lang"
	"occlude/repl/command"
)

// Colours of what is typed. Names and signs have the terminal's own.
var colors = map[lang.LexemeKind]string{
	lang.LexemeKeyword: "\x1b[36m",
	lang.LexemeString:  "\x1b[32m",
	lang.LexemeNumber:  "\x1b[35m",
	lang.LexemeComment: "\x1b[90m",
	lang.LexemeBad:     "\x1b[4;31m",
}

const plainColor = "\x1b[0m"

// paint shows what is typed: the first line as it stands behind the prompt, each other
// behind a prompt of its own, for which the editor has left room.
func paint(text string, prompts []string, colored bool) string {
	var b strings.Builder
	line := 0
	write := func(part, color string) {
		for len(part) > 0 {
			row, rest, more := strings.Cut(part, "\n")
			if color != "" && row != "" {
				b.WriteString(color + row + plainColor)
			} else {
				b.WriteString(row)
			}
			if more {
				line++
				b.WriteString("\n\r" + prompts[line])
			}
			part = rest
		}
	}
	at := 0
	if colored {
		for _, x := range lexemes(text) {
			write(text[at:x.From], "")
			write(text[x.From:x.To], colors[x.Kind])
			at = x.To
		}
	}
	write(text[at:], "")
	return b.String()
}

// lexemes are those of statements, and of commands their names.
func lexemes(text string) []lang.Lexeme {
	var all []lang.Lexeme
	for _, p := range command.Pieces(text) {
		part := text[p.From:p.To]
		if p.Command {
			from := p.From + len(part) - len(strings.TrimLeft(part, " \t"))
			all = append(all, lang.Lexeme{From: from, To: from + len(strings.Fields(part)[0]), Kind: lang.LexemeKeyword})
			continue
		}
		for _, x := range lang.Lexemes(part) {
			all = append(all, lang.Lexeme{From: p.From + x.From, To: p.From + x.To, Kind: x.Kind})
		}
	}
	return all
}
