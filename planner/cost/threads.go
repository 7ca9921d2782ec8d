package cost

import (
	"maps"

	"occlude/internal/network"
)

// Use is what rates are wanted for.
type Use struct {
	Kernels string // the set
	Threads int    // that work at the same time
	Cores   int    // of the machine, 0 for one for each thread
	// Net is the network at hand, Hash that of its file: what was measured of another
	// does not count.
	Net  *network.Network
	Hash string
}

// busy is the share of the cores, one of them apart, that work: 0 for one thread, 1
// for as many as there are cores.
func (p *Profile) busy(u Use) float64 {
	cores := u.Cores
	if cores == 0 {
		cores = max(p.Cores, u.Threads)
	}
	if u.Threads <= 1 || cores <= 1 {
		return 0
	}
	return min(1, float64(u.Threads-1)/float64(cores-1))
}

// Rates are those of each of a number of threads at work. Two cores share memory, and
// often heat and caches: what a thread takes for a constant's unit lies between what
// it takes alone and what it takes while all cores work, in proportion to the cores
// that do.
func (p *Profile) Rates(u Use) (*Rates, error) {
	alone, err := p.For(u.Kernels)
	if err != nil {
		return nil, err
	}
	share := p.busy(u)
	r := alone.toward(p.Busy[u.Kernels], share)
	if p.Own != nil && u.Net != nil && u.Hash == p.Hash && p.Own.fits(u.Net) {
		r.own = p.Own.on(u.Net, share)
	}
	return r, nil
}

// Of is the spread of estimates for a model.
func (p *Profile) Of(hash string) Spread {
	s := p.SpreadOther
	if p.Hash == hash && p.Own != nil {
		s = p.Spread
	}
	if s == (Spread{}) {
		return unknown
	}
	return s
}

// toward is a copy whose times are between those of two rates.
func (r *Rates) toward(other *Rates, share float64) *Rates {
	c := *r
	c.MACs, c.Steps = maps.Clone(r.MACs), maps.Clone(r.Steps)
	if other == nil || share == 0 {
		return &c
	}
	rate := func(a, b float64) float64 { return 1 / ((1-share)/a + share/b) }
	for class := range c.MACs {
		c.MACs[class] = rate(r.MACs[class], other.MACs[class])
	}
	for class := range c.Steps {
		c.Steps[class] = rate(r.Steps[class], other.Steps[class])
	}
	c.Gather, c.Weights = rate(r.Gather, other.Gather), rate(r.Weights, other.Weights)
	if c.Fresh > 0 && other.Fresh > 0 {
		c.Fresh = rate(r.Fresh, other.Fresh)
	}
	c.PerRun += share * (other.PerRun - r.PerRun)
	c.PerGroup += share * (other.PerGroup - r.PerGroup)
	return &c
}

// FreshSeconds is how long memory takes to come from the system, for all threads
// together.
func (r *Rates) FreshSeconds(bytes int64) float64 {
	if r.Fresh == 0 {
		return 0
	}
	return float64(max(0, bytes)) / r.Fresh
}
