package command

import (
	"io"

	"occlude/internal/atomicfile"
	"occlude/repl/picture"
)

// redirection is a file that results go to. It appears when it is closed.
type redirection struct {
	path  string
	to    *io.PipeWriter
	done  chan error
	saved io.Writer         // where results went before
	shown *picture.Terminal // and pictures
}

// redirect makes results go to a file, or with "" where they went at first.
func (s *Session) redirect(path string) error {
	if o := s.output; o != nil {
		s.output, s.Printer.Out, s.Printer.Terminal = nil, o.saved, o.shown
		o.to.Close()
		if err := <-o.done; err != nil {
			return err
		}
		if err := s.say("wrote %s", o.path); err != nil {
			return err
		}
	}
	if path == "" {
		return nil
	}
	from, to := io.Pipe()
	o := &redirection{path: path, to: to, done: make(chan error, 1), saved: s.Printer.Out, shown: s.Printer.Terminal}
	begun := make(chan struct{})
	go func() {
		err := atomicfile.Write(path, func(w io.Writer) error {
			close(begun)
			_, err := io.Copy(w, from)
			return err
		})
		from.CloseWithError(err) // for who still writes
		o.done <- err
	}()
	select {
	case err := <-o.done:
		return err
	case <-begun:
	}
	s.output, s.Printer.Out, s.Printer.Terminal = o, to, nil
	return nil
}
