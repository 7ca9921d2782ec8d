//go:build unix

package shell

import (
	"os"
	"os/signal"
	"syscall"
	"time"
)

// stop stops the process as Ctrl-Z does at other times, and returns when it goes on; or
// soon, where nobody could make it go on and so nothing stops.
func stop() {
	const soon = 200 * time.Millisecond
	resumed := make(chan os.Signal, 1)
	signal.Notify(resumed, syscall.SIGCONT)
	defer signal.Stop(resumed)
	if syscall.Kill(0, syscall.SIGTSTP) != nil { // the whole group, as the terminal would
		return
	}
	select {
	case <-resumed:
	case <-time.After(soon):
	}
}
