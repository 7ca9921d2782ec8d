package shell

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"occlude/repl/command"
)

// maxLine is the length in bytes of the longest line that is read.
const maxLine = 16 << 20

// plain reads line by line.
type plain struct {
	prompts    io.Writer // nil where nobody sees them
	interrupts <-chan os.Signal
	lines      <-chan string
	failed     <-chan error // why there are no more lines
	done       chan struct{}
}

func newPlain(in io.Reader, interrupts <-chan os.Signal) *plain {
	lines, failed, done := make(chan string), make(chan error, 1), make(chan struct{})
	go func() {
		defer close(lines)
		scanner := bufio.NewScanner(in)
		scanner.Buffer(nil, maxLine)
		for scanner.Scan() {
			select {
			case lines <- scanner.Text():
			case <-done:
				return
			}
		}
		failed <- scanner.Err()
	}()
	return &plain{interrupts: interrupts, lines: lines, failed: failed, done: done}
}

func (p *plain) close() { close(p.done) }

// read implements reader.
func (p *plain) read(ctx context.Context, pending string) (string, error) {
	var text strings.Builder
	if text.WriteString(pending); pending != "" {
		text.WriteByte('\n')
	}
	for {
		p.print("%s", promptAfter(text.String()))
		select {
		case <-ctx.Done():
			p.print("\n")
			return "", ctx.Err()
		case <-p.interrupts:
			p.print("\n")
			return text.String(), errInterrupt
		case line, ok := <-p.lines:
			if !ok {
				p.print("\n")
				if err := <-p.failed; err != nil {
					return "", fmt.Errorf("standard input: %w", err)
				}
				return text.String(), io.EOF
			}
			text.WriteString(line)
			if _, ok := command.Complete(text.String()); ok {
				return text.String(), nil
			}
			text.WriteByte('\n')
		}
	}
}

func (p *plain) print(format string, args ...any) {
	if p.prompts != nil {
		fmt.Fprintf(p.prompts, format, args...)
	}
}
