package onnx

import "fmt"

// order checks that every value is defined once and every input is defined at
// all, and returns the nodes such that definitions come before uses: as they
// are where the file obeys ONNX in this, else sorted. known tells how the
// values are defined that no node makes; the nodes' outputs are added to it.
func order(nodes []*Node, known map[string]string) ([]*Node, error) {
	maker := make(map[string]int, len(nodes))
	for i, n := range nodes {
		for _, out := range n.Outputs {
			if out == "" {
				continue
			}
			if by := known[out]; by != "" {
				return nil, fmt.Errorf("value %q is defined twice: as %s and by %s", out, by, n)
			}
			known[out] = n.String()
			maker[out] = i
		}
	}
	sorted := true
	waits := make([]int, len(nodes))   // inputs not yet made
	users := make([][]int, len(nodes)) // nodes that use an output, once per use
	for i, n := range nodes {
		for _, in := range n.Inputs {
			if in == "" {
				continue
			}
			if known[in] == "" {
				return nil, fmt.Errorf("%s uses %q, which nothing defines", n, in)
			}
			if j, ok := maker[in]; ok {
				waits[i]++
				users[j] = append(users[j], i)
				sorted = sorted && j < i
			}
		}
	}
	if sorted {
		return nodes, nil
	}
	var ready []int
	for i, w := range waits {
		if w == 0 {
			ready = append(ready, i)
		}
	}
	out := make([]*Node, 0, len(nodes))
	for len(ready) > 0 {
		i := ready[0]
		ready = ready[1:]
		out = append(out, nodes[i])
		for _, j := range users[i] {
			if waits[j]--; waits[j] == 0 {
				ready = append(ready, j)
			}
		}
	}
	if len(out) < len(nodes) {
		return nil, fmt.Errorf("the graph has a cycle: %s waits for its own output", onCycle(nodes, waits, maker))
	}
	return out, nil
}

// onCycle finds a node on a cycle among those that still wait: walking from any
// of them to the maker of an input that waits too must come round.
func onCycle(nodes []*Node, waits []int, maker map[string]int) *Node {
	i := 0
	for waits[i] == 0 {
		i++
	}
	seen := map[int]bool{}
	for !seen[i] {
		seen[i] = true
		for _, in := range nodes[i].Inputs {
			if j, ok := maker[in]; ok && waits[j] > 0 {
				i = j
				break
			}
		}
	}
	return nodes[i]
}
