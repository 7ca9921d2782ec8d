package main

import (
	"fmt"
	"math"
)

// query is one way to ask for a heat map, in parts of the network's input so that
// it makes sense for any size.
type query struct {
	name    string
	patch   int // pixels, and no more than half of the input's side
	stride  int
	corner  bool   // positions from the top left corner, not around the middle
	hints   string // in WITH
	free    bool   // the planner chooses the plan
	part    float64
	threads int
}

// queries are all that is asked of a network: patches of 4 to 64 pixels, strides of
// 1 to 16, corners and middles, one and several threads. part is how many of the
// positions that a query should have it has: whole images take longer.
func (s settings) queries() (all []query) {
	kinds := []query{
		{name: "chosen", patch: 4, stride: 8, free: true, part: 1},
		{name: "chosen", patch: 8, stride: 2, free: true, part: 1},
		{name: "chosen", patch: 16, stride: 16, free: true, part: 1},
		{name: "chosen", patch: 16, stride: 1, corner: true, free: true, part: 0.5},
		{name: "chosen", patch: 24, stride: 4, free: true, part: 0.25},
		{name: "chosen", patch: 32, stride: 8, corner: true, free: true, part: 1},
		{name: "chosen", patch: 64, stride: 16, free: true, part: 0.5},
		{name: "full", patch: 16, stride: 16, hints: "plan = 'full'", part: 0.3},
		{name: "drill-down", patch: 16, stride: 4, hints: "drill_down = 0.25, speedup = 3", part: 2},
		{name: "tau", patch: 24, stride: 6, hints: "tau = 0.5", part: 1},
	}
	for i, q := range kinds {
		if q.threads = s.threads[i%len(s.threads)]; q.free || len(s.threads) == 1 {
			all = append(all, q)
			continue
		}
		for _, q.threads = range s.threads {
			all = append(all, q)
		}
	}
	return all
}

// alternatives are hints for what the planner could have chosen instead.
func (q query) alternatives() []string {
	if !q.free {
		return nil
	}
	return []string{
		"plan = 'full'", "plan = 'incremental'", "convolution = 'direct'", "convolution = 'F(2x2)'", "convolution = 'F(4x4)'",
	}
}

// statement asks for the positions of a square that has about as many as wanted.
func (q query) statement(image string, side, positions int, hints string) string {
	patch := min(q.patch, side/2)
	n := max(1, int(math.Sqrt(q.part*float64(positions))))
	span := min((n-1)*q.stride, side-patch)
	from := 0
	if !q.corner {
		from = (side - patch - span) / 2 / q.stride * q.stride
	}
	with := ""
	if hints != "" {
		with = fmt.Sprintf(" WITH (%s)", hints)
	}
	return fmt.Sprintf("OCCLUDE '%s' USING m PATCH %d STRIDE %d WHERE x BETWEEN %d AND %d AND y BETWEEN %d AND %d%s",
		image, patch, q.stride, from, from+span, from, from+span, with)
}
