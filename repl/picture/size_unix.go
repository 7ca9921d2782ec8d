//go:build unix

package picture

import (
	"os"

	"golang.org/x/sys/unix"
)

// pixels is the size of a terminal's window, zeros where it does not tell.
func pixels(f *os.File) (width, height int) {
	ws, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0, 0
	}
	return int(ws.Xpixel), int(ws.Ypixel)
}
