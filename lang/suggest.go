package lang

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// DidYouMean returns a hint such as "did you mean USING?" that names the
// candidate most like word, or "" if none is like it. Case does not count;
// the candidate is named as it is given.
func DidYouMean(word string, candidates []string) string {
	if best := nearest(word, candidates); best != "" {
		return fmt.Sprintf("did you mean %s?", best)
	}
	return ""
}

// nearest returns the candidate with the least edit distance to word, the
// first of equals, or "" if none is near: a third of the letters may differ,
// and one of two never.
func nearest(word string, candidates []string) string {
	const longest = 64 // nobody misspells a megabyte
	if len(word) > 4*longest || utf8.RuneCountInString(word) > longest {
		return ""
	}
	folded := strings.ToLower(word)
	type scored struct {
		name     string
		distance int
	}
	var near []scored
	for _, c := range candidates {
		if utf8.RuneCountInString(c) > longest {
			continue
		}
		d := distance(folded, strings.ToLower(c))
		letters := max(utf8.RuneCountInString(word), utf8.RuneCountInString(c))
		if d <= letters/3 {
			near = append(near, scored{c, d})
		}
	}
	if len(near) == 0 {
		return ""
	}
	return slices.MinFunc(near, func(a, b scored) int { return cmp.Compare(a.distance, b.distance) }).name
}

// distance is the number of letters to insert, delete, change or swap with
// their neighbour to get from a to b (optimal string alignment).
func distance(a, b string) int {
	s, t := []rune(a), []rune(b)
	before := make([]int, len(t)+1) // the row of i-2, i-1 and i
	above := make([]int, len(t)+1)
	row := make([]int, len(t)+1)
	for j := range above {
		above[j] = j
	}
	for i := 1; i <= len(s); i++ {
		row[0] = i
		for j := 1; j <= len(t); j++ {
			change := 1
			if s[i-1] == t[j-1] {
				change = 0
			}
			row[j] = min(above[j]+1, row[j-1]+1, above[j-1]+change)
			if i > 1 && j > 1 && s[i-1] == t[j-2] && s[i-2] == t[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, above, row = above, row, before
	}
	return above[len(t)]
}
