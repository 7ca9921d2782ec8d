// Package chart draws charts for a page. It knows nothing of what is measured; a [Bars]
// and a [Curves] are plain data, and the same one gives the same bytes every time.
//
// # Bars
//
// One quantity of several things, side by side:
//
//	          |         |         |
//	full      |████████████████├─┤|  ◇  1.20 s
//	incremental *  |██├┤◇ 0.31 s · 3.9x
//	          0        0.5       1.0
//	                seconds
//
// A bar begins at zero, so that lengths compare as the numbers do; a line at its end
// spans the least and the greatest that was found, and a diamond marks a number to
// compare with. What stands behind each bar says it in words, for a bar may be too
// short to be seen beside another.
//
// # Curves
//
// One quantity along a share from 0 to 1, in panels on one scale. What matters is a thick
// line with the area under it tinted, for the area is often what is asked; dashed is what
// to compare it with, and thin what it is the mean of.
package chart
