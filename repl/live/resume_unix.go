//go:build unix

package live

import (
	"os"
	"os/signal"

	"golang.org/x/sys/unix"
)

// resumptions tells, until stop is called, when the process goes on after it was stopped
// (Ctrl-Z, then fg): the shell has written to the terminal meanwhile.
func resumptions() (c <-chan os.Signal, stop func()) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGCONT)
	return signals, func() { signal.Stop(signals) }
}
