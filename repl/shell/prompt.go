package shell

import (
	"strings"

	"occlude/repl/command"
)

// prompt stands before a statement. Those of further lines are as wide.
const prompt = "occlude=> "

// promptAfter is the prompt of the line that follows a text.
func promptAfter(text string) string {
	lacks, complete := command.Complete(text)
	if complete {
		return prompt
	}
	mark := map[string]string{";": "-", ")": "(", "]": "[", "*/": "*"}[lacks]
	if mark == "" {
		mark = lacks // a quote
	}
	return "occlude" + mark + "> "
}

// prompts are those of a text's lines. They are kept for a text that is like the one
// before, as it is from key to key.
type prompts struct {
	text string
	all  []string
}

// of returns the prompt of each line of a text.
func (p *prompts) of(text string) []string {
	same := 0 // lines whose beginning and all before it are as they were
	at := 0
	for ; same < len(p.all); same++ {
		if at > 0 && (at > len(text) || at > len(p.text) || text[:at] != p.text[:at]) {
			break
		}
		n := strings.IndexByte(p.text[at:], '\n')
		if n < 0 {
			same++
			break
		}
		at += n + 1
	}
	p.all, p.text = p.all[:min(same, strings.Count(text, "\n")+1)], text
	at = 0
	for i := 0; ; i++ {
		if i >= len(p.all) {
			p.all = append(p.all, promptAfter(text[:at]))
		}
		n := strings.IndexByte(text[at:], '\n')
		if n < 0 {
			return p.all
		}
		at += n + 1
	}
}
