package repl

import (
	"errors"
	"fmt"
	"io"

	"occlude/internal/engine"
)

// ShowError prints an error, with source lines where it has a place in a text.
func ShowError(w io.Writer, err error) {
	if err == nil {
		return
	}
	if e := (*engine.Error)(nil); errors.As(err, &e) {
		fmt.Fprint(w, e.Format())
		return
	}
	fmt.Fprintf(w, "error: %v\n", err)
}
