package shell

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"occlude/repl"
	"occlude/repl/command"
)

// edit is \e: a file, what was typed before or the last statement is edited, and run if
// it is complete. pending is what is still to be ended.
func (s *Shell) edit(ctx context.Context, file, before string) (pending string, quit bool, err error) {
	text, err := s.edited(file, before)
	if err != nil {
		repl.ShowError(s.Err, err)
		s.failed = true
		return before, false, nil
	}
	if strings.TrimSpace(text) == "" {
		return "", false, nil
	}
	if _, ok := command.Complete(text); !ok {
		return text, false, nil
	}
	s.show(text)
	return s.take(ctx, text)
}

// show prints a text as if it had been typed.
func (s *Shell) show(text string) {
	var p prompts
	fmt.Fprintln(s.Err, prompt+strings.ReplaceAll(paint(text, p.of(text), s.Editor && s.Colors), "\r", ""))
}

// edited lets a text be edited: that of a file, or in a file of its own what was typed
// before or else the last statement, which is not run again if it is left as it is.
func (s *Shell) edited(file, before string) (string, error) {
	old := before
	if file == "" {
		if before == "" {
			old = s.last
		}
		temporary, err := os.CreateTemp("", "occlude-*.oql")
		if err != nil {
			return "", fmt.Errorf(`\e: %w`, err)
		}
		defer os.Remove(temporary.Name())
		_, err = temporary.WriteString(strings.TrimRight(old, "\n") + "\n")
		if err := errors.Join(err, temporary.Close()); err != nil {
			return "", fmt.Errorf(`\e: %w`, err)
		}
		file = temporary.Name()
	}
	if err := s.openEditor(file); err != nil {
		return "", err
	}
	text, err := command.ReadFile(file)
	if err != nil {
		return "", err
	}
	text = strings.TrimRight(text, "\n")
	if before == "" && text == strings.TrimRight(old, "\n") {
		return "", nil
	}
	return text, nil
}

// openEditor runs the user's editor on a file and waits for its end.
func (s *Shell) openEditor(file string) error {
	program := "vi"
	for _, name := range []string{"EDITOR", "VISUAL"} {
		if v := os.Getenv(name); v != "" {
			program = v
		}
	}
	// It may come with arguments of its own.
	c := exec.Command("sh", "-c", program+` "$1"`, "sh", file)
	c.Stdout, c.Stderr = os.Stdout, os.Stderr
	if s.Editor || s.Prompts {
		c.Stdin = os.Stdin
	}
	err := c.Run()
	select {
	case <-s.Interrupts: // which was for the editor
	default:
	}
	if err != nil {
		return fmt.Errorf(`\e: %s: %w`, program, err)
	}
	return nil
}
