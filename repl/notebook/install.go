package notebook

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"occlude/internal/atomicfile"
)

// kernelName is the folder of the kernel, and what --kernel takes.
const kernelName = "occlude"

// Install tells Jupyter of the kernel that a binary is: it writes a kernel
// specification below a folder of Jupyter's data, and returns where.
func Install(data, binary string) (folder string, err error) {
	if strings.Contains(filepath.ToSlash(binary), "/go-build") {
		return "", errors.New("this binary is one that go run throws away; build one to install: go build -o occlude .")
	}
	folder = filepath.Join(data, "kernels", kernelName)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", err
	}
	spec := map[string]any{
		"argv":         []string{binary, "kernel", "run", "{connection_file}"},
		"display_name": "Occlude", "language": "occlude",
		// A message reaches the kernel on every system, a signal does not.
		"interrupt_mode": "message",
		"metadata":       map[string]any{"debugger": false},
	}
	text, err := json.MarshalIndent(spec, "", "  ")
	if err != nil {
		return "", err
	}
	write := func(name string, f func(io.Writer) error) {
		if err == nil {
			err = atomicfile.Write(filepath.Join(folder, name), f)
		}
	}
	for _, size := range []int{32, 64} {
		write(fmt.Sprintf("logo-%dx%d.png", size, size), func(w io.Writer) error { return logo(w, size) })
	}
	write("kernel.json", func(w io.Writer) error {
		_, err := w.Write(append(text, '\n'))
		return err
	})
	return folder, err
}

// UserData is the folder in which Jupyter looks for a user's kernels.
func UserData() (string, error) {
	if dir := os.Getenv("JUPYTER_DATA_DIR"); dir != "" {
		return dir, nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", err
	}
	switch runtime.GOOS {
	case "darwin":
		return filepath.Join(home, "Library", "Jupyter"), nil
	case "windows":
		if dir := os.Getenv("APPDATA"); dir != "" {
			return filepath.Join(dir, "jupyter"), nil
		}
	}
	if dir := os.Getenv("XDG_DATA_HOME"); dir != "" {
		return filepath.Join(dir, "jupyter"), nil
	}
	return filepath.Join(home, ".local", "share", "jupyter"), nil
}

// PrefixData is the same below the folder of an installation, such as /usr/local or a
// virtual environment.
func PrefixData(prefix string) string { return filepath.Join(prefix, "share", "jupyter") }
