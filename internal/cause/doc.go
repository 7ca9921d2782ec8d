// Package cause says what went wrong with a file, and no more. Errors of the file system
// come as "open scan.png: permission denied"; a message that names the file in its own
// words needs the last part alone:
//
//	fmt.Errorf("image %q: %w", path, cause.Of(err)) // image "scan.png": permission denied
package cause
