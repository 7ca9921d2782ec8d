// Package defect turns panics into errors at the borders that no panic may
// cross: each statement, and each goroutine that works for one. A panic is
// always a fault of occlude itself, so the error keeps the stack and asks for a
// report; the session can go on.
package defect
