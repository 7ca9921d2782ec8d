// Package metamorphic tests the engine as a whole, from the text of a query to the files
// that it writes, without knowing a single right answer. It asks the same in two ways and
// demands that the answers agree:
//
//	seed ──▶ trial: an ONNX file, pictures, CREATE MODEL, a query
//	             │
//	             ├─ the query ────────────────▶ heat map ─┐
//	             │                                        ├─ a relation holds between them, or
//	             └─ another that means the same ▶ map ────┘  the seed and both queries are told
//
// A trial is drawn from its seed alone, so a failure can be repeated by that:
//
//	OCCLUDE_META_SEED=1234 go test ./internal/metamorphic
//
// # What is drawn
//
// The model is a random chain of what published classifiers are made of, written as ONNX
// and read by CREATE MODEL as anybody's (package onnxtest). The query has each clause and
// hint of OCCLUDE in random combinations, all of them valid, its clauses in any order;
// where it fails all the same, that is a finding. A condition of WHERE is made together
// with a Go function that says the same, and so is known to hold.
//
// Only the relation table goes by what was measured of the machine, so its plans may be
// others the next time.
//
// # What is demanded
//
// Each line of the table relations is one check. There are three measures of agreement:
//
//   - The same bits, where one physical plan was run twice: with other threads, another
//     batch, progressively, over kept views, with its clauses in another order, after
//     printing and parsing. If the planner took another plan for the second query, the
//     next measure goes for it.
//   - 1e-4, of probabilities, and of scores as a part of the largest, for exact plans that
//     compute alike in another way: full and incremental, other kernels, algorithms of
//     convolution and rewrite rules.
//   - Statistics, for what samples: a promise of structural similarity has to be kept in
//     19 of 20 queries.
//
// One relation leaves the engine: reference reads the picture, fills the patch and runs
// the ONNX file operator by operator with package reference.
//
// What fails is made smaller before it is told: clauses and hints are left out as long as
// the relation fails the same way.
//
// Short runs are part of go test. CONTRIBUTING.md tells how to make long ones.
package metamorphic
