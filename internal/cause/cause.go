package cause

import (
	"errors"
	"io/fs"
	"os"
)

// Of is what lies behind an error of the file system, without the operation and the names;
// any other error is itself.
func Of(err error) error {
	if e := (*fs.PathError)(nil); errors.As(err, &e) {
		return e.Err
	}
	if e := (*os.LinkError)(nil); errors.As(err, &e) {
		return e.Err
	}
	return err
}
