package explain

import (
	"fmt"
	"strings"

	"occlude/planner"
)

// Memory is what is held when the most is, in bytes, by what it is for.
type Memory struct {
	Weights   int64 `json:"weights"` // of the model, as they were read and as they were rewritten
	Packed    int64 `json:"packed"`  // weights in the order in which kernels read them
	Views     int64 `json:"views"`
	Gradients int64 `json:"gradients,omitempty"` // of the backward pass
	Workers   int64 `json:"workers"`             // patches, updates and scratch of all of them
	Results   int64 `json:"results"`             // the image, the positions and what is known of each
	Others    int64 `json:"others,omitempty"`    // the session's other models
	Process   int64 `json:"process"`             // code and the runtime
}

func memoryOf(m planner.Memory) Memory {
	return Memory{m.Weights, m.Packed, m.Views, m.Gradients, m.Workers, m.Results, m.Others, m.Process}
}

// facts say what the memory is for, beside what was held where that is known.
func (r *Report) memoryFacts(f *facts) {
	e := r.Candidates[0].Estimate
	text := "at most " + planner.FormatBytes(e.PeakBytes) + " held at once: " + e.Memory.String()
	if limit := r.Plan.MemoryLimit; limit > 0 {
		text += fmt.Sprintf("; memory_limit %s", planner.FormatBytes(limit))
		if p := r.Plan; p.GPU == nil && p.Threads < p.ThreadsAllowed { // a GPU's workers are bounded by its own memory
			text += fmt.Sprintf(", into which %d of %s fit", p.Threads, planner.Counted(p.ThreadsAllowed, "thread"))
		}
	}
	f.add("Memory", "%s", text)
	if a := r.Actual; a != nil {
		f.add("Held", "%s: %s", planner.FormatBytes(a.PeakBytes), a.Memory)
		if d := a.Device; d != nil {
			f.add("Did", "%s", d)
		}
	}
}

// String lists the parts, the largest ones first as they usually are.
func (m Memory) String() string {
	var parts []string
	for _, p := range []struct {
		name  string
		bytes int64
	}{
		{"weights", m.Weights}, {"packed", m.Packed}, {"views", m.Views}, {"gradients", m.Gradients}, {"workers", m.Workers},
		{"results", m.Results}, {"other models", m.Others}, {"process", m.Process},
	} {
		if p.bytes > 0 {
			parts = append(parts, p.name+" "+planner.FormatBytes(p.bytes))
		}
	}
	return strings.Join(parts, ", ")
}
