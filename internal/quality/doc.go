// Package quality says how alike two heat maps are: the exact one and one that
// approximates it. It knows neither queries nor models, and reads no files.
//
// # The maps
//
// A [Map] is a grid of positions with the class's probability p at each; NaN is
// "no value", which is what WHERE leaves behind. Only positions with a value in
// both maps are compared, and the grid is first cut to the smallest rectangle
// that holds them all: a map of a part of an image is judged like a smaller map.
//
// # The figures
//
// With e the exact and a the approximate values over the n positions compared,
// and R = max e - min e the exact map's range:
//
//	pearson         the correlation of e and a
//	nrmse           sqrt(mean (a - e)²) / R
//	top10_overlap   of the ⌈n/10⌉ positions where a falls most, the share that
//	                belong to the ⌈n/10⌉ where e falls most
//	ssim            structural similarity, on the grid
//	ssim_krypton    structural similarity of two pictures of the maps
//
// Structural similarity (Wang, Bovik, Sheikh, Simoncelli: "Image Quality
// Assessment: From Error Visibility to Structural Similarity", IEEE Transactions
// on Image Processing 13, 2004) is the mean over square windows of
//
//	 (2 m_e m_a + C1) (2 s_ea + C2)            m    mean in the window
//	──────────────────────────────────         s²   sample variance, s_ea covariance
//	(m_e² + m_a² + C1) (s_e² + s_a² + C2)      C1 = (0.01 L)², C2 = (0.03 L)²
//
// ssim follows scikit-image's structural_similarity as it is called by default:
// uniform windows of 7 by 7, sums divided by n-1, windows that lie wholly in the
// grid, each with the weight 1; L is R, which stands in for its data_range. On
// grids below 7 the window is the largest odd one that fits, and on grids of one
// row or column that window has one position a side and no variance: what is
// left is the first factor.
//
// Where values are missing, a window's moments are those of the values that it
// has, and its weight is their number; a window with one value has variance 0.
// Without gaps that is scikit-image's mean.
//
// ssim_krypton is the figure of Krypton (Nakandala, Kumar, Papakonstantinou,
// SIGMOD 2019): both maps are drawn as its pictures are ([heatmap.Bare] with
// jet_r: p from 0.75 p0 to min(1, 1.25 p0), enlarged bilinearly to the model's
// input), and the SSIM of the two pictures, window 7 and L = 255, is averaged
// over the three channels. It forgives much: a confident class whose
// probability falls by a hundredth is one colour all over. It is therefore
// never called ssim here.
//
// SSIM alone flatters flat maps. A constant map scores around 0.9 against a map
// that is flat but for one lesion; its pearson is 0 and its top10_overlap that of
// chance. Judge by all figures.
//
// # Degenerate maps
//
// Every figure is defined for every pair of maps of one size, and is perfect for
// a map compared with itself:
//
//   - R is at least 1e-6. What differs by less in probability is rounding, and
//     the figures of a constant map then follow from the formulas.
//   - pearson of two constant maps is 1, of one constant map with another 0.
//   - Ties count for the approximation where they are the exact map's, and by
//     chance where they are its own: of ten equal values competing for two
//     places each has a fifth of a place.
//   - Without a position to compare, every figure is NaN.
package quality
