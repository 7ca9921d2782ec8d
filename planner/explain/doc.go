// Package explain shows plans to people: what EXPLAIN and DESCRIBE MODEL print.
//
//	planner.Explain ──┐                  ┌─▶ Text  for a terminal, 100 columns wide; HTML, for a notebook
//	planner.Actuals ──┴─New─▶ Report ────┼─▶ JSON  the same, for programs
//	                                     └─▶ DOT   operators and layers as a graph
//
//	planner.Describe ──Describe─▶ ModelReport ─▶ Text, HTML, JSON, rows for csv and tsv
//
// A Report holds everything that is shown, as plain fields in plain units
// (seconds, bytes, multiply-adds, pixels). The writers read nothing else,
// so they cannot disagree, and the JSON of a report is the report itself: its
// fields are the documented schema (docs/explain.md). A change that takes a
// field away or gives it another meaning raises Version; a new field does not.
//
// # The operator tree
//
// A heat map query is shown as the chain of steps that the executor takes, last
// step first. The root carries the totals; every other node carries its own
// share, so the nodes' seconds and multiply-adds add up to the root's. Bytes are
// the memory that a node's result holds; the root's is the peak.
//
//	Occlude                      total
//	└─ Write                     fixed cost of an image: reading, drawing, writing
//	   └─ Heat map
//	      └─ Incremental inference   all positions
//	         ├─ Materialize views    the base pass
//	         │  └─ Read image
//	         └─ Cover the patch
//
// With ANALYZE the same nodes carry what was measured. A layer's measured
// seconds are its workers' time divided by the number of threads, which is what
// the estimate means too: elapsed time while all threads are busy.
//
// # Fields of a layer
//
// DESCRIBE MODEL shows two fields of every layer. The receptive field is the
// part of the image that one value sees, the hull over all paths, away from the
// borders. The projective field is the reverse: what changes when a patch in the
// image's middle does. The second decides what incremental inference can save,
// and its theoretical speedup is computed here from rectangles alone: no value
// is ever computed by this package.
package explain
