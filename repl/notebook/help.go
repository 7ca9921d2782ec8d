package notebook

import (
	"bytes"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"occlude/docs"
	"occlude/executor"
	"occlude/internal/engine"
	"occlude/internal/jupyter"
	"occlude/internal/settings"
	"occlude/lang"
	"occlude/repl"
	"occlude/repl/complete"
)

// question reads a cell that asks for help: ?topic, topic? or only ?.
func question(code string) (topic string, ok bool) {
	text := strings.TrimRight(strings.TrimSpace(code), "; \t\r\n")
	if strings.ContainsAny(text, "\n'") || len(text) > 100 {
		return "", false
	}
	before, after := strings.HasPrefix(text, "?"), strings.HasSuffix(text, "?")
	return strings.Trim(strings.Trim(text, "?"), " \t\""), before || after
}

// Inspect implements jupyter.Kernel.
func (k *Kernel) Inspect(ctx context.Context, code string, cursor int) jupyter.Bundle {
	if topic, ok := question(code); ok {
		b, err := k.page(ctx, topic)
		if err != nil {
			return nil
		}
		return b
	}
	word, from := lang.WordAt(code, cursor)
	if word == "" {
		return k.around(lang.NextAt(code, cursor).Before)
	}
	next := lang.NextAt(code, from)
	for _, kind := range next.Kinds {
		if kind == lang.KindModel {
			if b := k.model(ctx, word); b != nil {
				return b
			}
		}
	}
	switch has := func(kinds ...lang.Kind) bool {
		return slices.ContainsFunc(kinds, func(kind lang.Kind) bool { return slices.Contains(next.Kinds, kind) })
	}; {
	case has(lang.KindValue, lang.KindLabel, lang.KindImage, lang.KindFile):
		return k.around(next.Before)
	case !has(lang.KindSetting): // of which there is a value to tell, too
		if text, ok := docs.HelpBehind(next.Before, word); ok {
			return markdown(text)
		}
	}
	// Statements may have two words: CREATE MODEL.
	topics := []string{word}
	switch n := len(next.Before); {
	case n > 0 && strings.EqualFold(word, "ANALYZE"): // the option of EXPLAIN
		topics = next.Before[:1]
	case n == 0:
		if second, _ := lang.WordAt(code, min(len(code), from+len(word)+1)); second != "" {
			topics = []string{word + " " + second, word}
		}
	case n == 1 && !slices.Contains(settings.Names(), strings.ToLower(word)):
		topics = []string{next.Before[0] + " " + word, word}
	}
	for _, topic := range topics {
		if b := k.topic(topic); b != nil {
			return b
		}
	}
	return k.around(next.Before)
}

// around explains the last word of the language before a place that says nothing for
// itself: of a file, a label or a number, what it is for.
func (k *Kernel) around(before []string) jupyter.Bundle {
	keywords := lang.Keywords()
	for i, word := range slices.Backward(before) {
		option := i+1 < len(before) && before[i+1] == "="
		if !option && !slices.Contains(keywords, strings.ToUpper(word)) {
			continue
		}
		if text, ok := docs.HelpBehind(before[:i], word); ok {
			return markdown(text)
		}
		if b := k.topic(word); b != nil {
			return b
		}
	}
	return nil
}

// page answers a question.
func (k *Kernel) page(ctx context.Context, topic string) (jupyter.Bundle, error) {
	if topic == "" {
		return markdown(overview()), nil
	}
	if b := k.model(ctx, topic); b != nil {
		return b, nil
	}
	if b := k.topic(topic); b != nil {
		return b, nil
	}
	hint := lang.DidYouMean(topic, append(repl.Topics(), complete.Of(k.engine.Session).Models()...))
	if hint == "" {
		hint = docs.Elsewhere(topic)
	}
	if hint == "" {
		hint = "? lists statements and topics"
	}
	return nil, fmt.Errorf("there is no help on %q: %s", topic, hint)
}

// overview lists what there is help on.
func overview() string {
	var b strings.Builder
	b.WriteString("# Occlude\n\nPut `?` behind or before a word for help on it: `OCCLUDE?`, `?create model`, `threads?`, a page of the manual, or the name of a model.\n")
	for _, g := range docs.Groups() {
		b.WriteString("\n**" + g.Title + "**\n\n")
		for _, e := range g.Entries {
			b.WriteString("- `" + e.Topic + "`: " + e.Line + "\n")
		}
	}
	var titles []string
	for _, s := range docs.Sections() {
		titles = append(titles, s.Title)
	}
	b.WriteString("\n**Statements and clauses**: " + strings.Join(titles, " · ") + "\n\n**Settings**: " + strings.Join(settings.Names(), " · ") + "\n")
	return b.String()
}

// topic is what the manual says of a word, and what a setting is, nil if nothing.
func (k *Kernel) topic(topic string) jupyter.Bundle {
	text, ok := repl.Manual(topic, &k.engine.Session.Settings)
	if !ok {
		return nil
	}
	return markdown(text)
}

// links lead from one page of the manual to another, where a notebook cannot follow.
var links = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)

func markdown(text string) jupyter.Bundle {
	return jupyter.Bundle{"text/markdown": links.ReplaceAllString(text, "$1"), "text/plain": docs.Terminal(text, 100, false)}
}

// model describes a model of the session, nil if there is none of that name.
func (k *Kernel) model(ctx context.Context, name string) jupyter.Bundle {
	if _, ok := k.engine.Session.Lookup(name); !ok {
		if name = strings.ToLower(name); name == "" {
			return nil
		}
		if _, ok := k.engine.Session.Lookup(name); !ok {
			return nil
		}
	}
	var b jupyter.Bundle
	statement := "DESCRIBE MODEL " + lang.Name{Text: name, Quoted: true}.String() + ";"
	err := k.engine.Run(ctx, engine.Text{Source: statement}, func(_ lang.Statement, r executor.Result) error {
		page, err := htmlOf(r)
		if err != nil {
			return err
		}
		var text bytes.Buffer
		b = jupyter.Bundle{"text/html": page}
		err = (&repl.Printer{Out: &text, Settings: &settings.Settings{}}).Print(r)
		b["text/plain"] = text.String()
		return err
	})
	if err != nil {
		return nil
	}
	return b
}
