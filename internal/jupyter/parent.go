package jupyter

import (
	"context"
	"os"
	"strconv"
	"time"
)

// parentVariable is where Jupyter tells a kernel which process started it. One that
// is meant to outlive its starter is not told.
const parentVariable = "JPY_PARENT_PID"

// WithParent is a context that ends when the process that started this one for
// Jupyter has ended. Without one it ends with ctx only.
func WithParent(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	pid, err := strconv.Atoi(os.Getenv(parentVariable))
	if err == nil && pid > 1 {
		go watch(ctx, cancel, pid)
	}
	return ctx, cancel
}

// watch looks once in a while: there is no portable way to be told.
func watch(ctx context.Context, gone func(), pid int) {
	const interval = 500 * time.Millisecond
	began := os.Getppid()
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		// A dead parent may linger as a zombie, and its number may be given away: but
		// its children get another parent at once. A kernel that was started by way of
		// a script is no child of Jupyter, and goes by the number.
		if os.Getppid() != began || !alive(pid) {
			gone()
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
