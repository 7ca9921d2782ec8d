package sampling

import (
	"math/rand/v2"
	"slices"
)

// check is a position that was sampled at random to verify the map that stood
// before: its squared error and the variance that was predicted, and the squared
// error of its sketch or NaN, all times the sensitivity of structural similarity
// to it.
type check struct{ observed, predicted, sketched float64 }

const (
	resamples = 200
	// quantile is that of the resampled ratios which the upper one is.
	quantile = 0.975
	// The least ratios that are believed of a few checks.
	leastPoint, leastUpper = 0.5, 1
	// unverified are the upper ratio before any check.
	unverified = 2
)

// ratio is by how much the observed variances exceed the predicted ones, and a
// value that the true ratio seldom exceeds (a percentile bootstrap:
// Efron and Tibshirani, "An Introduction to the Bootstrap", 1993).
func ratio(checks []check, random *rand.Rand) (point, upper float64) {
	if len(checks) == 0 {
		return 1, unverified
	}
	point = relative(checks)
	draws, drawn := make([]float64, resamples), make([]check, len(checks))
	for i := range draws {
		for j := range drawn {
			drawn[j] = checks[random.IntN(len(checks))]
		}
		draws[i] = relative(drawn)
	}
	slices.Sort(draws)
	upper = draws[int(quantile*resamples)-1]
	return max(leastPoint, point), max(leastUpper, upper)
}

// relative is the observed variance over the predicted one.
func relative(checks []check) float64 {
	var sum check
	for _, c := range checks {
		sum.observed += c.observed
		sum.predicted += c.predicted
	}
	if sum.predicted == 0 { // where no error can be felt
		return 1
	}
	return sum.observed / sum.predicted
}
