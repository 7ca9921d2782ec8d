package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"occlude/internal/cause"
	"occlude/internal/engine"
	"occlude/lang"
	"occlude/repl"
)

// maxDepth is how many files may read one another.
const maxDepth = 20

// maxText bounds the size of a query file.
const maxText = 64 << 20

// ReadFile reads a query file; - is standard input.
func ReadFile(path string) (string, error) {
	if path == "-" {
		return readAll("standard input", os.Stdin)
	}
	name := fmt.Sprintf("query file %q", path)
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, cause.Of(err))
	}
	defer f.Close()
	return readAll(name, f)
}

func readAll(name string, from io.Reader) (string, error) {
	data, err := io.ReadAll(io.LimitReader(from, maxText+1))
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, cause.Of(err))
	}
	if len(data) > maxText {
		return "", fmt.Errorf("%s: larger than %d MiB", name, maxText>>20)
	}
	if bytes.IndexByte(data, 0) >= 0 {
		return "", fmt.Errorf("%s: it holds NUL bytes, so it is no text; models and images are named in statements, as in CREATE MODEL m FROM 'model.onnx'", name)
	}
	return string(data), nil
}

// Script runs a text of statements and commands, up to the first error or to \q, which
// it then tells of.
func (s *Session) Script(ctx context.Context, t engine.Text) (Next, error) {
	s.depth++
	defer func() { s.depth-- }()
	for _, p := range Pieces(t.Source) {
		next, err := s.piece(ctx, t, p)
		if err != nil || next.Quit {
			return next, err
		}
	}
	return Next{}, nil
}

// Piece is a stretch of a script: a command's line, or what stands between two of them.
type Piece struct {
	From, To int // in bytes
	Command  bool
}

// Complete reports whether a text can be run, as lang.Complete does for statements.
func Complete(src string) (lacks string, ok bool) {
	all := Pieces(src)
	if last := all[len(all)-1]; !last.Command {
		begin := last.From + strings.LastIndexByte(src[last.From:], '\n') + 1
		if Is(src[begin:], src[last.From:begin]) {
			return "", true // in the midst of a statement
		}
		return lang.Complete(src[last.From:])
	}
	return "", true
}

// Pieces cuts a script at the lines that are commands: those where no statement is
// under way.
func Pieces(src string) []Piece {
	var all []Piece
	begun := 0 // what is not in a piece yet
	for at := 0; at < len(src); {
		end := len(src)
		if n := strings.IndexByte(src[at:], '\n'); n >= 0 {
			end = at + n + 1
		}
		if line := strings.TrimSpace(src[at:end]); line != "" && (line[0] == '\\' || line[0] == '.' || spoken[bare(line)] != "") {
			if _, complete := lang.Complete(src[begun:at]); complete && Is(line, "") {
				if begun < at {
					all = append(all, Piece{From: begun, To: at})
				}
				all = append(all, Piece{From: at, To: end, Command: true})
				begun = end
			}
		}
		at = end
	}
	if begun < len(src) || len(all) == 0 {
		all = append(all, Piece{From: begun, To: len(src)})
	}
	return all
}

// piece runs one.
func (s *Session) piece(ctx context.Context, t engine.Text, p Piece) (Next, error) {
	if p.Command {
		return s.Do(ctx, t, p.From+len(t.Source[p.From:p.To])-len(strings.TrimLeft(t.Source[p.From:p.To], " \t")))
	}
	text := t
	text.Source = blank(t.Source[:p.From]) + t.Source[p.From:p.To]
	err := s.Run(ctx, text)
	if e := (*engine.Error)(nil); errors.As(err, &e) && e.Source == text.Source {
		e.Source = t.Source // with what stands before it in its line
	}
	return Next{}, err
}

// blank is a text with blanks for all that would be read, and the same lines and
// columns.
func blank(src string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return r
		}
		return ' '
	}, src)
}

// RCPath is where the rc file is, whether it exists or not: the file that the
// environment variable OCCLUDE_RC names, else occlude/rc.oql in the folder of the XDG
// base directory specification for configuration. It is "" where there is no place.
func RCPath() string {
	if path := os.Getenv("OCCLUDE_RC"); path != "" {
		return path
	}
	// The specification says to ignore a relative path.
	if dir := os.Getenv("XDG_CONFIG_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "occlude", "rc.oql")
	}
	home, err := os.UserHomeDir()
	if err != nil || home == "" {
		return ""
	}
	return filepath.Join(home, ".config", "occlude", "rc.oql")
}

// RC runs an rc file. What statements only tell of (SET, CREATE MODEL m) is not
// printed. An error is shown, with its place, and ends its statement alone; the end of the
// context ends all. A file that is not there is an error if it must be.
func (s *Session) RC(ctx context.Context, path string, must bool) error {
	if path == "" {
		return nil
	}
	text, err := ReadFile(path)
	switch {
	case errors.Is(err, os.ErrNotExist) && !must:
		return nil
	case err != nil:
		return fmt.Errorf("rc: %w", err)
	}
	s.quiet = true
	s.depth++
	defer func() { s.quiet = false; s.depth-- }()
	t := engine.Text{Name: path, Source: text}
	for _, p := range statements(text) {
		next, err := s.piece(ctx, t, p)
		if ctx.Err() != nil {
			return err
		}
		repl.ShowError(s.Err, err)
		if next.Quit {
			break
		}
	}
	return nil
}

// UserRC runs the user's rc file, which must be there only if the environment names it.
func (s *Session) UserRC(ctx context.Context) error {
	return s.RC(ctx, RCPath(), os.Getenv("OCCLUDE_RC") != "")
}

// statements cuts a script into its commands and single statements.
func statements(src string) []Piece {
	var all []Piece
	for _, p := range Pieces(src) {
		if p.Command {
			all = append(all, p)
			continue
		}
		for _, part := range lang.Split(src[p.From:p.To]) {
			all = append(all, Piece{From: p.From + part.From.Offset, To: p.From + part.To.Offset})
		}
	}
	return all
}

// ReadRC runs the user's rc file for a session without a terminal, such as a notebook's:
// results are not printed, errors are written to errs.
func ReadRC(ctx context.Context, e *engine.Engine, errs io.Writer) {
	s := &Session{Engine: e, Printer: &repl.Printer{Out: io.Discard, Settings: &e.Session.Settings}, Err: errs}
	err := s.UserRC(ctx)
	repl.ShowError(errs, errors.Join(err, s.Close()))
}
