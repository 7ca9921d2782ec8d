package metamorphic

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Environment variables that make a run longer, and repeat one trial.
const (
	longRun = "OCCLUDE_META"      // how long, as 10m
	oneSeed = "OCCLUDE_META_SEED" // the number that a failure told
)

const (
	shortTrials = 12 // of each go test
	fewTrials   = 3  // with -short
	mostFailed  = 20 // after which a long run ends

	leastKept   = .95 // of promises
	fewPromises = 60  // which tell nothing of how many are kept
)

// relation is something that must hold for every trial; doc.go says what its answers are.
type relation struct {
	name string
	// holds gives nil, errSkip, a *mismatch, or an error of the engine.
	holds func(k *trial, rng *rand.Rand, q query) error
	// own tells that the relation draws its own models, so that no clause of the query
	// has to do with its failing.
	own bool
	// every is how many trials come to one of the relation, where it takes long.
	every uint64
}

// TestRelations tries every relation on random trials.
func TestRelations(t *testing.T) {
	seeds, until := seeds(t)
	t.Chdir(t.TempDir())
	tallies, failed, most := make([]tally, len(relations)), 0, shortTrials
	if testing.Short() {
		most = fewTrials
	}
	for n, seed := range seeds {
		if !until.IsZero() && time.Now().After(until) || failed >= mostFailed || n >= most && until.IsZero() {
			break
		}
		k, err := newTrial(t, seed)
		if err != nil {
			t.Fatalf("%s=%d: %v", oneSeed, seed, err)
		}
		for i, r := range relations {
			if r.every > 0 && seed%r.every != 0 && !alone() {
				continue
			}
			k.measured = &tallies[i]
			k.measured.trials++
			switch err := k.check(r, seed, k.query); {
			case err == nil:
			case errors.Is(err, errSkip):
				k.measured.skipped++
			default:
				k.measured.failed++
				failed++
				k.tell(r, seed, err)
			}
		}
		if err := os.RemoveAll(k.dir); err != nil {
			t.Fatal(err)
		}
	}
	t.Log(report(tallies))
	promised(t, tallies)
}

// check tries a relation, with choices of its own that follow from the seed.
func (k *trial) check(r relation, seed uint64, q query) error {
	return r.holds(k, rand.New(rand.NewPCG(seed, 1)), q)
}

// tell reports a failure on the smallest query that fails the same way.
func (k *trial) tell(r relation, seed uint64, err error) {
	q := k.query
	for again := !r.own; again; {
		again = false
		for _, smaller := range q.smaller() {
			if e := k.check(r, seed, smaller); e != nil && kind(e) == kind(err) {
				q, err, again = smaller, e, true
				break
			}
		}
	}
	k.Errorf("%s=%d, relation %s:\n%v\nquery: %s\n%s\nmodel: %s, %s", oneSeed, seed, r.name, err, q.text(), k.create, k.model.Story, k.model.End)
}

// kind tells failures apart that have nothing to do with each other.
func kind(err error) string {
	var m *mismatch
	switch {
	case errors.Is(err, errSkip):
		return "skip"
	case errors.As(err, &m):
		return "mismatch"
	}
	text := err.Error()
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return -1
		}
		return r
	}, text[strings.LastIndex(text, "\n")+1:])
}

func alone() bool { return os.Getenv(oneSeed) != "" }

// seeds are those to try, up to a time if that is not zero.
func seeds(t *testing.T) (seeds func(func(int, uint64) bool), until time.Time) {
	from := uint64(0)
	if text := os.Getenv(longRun); text != "" {
		d, err := time.ParseDuration(text)
		if err != nil {
			t.Fatalf("%s: %v", longRun, err)
		}
		until, from = time.Now().Add(d), uint64(time.Now().UnixMilli())
		t.Logf("trials from seed %d on", from)
	}
	single := alone()
	if single {
		var err error
		if from, err = strconv.ParseUint(os.Getenv(oneSeed), 10, 64); err != nil {
			t.Fatalf("%s: %v", oneSeed, err)
		}
	}
	return func(yield func(int, uint64) bool) {
		for n := 0; (n == 0 || !single) && yield(n, from+uint64(n)); n++ {
		}
	}, until
}

// promised demands that promises were kept, as often as can be told.
func promised(t *testing.T, tallies []tally) {
	for i, c := range tallies {
		if c.claimed == 0 {
			continue
		}
		t.Logf("%s: %d of %d promises kept", relations[i].name, c.kept, c.claimed)
		if c.claimed >= fewPromises && float64(c.kept) < leastKept*float64(c.claimed) {
			t.Errorf("relation %s: only %d of %d promises were kept", relations[i].name, c.kept, c.claimed)
		}
	}
}

// report is a line for each relation.
func report(tallies []tally) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%-14s %7s %8s %7s %7s %7s\n", "relation", "trials", "skipped", "bits", "near", "failed")
	for i, r := range relations {
		c := tallies[i]
		fmt.Fprintf(&b, "%-14s %7d %8d %7d %7d %7d\n", r.name, c.trials, c.skipped, c.bits, c.near, c.failed)
	}
	return b.String()
}
