// Package executor runs plans.
//
// A Session holds what statements leave behind: the catalog of models, the
// settings, the programs (networks with packed weights) of models that were
// used, and the views of images that they were used on (cache.go, views.go). Run
// executes one plan in it and hands each result to a callback as soon as it is
// there.
//
// # How a heat map is computed
//
//	image ──read, fit──▶ pixels ──normalise──▶ input ──base pass──▶ views, p0, classes
//	                        │
//	                        └──occluder──▶ patches ──workers──▶ p at each position
//	                                                              │
//	                                   relation, .png .npy .csv .json ◀──┘
//
// The base pass materializes the views with all threads, unless a query before
// has left them. Then each worker takes batches of positions from a common counter
// until none is left (share.go), so the load balances itself to the end; which worker computes
// a position does not change its value. A plan of several stages is that several
// times over, with what the plan says between them: enlarging what is known,
// choosing what is worth computing (compute.go). The plan decided everything else:
// which rectangles, which batch, how many workers. The executor never calls the
// planner.
//
// Meanwhile the map can be looked at (growing.go): whoever writes to it, a worker at the
// end of each batch or what enlarges and estimates between stages, does so under its
// lock, and who looks gets a copy. A position nobody has come to is Missing, NaN in
// memory and NULL in rows, or interpolated if the plan goes from coarse to fine. The
// same is what a query leaves that is cancelled: a HeatMap that is Partial, emitted
// before the error.
//
// # Many images
//
// A query over several images runs them one after the other and holds one at a time
// (stream.go); with ON ERROR CONTINUE one that cannot be used is left out. INTO TABLE keeps
// each map as soon as it is there, under a hash of all that decides what it says
// (identity.go), and leaves out what the table has (table.go). SQL goes to
// internal/tables/queries, with the last result as a table (sql.go).
//
// # What is measured beforehand
//
// ANALYZE MODEL runs parts of plans on a made-up image and times each layer
// (calibrate.go), and computes the heat maps of a sample of images like any query's
// (sample.go). What it finds is stored in one transaction at the end. A session
// is the planner's Statistics (statistics.go): it looks up what was stored. It is
// its Cache, too, and tells which views there are of an image.
//
// # Side by side
//
// BENCHMARK lets alternatives take turns and keeps the programs of all of them ready
// meanwhile (benchmark.go); COMPARE runs two queries one after the other (compare.go).
// Both are made of nothing but queries as any other.
//
// # Judging
//
// EVALUATE computes a query's maps and judges each by its metrics (evaluate.go). The steps
// of a curve are images between two others, each an update of the nearer one; they run
// on a plan of their own (walk.go).
//
// # Ending
//
// A context ends everything within about a tenth of a second: the error is then
// an *Interrupted, which says how far the map had come. No goroutine outlives
// Run, and files are written whole or not at all.
package executor
