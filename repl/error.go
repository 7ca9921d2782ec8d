package repl

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"

	"occlude/internal/engine"
	"occlude/lang"
)

// ShowError prints an error, with source lines where it has a place in a text.
func ShowError(w io.Writer, err error) {
	if err == nil {
		return
	}
	if e := (*engine.Error)(nil); errors.As(err, &e) {
		text := e.Format()
		if f, ok := w.(*os.File); ok {
			if columns, _, err := term.GetSize(int(f.Fd())); err == nil && columns > 0 {
				text = lang.Fit(text, columns)
			}
		}
		fmt.Fprint(w, text)
		return
	}
	fmt.Fprintf(w, "error: %v\n", err)
}
