// Package notebook is what Occlude does as a Jupyter kernel: it runs cells, shows
// results as pictures and tables, completes and explains words. How messages travel
// is internal/jupyter's matter, how statements run the engine's.
//
//	cell ──▶ engine ──▶ results ──▶ what each can be ──▶ outputs of the cell
//
// # What a result becomes
//
// A result is shown as the most that it can be:
//
//	it can be drawn (executor.Pictured)  a picture, and the printed summary below it,
//	                                     or the tables of a BENCHMARK or an EVALUATE
//	it has a page (EXPLAIN, DESCRIBE)    HTML, and the printed text for consoles
//	it has rows (executor.Tabular)       an HTML table, likewise
//	anything else                        the text that a terminal would get
//
// A new kind of result that can be drawn, or has rows, appears without a change here.
//
// In a table, pictures and arrays of two axes are drawn: what heatmap('png') and
// heatmap() make of stored maps.
//
// Tables are results of the cell ("Out[3]:"), pictures are displayed, and what only
// tells that something was done is text on stdout. With SET format to something other
// than table, everything is that text.
//
// # Progress
//
// What takes longer than a moment shows a bar, and above it the heat map as far as it
// is known, which are updated in place a few times a second; pictures take at most a
// twentieth of the time. They are one display of HTML with the pictures inside: where
// HTML is not shown, a line of text stands for it. When the first result comes and that
// was all that the cell showed, the cell is cleared, so that a saved notebook has the
// result alone; where something stands above it, the display becomes an empty output.
// The result itself is always an output of its own: front ends without updates in place
// lose the progress, and only it.
//
// # Sessions
//
// A kernel is one session: models and settings last from cell to cell, until it is
// restarted. Cells run one after another. An interrupt ends the one that runs; a cell
// that fails takes those queued behind it with it.
package notebook
