package gputest

import (
	"fmt"
	"math/rand/v2"

	"occlude/internal/network/networktest"
	"occlude/operators/gpu"
)

// RandomTolerance is Tolerance for random networks, whose layers multiply errors.
const RandomTolerance = 1e-5

// Random are those of so many random networks, on images of a side, that a GPU computes; every
// other one with tensor arithmetic.
func Random(seeds uint64, side int) []Case {
	var cases []Case
	for seed := range seeds {
		rng := rand.New(rand.NewPCG(seed, 20))
		net := networktest.Random(rng, networktest.Options{Side: side})
		if gpu.Check(net) != nil {
			continue
		}
		name, tile := fmt.Sprintf("random network %d", seed), ""
		if seed%2 == 1 {
			name, tile = name+tensorCores, bestTile
		}
		cases = append(cases, newCase(name, net, options(net, tile)))
	}
	return cases
}
