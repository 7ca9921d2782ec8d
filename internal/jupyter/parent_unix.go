//go:build unix

package jupyter

import "golang.org/x/sys/unix"

// alive reports whether there is a process of this number.
func alive(pid int) bool { return unix.Kill(pid, 0) != unix.ESRCH }
