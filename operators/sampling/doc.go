// Package sampling estimates heat maps from a part of their positions, and says
// how good the estimate is while it runs. It is mathematics over positions: how a
// position is computed, exactly or not, is the caller's business.
//
//	Next ──▶ positions ──▶ (the caller computes f there) ──▶ Observe ──▶ Estimate
//	  ▲  ╰─▶ Sketches ──▶ (or something like f) ─────────▶ Sketch ──╯       │
//	  └────────────────────────── until Stop, Rough or the time is up ◀─────┘
//
// What is sampled is f, a class's log-odds: unlike the probability p it is nearly
// additive in what a patch hides, and has no ends to saturate at. The map is p.
//
// # Where to sample
//
// How large a stage is follows from what is lacking. Errors' variances fall about as
// the number of samples rises, so the bound of structural similarity, the correlation
// and the overlap say how many are needed; a stage is half of those that are missing,
// but at most as many as there are, and at least a seventh of that. Options.StageCost
// is what a stage costs however small it is, such as reading a network's weights:
// samples of a stage cost at least half as much as that and its checks together, the
// first stage's too. Its positions are of three kinds:
//
//	random   a quarter, at least 12, or 8 beside sketches: uniform among those unseen.
//	         They verify the map that stood before, and they alone do: a network's
//	         strides let lattices miss what lies between
//	wide     each where the nearest sample is farthest away. From the corners on this
//	         halves gaps as nested lattices do, on grids with holes and rims too
//	focused  three tenths: where the error's variance times the squared distance to
//	         the nearest sample is greatest: variance, of which each sample taken
//	         removes its surroundings. They find a lesion's shape, which hardly
//	         moves structural similarity but makes the map's correlation. Where only
//	         the overlap of the top tenth is wanting, the variance of belonging to
//	         it counts three times as much
//
// A stage that only confirms is small, and half of it random. Once the similarity was
// confirmed, and only correlation or overlap are wanting, nothing is random.
//
// # How f is interpolated
//
// By a Gaussian process with a Matérn correlation of ν = 3/2 or 5/2, a nugget (the
// exact map's own roughness, so it is predicted with) and, locally, an unknown
// mean: ordinary kriging (Cressie, "Statistics for Spatial Data", Wiley 1993). If
// a feature T is given, such as f's Taylor expansion, the process is of f - b T, with
// b by generalised least squares, where that predicts samples left out better.
//
// One process over all samples would cost their number cubed. But a Matérn process
// sees little beyond its nearest neighbours, so the grid is cut by a k-d tree into
// blocks of at most 12 samples, each predicted from the 48 closest. All of a block
// follows from the Cholesky factor L of its samples' correlations K: predictions
// of its positions are one triangular solution, and leaving one of its own samples
// out takes a corner of L⁻¹, because they come last. The classes share factors. The
// shape (ν, length, nugget) is the one under which samples left out are the most
// likely, found by steps uphill from the last stage's, on 12 blocks and the 32
// closest samples. With n samples in n/9 blocks and N positions that is about
//
//	n/9 · 48³/6 + N · 48²/2  multiply-adds, and 12 · 32³/6 for every shape tried.
//
// Correlations come from tables, because exponentials would take longer than that.
//
// # Sketches
//
// Where f can also be had cheaply but not quite right, as by cropping what a patch
// changes, Options.SketchCost says how cheaply, and stages have two lists: Next's to
// be computed exactly and Sketches' to be computed cheaply. Positions at random are
// in both, and from the second stage on four more are computed exactly that were
// sketched: where the map moves most, far from each other, because random ones meet
// an object too seldom to tell how far sketches of it are off. These pairs give a
// line from sketches to f, since cropping dampens, and rho, the variance of what is
// left, per unit of the process' local one. Then sketches are used in one of two ways:
//
//	samples  A sketch is a sample with the noise rho beside the nugget. Its position
//	         stays uncertain. That is as good as the share v/(v + rho) of an exact
//	         one, v being the variance of leaving samples out, and is done while the
//	         share exceeds one and a half times the cost, and no more than a seventh
//	         of all positions is needed: errors that sketches have in common show then
//	feature  All positions are sketched, and f is a multiple of that with a process
//	         besides, known from exact positions. This is for rough maps
//
// Sketches of whole maps are worth more than those between which the map is
// interpolated anyway, so they may be finer: WholeCost is theirs, and Whole tells of
// each stage which of the two are meant. When many positions seem to be needed, one
// stage of 24 random positions tries fine sketches. How much of the variance they
// leave says how many exact positions are needed beside a whole map of them. All are
// sketched when two stages find that it takes a fifth less than to go on; one is
// enough where fine sketches were tried and it takes half, or where the map would be
// given up as rough otherwise. Without sketches as samples, random positions are
// sketched finely in each stage, to know if that changes.
//
// The exact values of random positions verify the map as ever, whatever it is made
// of. A caller that has no sketches sees nothing of this.
//
// # What the error is
//
// The scale of the process is local: heat maps are flat but for where the object
// is. With e the leave-one-out error of a sample and v its variance per unit,
// s²(u) is the mean of e²/v around u, weighted by a Gaussian of 0.8 sample spacings,
// with three quarters of a sample's weight on the median. So f at u is normal with
// mean μ and variance s² v(u), and Gauss-Hermite integration gives the mean and
// the variance V of p at once: the map is E[p], not p of E[f], and an error counts
// as much as it moves the probability.
//
// Being a conditional mean, the map A is uncorrelated with its error, so over a
// window with variance s_A² the exact map's is s_A² + V and the covariance s_A².
// Structural similarity, the figure of package quality, is then to be expected as
// the mean over windows of
//
//	 2 s_A² + C2          2 m_A² + C1
//	────────────────  ·  ─────────────────────      C1 = (0.01 R)², C2 = (0.03 R)²
//	2 s_A² + V + C2      2 m_A² + 0.3 V + C1
//
// where R is the range of A and 0.3 the share of errors that a window has in common.
// In the same way pearson² = Var A / (Var A + mean V), nrmse² = mean V / R², and
// top10_overlap is the mean chance of the map's lowest tenth to lie below the
// threshold that a tenth of all positions can be expected below.
//
// # Whether the error is believed
//
// Random positions compare what was predicted with what is. Over those of the
// last two stages, with w the sensitivity of structural similarity to V at a
// position (under the map that is verified),
//
//	c = Σ w e² / Σ w V
//
// multiplies V: as it is, but at least 0.5, for the point estimate; as the 97.5%
// quantile of its bootstrap, but at least 1, for the lower bound. The weights make c
// what structural similarity is about. Without them one sample on a lesion's edge
// decides, though the similarity of few windows depends on it.
//
// The first map, and the first of another kind, has no map before it to verify: its
// stage's random positions verify what all others make of it. Stop waits for two
// consecutive stages whose lower bound reaches the target, because one may do so by
// luck, or for one where it would with three times the variance. That rule was
// measured to keep the target in at least 97% of queries. The bound by itself is no
// confidence bound, for the true similarity was at or above it in 85% of 212 maps;
// and none of this is a proof: what no sample has seen, nobody knows.
//
// A map is rough if two consecutive stages, a tenth of the positions being sampled,
// find that more than three quarters will have to be, or, at a twentieth, that twice
// as many as there are would.
//
// Of a map of sketches Top10Overlap is foreseen a little too well, because what
// their errors have in common does not show in samples left out. 0.03 are taken off,
// which is about what was measured.
//
// # Promises
//
//   - The same seed and observations give the same positions and bits, whatever the
//     number of threads.
//   - Positions observed have their own values in the map, and variance 0.
//   - An interrupted Estimate changes nothing.
package sampling
