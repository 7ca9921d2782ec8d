package sampling

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
)

// design decides where to sample next.
type design struct {
	places    []point // row by row, each of so many columns
	columns   int
	wanted    []int
	taken     []bool    // by position
	distance2 []float64 // by position, squared, to the nearest that is taken
	random    *rand.Rand

	// reach2 is no less than any distance2 of a wanted position: farther away from
	// it a new sample changes nothing. It is brought up to date every few samples.
	reach2 float64
	fresh  int // samples since then
}

func newDesign(places []point, wanted []int, random *rand.Rand) *design {
	columns := slices.IndexFunc(places, func(p point) bool { return p.y != places[0].y })
	if columns < 0 {
		columns = len(places)
	}
	return &design{
		places: places, columns: columns, wanted: wanted, random: random,
		taken:     make([]bool, len(places)),
		distance2: slices.Repeat([]float64{math.Inf(1)}, len(places)),
		reach2:    math.Inf(1),
	}
}

// refresh is how many samples reach2 is kept for.
const refresh = 32

// take makes a position a sample.
func (d *design) take(position int) {
	d.taken[position] = true
	at, reach := d.places[position], math.Sqrt(d.reach2)
	first := sort.Search(d.columns, func(c int) bool { return d.places[c].x >= at.x-reach })
	last := sort.Search(d.columns, func(c int) bool { return d.places[c].x > at.x+reach })
	rows := len(d.places) / d.columns
	top := sort.Search(rows, func(r int) bool { return d.places[r*d.columns].y >= at.y-reach })
	for r := top; r < rows && d.places[r*d.columns].y <= at.y+reach; r++ {
		for p := r*d.columns + first; p < r*d.columns+last; p++ {
			d.distance2[p] = min(d.distance2[p], at.distance2(d.places[p]))
		}
	}
	if d.fresh++; d.fresh == refresh {
		d.fresh, d.reach2 = 0, 0
		for _, p := range d.wanted {
			d.reach2 = max(d.reach2, d.distance2[p])
		}
	}
}

// forget makes only the positions given samples.
func (d *design) forget(but []int) {
	*d = *newDesign(d.places, d.wanted, d.random)
	for _, p := range but {
		d.take(p)
	}
}

// shuffled are the positions that are not taken, in random order.
func (d *design) shuffled() []int {
	list := slices.DeleteFunc(slices.Clone(d.wanted), func(p int) bool { return d.taken[p] })
	d.random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}

// anywhere takes up to n positions, uniformly at random.
func (d *design) anywhere(n int) []int {
	list := d.shuffled()
	list = list[:min(n, len(list))]
	for _, p := range list {
		d.take(p)
	}
	return list
}

// patience is after how many positions widest looks whether the context has ended.
const patience = 32

// widest takes up to n positions, one after the other, each where weight times
// the squared distance to the nearest sample is greatest; among equals chance
// decides. Without weights the weight is 1. Once the context ends they are fewer.
func (d *design) widest(ctx context.Context, n int, weight []float64) []int {
	list := d.shuffled()
	var chosen []int
	for i := range min(n, len(list)) {
		if i%patience == 0 && ctx.Err() != nil {
			break
		}
		best, most := -1, -1.0
		for _, p := range list {
			if d.taken[p] {
				continue
			}
			gap := d.distance2[p]
			if weight != nil {
				gap *= weight[p]
			}
			if gap > most {
				best, most = p, gap
			}
		}
		d.take(best)
		chosen = append(chosen, best)
	}
	return chosen
}
