package main

import (
	"fmt"
	"math"
)

// The families of plans.
const (
	full        = "full"
	incremental = "incremental"
	tau         = "tau"
	drillDown   = "drill-down"
	both        = "tau and drill-down"
	ssim        = "SSIM"
	within      = "WITHIN"
	constant    = "constant map" // no plan: what SSIM says of a map without any content
)

// query is one way to ask for a heat map.
type query struct {
	family  string
	setting float64
	goal    string // clauses
	hints   string // in WITH, besides the seed
	seed    int
	limit   float64 // seconds, where the query names them
	sample  bool    // time some positions and conclude
}

const firstSeed = 42

// queries are all that is asked of one image, the exact map apart.
func (s settings) queries(exact float64) (all []query) {
	for i := range s.seeds {
		for _, q := range s.targets {
			all = append(all, target(q, firstSeed+i))
		}
		for _, part := range s.within {
			all = append(all, timed(part, exact, firstSeed+i))
		}
	}
	if s.sweep {
		all = append(all, sweep(exact)...)
	}
	seen := map[key]bool{}
	unique := all[:0]
	for _, q := range all {
		k := key{family: q.family, setting: q.setting, seed: q.seed}
		if !seen[k] {
			seen[k] = true
			unique = append(unique, q)
		}
	}
	return unique
}

func target(q float64, seed int) query {
	return query{family: ssim, setting: q, goal: fmt.Sprintf("SSIM >= %g", q), seed: seed}
}

// timed asks for the best map in a part of the time that the exact plan took, in
// whole milliseconds.
func timed(part, exact float64, seed int) query {
	ms := max(1, math.Round(part*exact*1000))
	return query{family: within, setting: part, goal: fmt.Sprintf("WITHIN %.0f MILLISECONDS", ms), seed: seed, limit: ms / 1000}
}

// sweep goes through every family from its cheapest setting to its best.
func sweep(exact float64) (all []query) {
	add := func(family string, setting float64, hints string) {
		all = append(all, query{family: family, setting: setting, hints: hints, seed: firstSeed})
	}
	for t := 4; t <= 10; t++ {
		add(tau, float64(t)/10, fmt.Sprintf("tau = %.1f", float64(t)/10))
	}
	// The most that drill-down saves is 1/r; the coarse map is finer where more is
	// computed after it.
	for _, d := range []struct{ r, speedup float64 }{{.05, 8}, {.1, 5}, {.25, 3}, {.5, 1.7}} {
		add(drillDown, d.r, fmt.Sprintf("drill_down = %g, speedup = %g", d.r, d.speedup))
		add(both, d.r, fmt.Sprintf("tau = 0.6, drill_down = %g, speedup = %g", d.r, d.speedup))
	}
	for _, q := range []float64{.7, .75, .8, .85, .9, .95} {
		all = append(all, target(q, firstSeed))
	}
	for _, part := range []float64{.02, .05, .1, .2, .4} {
		all = append(all, timed(part, exact, firstSeed))
	}
	return append(all, query{family: full, hints: "plan = 'full'", seed: firstSeed, sample: true})
}
