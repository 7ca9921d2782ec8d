package sampling

import (
	"math"
	"slices"
)

const (
	// own is how many samples a block holds at most, and near how many, with the
	// closest around it, it is predicted from. Beyond two rings of samples a Matérn
	// process hardly sees: 48 are 2.5 rings around 12.
	own  = 12
	near = 48
)

// partition splits the wanted positions into blocks, as a k-d tree does.
// sampleAt is, by position, the index of the sample there, or none.
func partition(places []point, wanted []int, sampleAt []int32) []*block {
	var blocks []*block
	spare := make([]int, 0, len(wanted))
	var split func(positions []int)
	split = func(positions []int) {
		var inside []int
		for _, p := range positions {
			if sampleAt[p] != none {
				inside = append(inside, p)
			}
		}
		if len(inside) <= own {
			blocks = append(blocks, &block{positions: positions, own: len(inside)})
			return
		}
		along, cut := halve(places, inside)
		spare = spare[:0]
		low := 0
		for _, p := range positions {
			if along(places[p]) <= cut {
				positions[low] = p
				low++
			} else {
				spare = append(spare, p)
			}
		}
		copy(positions[low:], spare)
		split(positions[:low])
		split(positions[low:])
	}
	split(slices.Clone(wanted))
	return blocks
}

const none = -1

// halve finds the cut by which samples, at least two, fall apart in halves, across
// the side along which they reach further.
func halve(places []point, inside []int) (along func(p point) float64, cut float64) {
	lo, hi := bounds(places, inside)
	along = func(p point) float64 { return p.x }
	if hi.y-lo.y > hi.x-lo.x {
		along = func(p point) float64 { return p.y }
	}
	at := make([]float64, len(inside))
	for i, p := range inside {
		at[i] = along(places[p])
	}
	slices.Sort(at)
	cut = (at[(len(at)-1)/2] + at[len(at)/2]) / 2
	if last := at[len(at)-1]; cut == last { // the upper half has one coordinate
		first, _ := slices.BinarySearch(at, last)
		cut = (at[first-1] + last) / 2
	}
	return along, cut
}

func bounds(places []point, positions []int) (lo, hi point) {
	lo, hi = point{math.Inf(1), math.Inf(1)}, point{math.Inf(-1), math.Inf(-1)}
	for _, p := range positions {
		q := places[p]
		lo = point{min(lo.x, q.x), min(lo.y, q.y)}
		hi = point{max(hi.x, q.x), max(hi.y, q.y)}
	}
	return lo, hi
}

// candidate is a sample outside a block.
type candidate struct {
	sample           int
	distance, centre float64 // squared, from the rectangle, and among equals from its centre
}

func (c *candidate) before(d *candidate) bool {
	if c.distance != d.distance {
		return c.distance < d.distance
	}
	if c.centre != d.centre {
		return c.centre < d.centre
	}
	return c.sample < d.sample
}

// gather finds the samples that a block is predicted from: the closest outside,
// from far to near, and then those inside. at are all samples' places.
func (b *block) gather(places, at []point, sampleAt []int32) {
	lo, hi := bounds(places, b.positions)
	centre := point{(lo.x + hi.x) / 2, (lo.y + hi.y) / 2}
	inside := make([]int, 0, own)
	for _, p := range b.positions {
		if i := sampleAt[p]; i != none {
			inside = append(inside, int(i))
		}
	}
	var list [near]candidate // ascending
	n, room := 0, min(near, len(at))-b.own
	for i, p := range at {
		edge := point{max(lo.x, min(hi.x, p.x)), max(lo.y, min(hi.y, p.y))}
		c := candidate{sample: i, distance: p.distance2(edge)}
		if room == 0 || n == room && c.distance > list[n-1].distance {
			continue
		}
		c.centre = p.distance2(centre)
		if c.distance == 0 && slices.Contains(inside, i) || n == room && list[n-1].before(&c) {
			continue
		}
		j := min(n, room-1)
		for ; j > 0 && c.before(&list[j-1]); j-- {
			list[j] = list[j-1]
		}
		list[j] = c
		n = min(n+1, room)
	}
	b.samples = make([]int, 0, n+b.own)
	for i := range n {
		b.samples = append(b.samples, list[n-1-i].sample)
	}
	b.samples = append(b.samples, inside...)
}
