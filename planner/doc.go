// Package planner decides how a heat map is computed and can say why.
//
//	lang.Statement ──bind──▶ what is asked: model, images, classes, grid, fill, outputs
//	               ──rewrite─▶ the network as it will run (package rewrite, once per model)
//	               ──cost────▶ candidates, each with seconds, multiply-adds, bytes by layer
//	               ──choose──▶ Plan: the cheapest, or the one a hint forces
//
// Binding resolves every name, file, class, option and position before any work
// starts, and reports what is wrong at the very place in the statement. A plan
// holds no question any more: the executor runs it without the planner.
//
// # Candidates
//
// Full inference runs the whole network on every occluded image. Incremental
// inference computes, at each layer, only the rectangle that the patch can have
// changed, and reads the rest from the views of the clean image. Both are
// exact. Where a rectangle has grown to the whole map the incremental plan is
// full inference of the rest; Candidate.FullFrom names that layer. On networks
// whose rectangles grow at once, full inference can be the cheaper one, so it
// is costed like any other candidate.
//
// Each candidate chooses for every convolution how it is computed, by cost and
// by the rounding error that the result may have (algorithms.go), brings the
// positions into an order in which equal rectangles stand together (order.go),
// and sizes its batches (batch.go).
//
// Approximate plans are considered where hints ask for them (approximate.go). Each
// plan is data that the executor follows (physical.go): a rule for the rectangles
// of a position, and stages of positions, with what fills in the map between
// them.
//
// Costs are sums over the real positions, borders clipped, not over an average
// one: a corner patch changes less than a central one.
//
// # Devices
//
// The plans of the processor are costed first; where the best of them takes long enough to be
// worth it, or a setting or hint says so, those of a GPU beside them (device.go). Both go by
// the same survey of what positions compute (survey.go), and through the same steps
// (pricing.go): the processor sums up positions (estimate.go, batch.go), of a GPU the
// launches of whole batches are counted, as package gpu tells them without a device, and
// batches are sized to its free memory (gpu.go, gpu_batch.go, gpu_estimate.go). What a GPU
// cannot do is an error of a hint; a setting gives way, and Occlude.NoDevice says why.
//
// # Queries inside of others
//
// BENCHMARK binds its query once for each plan to run, with the hints of that plan
// beside its own (benchmark.go), or takes the candidates that were considered.
// COMPARE binds two queries and makes sure that they are over the same positions
// (compare.go). EVALUATE binds one, its metrics, and beside it a query whose patches are
// as large as the image, which stands for the steps of curves (bind_evaluate.go).
//
// # What was measured beforehand
//
// ANALYZE MODEL is a plan of its own (analyze.go): trials whose times calibrate the
// costs, and the heat maps of a sample of images, exact and by falling tau. What
// came of it in this session or an earlier one, Statistics knows. The planner
// asks that interface and touches no file; without an answer it plans without
// curves, and with the profile that Env.Measure gives, or the default one: Quick is a
// plan of trials (machine.go) that the engine has the session run once on a machine,
// before the first plan that is chosen by cost.
//
// # What queries before have left
//
// A session keeps views. Cache says which of them are those of the query's image as its file
// is now; each candidate is costed over them, too, with their algorithms and without a
// base pass, and the cheaper of the two stays (cache.go).
//
// # What a plan shows
//
// EXPLAIN and DESCRIBE MODEL are made from the plan alone by package explain,
// with the executor's Actuals beside the estimates for ANALYZE.
package planner
