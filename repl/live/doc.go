// Package live shows a query while it runs: how far it has come, and the heat map that
// it computes.
//
//	chest.png  43% ━━━━━━━━━━────────────  1204 of 2809 positions · 812/s · 2 s left
//	nodule                          p₀ 0.999
//	▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀
//	...
//
// A [Display] is an executor.Watcher. Queries that end within a moment show nothing;
// of others the display is taken away in the end, and the result is printed where it was.
//
// # On the screen
//
// Between two frames the cursor rests at the beginning of the first line. So a frame is
// drawn without knowing where on the screen it is, what is below can be erased at any
// time, and it stays right when the window is resized, as far as the terminal keeps the
// cursor with its line. A frame is one write, in which the cursor is hidden before
// anything moves and shown again at the end: however the process ends, the terminal is as
// it was. Only lines that changed are written.
//
// # What it costs
//
// Workers only count. A goroutine of the display's own, which ends with the query, draws
// at most ten times a second, and a picture only after twenty times as long as the one
// before took to draw and to write, which is a twentieth of a core at most and waits for
// slow lines; and no more bytes than suit a line (ssh or not).
package live
