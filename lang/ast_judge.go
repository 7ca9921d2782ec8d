package lang

// This file holds the statements that judge: plans against each other, heat maps
// against each other, and a heat map against what the model does.

// Benchmark is BENCHMARK [(options)] query: the ways to compute a heat map, timed
// side by side. An option that was not written is nil.
type Benchmark struct {
	Located
	Runs   *Number       // of each plan that count: a whole number above zero
	Warmup *Number       // of each plan before those: a whole number, not negative
	Plans  []Alternative // as written; nil for those that the planner considers
	Query  *Occlude
}

// Alternative is a plan of PLANS (...), with hints of its own, as in
// approximate WITH (tau = 0.6).
type Alternative struct {
	Located
	Plan    Name
	Options []Option
}

// Compare is COMPARE (query) WITH (query): two heat maps of the same grid and
// their difference, the first less the second.
type Compare struct {
	Located
	First, Second *Occlude
}

// Evaluate is EVALUATE (query) USING metrics [WITH (options)]: how faithful a heat
// map is to the model.
type Evaluate struct {
	Located
	Query   *Occlude
	Metrics []Metric
	Options []Option
}

// Metric is one of the scores of EVALUATE, as in deletion or pointing('box.png').
type Metric struct {
	Located
	Name      Name
	Arguments []Value
}
