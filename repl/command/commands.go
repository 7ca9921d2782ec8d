package command

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"occlude/docs"
	"occlude/internal/engine"
	"occlude/internal/settings"
	"occlude/lang"
	"occlude/repl"
)

// commands prints the list of them.
func (c *call) commands() error {
	_, err := fmt.Fprint(c.session.Err, list()+`
A statement ends in a semicolon and may take several lines. Tab completes, Up
and Ctrl-R find what was typed before, Ctrl-C drops what is typed or ends what
runs.
`)
	return err
}

// help prints what the manual says.
func (c *call) help() error {
	topic := strings.Trim(c.rest(0), `"`)
	if topic == "" {
		_, err := fmt.Fprint(c.session.Err, docs.Overview(`\h`))
		return err
	}
	text, ok := repl.Manual(topic, c.session.Printer.Settings)
	if !ok {
		hint := lang.DidYouMean(topic, repl.Topics())
		if hint == "" {
			hint = docs.Elsewhere(topic)
		}
		if hint == "" {
			hint = `\h lists what there is help on`
		}
		return c.wrong(word{topic, c.args[0].from, c.args[len(c.args)-1].to}, hint, "there is no help on %q", topic)
	}
	columns := 100
	if c.session.Columns != nil {
		columns = c.session.Columns()
	}
	_, err := fmt.Fprint(c.session.Err, docs.Terminal(text, columns, c.session.Colors))
	return err
}

func (c *call) models() error { return c.statement("SHOW MODELS;") }

func (c *call) tables() error { return c.statement("SHOW TABLES;") }

func (c *call) describe() error {
	if len(c.args) == 0 {
		return c.statement("SHOW MODELS; SHOW TABLES;")
	}
	return c.statement("DESCRIBE MODEL " + c.arg() + ";")
}

// statement runs what a command stands for.
func (c *call) statement(text string) error { return c.session.Run(c.ctx, engine.Text{Source: text}) }

func (c *call) include() error {
	s := c.session
	text, err := ReadFile(c.arg())
	if err != nil {
		return c.about(0, err)
	}
	if s.depth >= maxDepth {
		return c.wrong(c.args[0], "", "%d files read one another", maxDepth)
	}
	_, err = s.Script(c.ctx, engine.Text{Name: c.arg(), Source: text})
	return err
}

func (c *call) out() error {
	if err := c.session.redirect(c.arg()); err != nil {
		return c.about(0, err)
	}
	return nil
}

func (c *call) timing() error {
	on, err := c.onOff(c.session.timing)
	if err != nil {
		return err
	}
	c.session.timing = on
	return c.session.say("Timing is %s.", map[bool]string{true: "on", false: "off"}[on])
}

func (c *call) expanded() error {
	on, err := c.onOff(c.session.Printer.Settings.Format() == settings.FormatVertical)
	if err != nil {
		return err
	}
	return c.setFormat(map[bool]string{true: settings.FormatVertical, false: settings.FormatTable}[on])
}

// onOff reads an argument of a switch, without which it is turned.
func (c *call) onOff(now bool) (bool, error) {
	switch strings.ToLower(c.arg()) {
	case "":
		return !now, nil
	case "on", "true", "1", "yes":
		return true, nil
	case "off", "false", "0", "no":
		return false, nil
	}
	return false, c.wrong(c.args[0], "", "%q is neither on nor off", c.arg())
}

func (c *call) format() error {
	if len(c.args) == 0 {
		return c.session.say("Format is %s, of %s.", c.session.Printer.Settings.Format(), strings.Join(settings.Formats(), ", "))
	}
	return c.setFormat(c.arg())
}

func (c *call) setFormat(name string) error {
	if err := c.session.Printer.Settings.Set("format", name); err != nil {
		return c.wrong(c.args[0], lang.DidYouMean(name, settings.Formats()), "%w", err)
	}
	return c.session.say("Format is %s.", c.session.Printer.Settings.Format())
}

func (c *call) edit() error {
	if c.session.depth > 0 {
		return c.wrong(c.name, "", "nothing is edited while a file is run")
	}
	*c.next = Next{Edit: true, File: c.arg()}
	return nil
}

func (c *call) set() error {
	variables := c.session.Engine.Variables
	switch {
	case len(c.args) == 0:
		for _, name := range slices.Sorted(maps.Keys(variables)) {
			if err := c.show(name); err != nil {
				return err
			}
		}
		return nil
	case !engine.IsVariable(c.arg()):
		return c.wrong(c.args[0], "", "%q is no name of a variable: letters, digits and _, not beginning with a digit", c.arg())
	case len(c.args) == 1:
		if _, ok := variables[c.arg()]; !ok {
			return c.undefined()
		}
		return c.show(c.arg())
	}
	variables[c.arg()] = c.rest(1)
	return nil
}

func (c *call) show(name string) error {
	return c.session.say("%s = %s", name, lang.String{Value: c.session.Engine.Variables[name]})
}

func (c *call) unset() error {
	if _, ok := c.session.Engine.Variables[c.arg()]; !ok {
		return c.undefined()
	}
	delete(c.session.Engine.Variables, c.arg())
	return nil
}

func (c *call) undefined() error {
	hint := lang.DidYouMean(c.arg(), slices.Sorted(maps.Keys(c.session.Engine.Variables)))
	if hint == "" {
		hint = `\set name value defines one`
	}
	return c.wrong(c.args[0], hint, "there is no variable %q", c.arg())
}

func (c *call) quit() error {
	c.next.Quit = true
	return nil
}

// about gives an error the place of an argument.
func (c *call) about(arg int, err error) error {
	at := c.name
	if arg < len(c.args) {
		at = c.args[arg]
		at.to = c.args[len(c.args)-1].to
	}
	return c.wrong(at, "", "%w", err)
}

// placed gives an error the place of the command, unless it has one.
func (c *call) placed(err error) error {
	if e := (*engine.Error)(nil); errors.As(err, &e) {
		return err
	}
	return c.wrong(c.name, "", "%w", err)
}
