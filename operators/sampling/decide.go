package sampling

const (
	// seriousFrom is the share of positions at which it is known whether many are needed.
	seriousFrom = 0.05
	// many is the share of all positions above which sketches are no samples.
	many = 0.15
	// worth is by how much what a sketch tells must exceed its cost.
	worth = 1.5
	// cheaper is the share of the cost of going on that sketching all positions may
	// have, and clearly the share at which one finding is enough.
	cheaper, clearly = 0.8, 0.5
)

// decide says what sketches are to be used for from now on.
func (e *Estimator) decide(r *Result) {
	cost := e.options.SketchCost
	// A sample with the noise rho tells of its surroundings as much as a share of an
	// exact one. Where many are needed, errors that sketches have in common show.
	share := e.alone / (e.alone + e.rho)
	late := float64(e.data()) >= seriousFrom*float64(r.Wanted)
	lots := late && float64(r.Needed) > many*float64(r.Wanted)
	e.vain = following(e.vain, share < worth*cost || lots)
	each := 1.0 // what a sample as good as an exact one takes
	if e.use == samples && e.vain < passes {
		each = min(each, cost/share)
	}
	without := each * float64(r.Needed-e.data())
	if r.Rough {
		without = float64(r.Wanted - r.Samples)
	}
	with := e.options.WholeCost*float64(r.Wanted-r.Whole) + float64(r.NeededSketched-r.Samples)
	e.dearer = following(e.dearer, (late || e.whole) && e.finely() && r.NeededSketched > 0 && with < cheaper*without)
	e.probed = e.probed || e.whole
	e.probe = e.finely() && (e.use == nothing || lots && !e.probed)
	switch {
	case e.dearer >= passes || e.dearer > 0 && (r.Rough || e.whole && with < clearly*without):
		e.use, e.probe, r.Rough = feature, false, false
	case e.probe && e.use == samples:
		r.Rough = false
	case e.use == samples && (e.vain >= passes || e.data() == r.Wanted):
		e.use, e.probe = nothing, e.finely()
	}
}

// finely tells whether sketching whole maps may pay.
func (e *Estimator) finely() bool { return e.options.WholeCost > 0 && e.options.WholeCost < 1 }
