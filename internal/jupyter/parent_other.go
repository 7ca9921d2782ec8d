//go:build !unix

package jupyter

// alive is always true where JPY_PARENT_PID holds a handle and no number.
func alive(int) bool { return true }
