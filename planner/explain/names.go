package explain

import "strings"

// layerNames makes names of layers short enough for a table. Exporters spell
// out the path to a node, each step repeating the one before, and end it with
// the operator, which has a column of its own:
//
//	/features/features.1/features.1.0/block/block.0/block.0.0/Conv
//	          becomes     features.1.0             /block.0.0
//
// Where dropping the operator would give two layers the same name, it stays.
func layerNames(full []string) []string {
	short := make([]string, len(full))
	times := map[string]int{}
	for i, n := range full {
		short[i] = layerName(n)
		times[short[i]]++
	}
	for i, n := range full {
		if times[short[i]] > 1 {
			short[i] = oneLine(strings.Join(steps(n), "/"))
		}
	}
	return short
}

// layerName is the short name of one layer, which others may have as well.
func layerName(full string) string { return oneLine(withoutOperator(steps(full))) }

// steps is a path without the steps that the next one repeats.
func steps(name string) []string {
	all := strings.Split(strings.Trim(name, "/"), "/")
	kept := all[:0:0]
	for i, s := range all {
		if i+1 < len(all) && strings.HasPrefix(all[i+1], s+".") {
			continue
		}
		kept = append(kept, s)
	}
	return kept
}

// withoutOperator drops the last step when it is an ONNX operator by its looks,
// a word with a capital.
func withoutOperator(steps []string) string {
	if n := len(steps); n > 1 {
		if last := steps[n-1]; last != "" && last[0] >= 'A' && last[0] <= 'Z' {
			steps = steps[:n-1]
		}
	}
	return strings.Join(steps, "/")
}
