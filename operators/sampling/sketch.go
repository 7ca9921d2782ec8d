package sampling

import "math"

const (
	// firstRho is what the variance of sketches is before a pair is known, per unit
	// of the process', and leastRho and mostRho bound what pairs say.
	firstRho          = 0.1
	leastRho, mostRho = 1e-4, 100
	// noiseRounds is how often a process is fitted with another noise at most.
	noiseRounds = 3
	// enough is a change of the noise that makes no difference.
	enough = 1.3
)

// makeNoise gives sketches the noise that they have beside the nugget.
func (p *process) makeNoise() {
	for i := p.exact; i < len(p.noise); i++ {
		p.noise[i] = p.rho
	}
}

// listen finds the noise of sketches from pairs, and says whether the process has
// to be fitted again. A pair counts as much as f moves the map there.
func (p *process) listen() bool {
	if len(p.pairs) == 0 {
		return false
	}
	pair := make(map[int]int, len(p.pairs))
	for i, s := range p.pairs {
		pair[s] = i
	}
	rho := leastRho
	for _, c := range p.classes {
		var seen, scale float64
		for _, b := range p.blocks {
			reach := p.reach(b)
			for _, s := range b.samples[len(b.samples)-b.own:] {
				if i, ok := pair[s]; ok {
					weight := square(c.link.slope(c.f[s]))
					seen += weight * square(c.off[i])
					scale += weight * p.scale(c, b, p.at[s], reach)
				}
			}
		}
		if seen > 0 {
			rho = max(rho, min(mostRho, seen/scale))
		}
	}
	before := p.rho
	p.rho = rho
	p.makeNoise()
	return p.exact < len(p.sampled) && math.Abs(math.Log(rho/before)) > math.Log(enough)
}

// scale is the local variance of a class's process.
func (p *process) scale(c *class, b *block, at point, reach float64) float64 {
	sum, weights := priorWeight*c.prior, float64(priorWeight)
	for _, s := range b.samples {
		w := decay.at(at.distance2(p.at[s]) / reach)
		sum += w * c.chi2[s]
		weights += w
	}
	return sum / weights
}
