package executor

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"occlude/internal/memory"
	"occlude/internal/model"
	"occlude/internal/settings"
	"occlude/planner"
)

// What a query has made ready stays for those after it: programs, that is networks with
// packed weights (program.go), and what an image looks like to one (views.go). Views belong
// to the program that made them, and go with it.

// usage tells how often something that is kept was used.
type usage struct {
	uses int
	last time.Time
	at   int // the last of the session's uses that was of this
}

func (s *Session) use(u *usage) {
	s.uses++
	u.uses, u.at, u.last = u.uses+1, s.uses, time.Now()
}

// kept is something that is kept for other queries.
type kept struct {
	of      *model.Model
	program *program // whose it is
	seen    *seen    // nil for the program itself
}

func (k kept) usage() *usage {
	if k.seen != nil {
		return &k.seen.usage
	}
	return &k.program.usage
}

func (k kept) arrays() [][]float32 {
	if k.seen != nil {
		return k.seen.arrays()
	}
	return append(k.program.net.Arrays(), k.program.arrays()...)
}

// deviceBytes is what it takes of a GPU's memory.
func (k kept) deviceBytes() int64 {
	if k.seen != nil {
		return residentBytes(k.seen.views)
	}
	return k.program.deviceBytes()
}

// latest is all that is kept, what was used last first.
func (s *Session) latest() []kept {
	var all []kept
	for m, programs := range s.programs {
		for _, p := range programs {
			all = append(all, kept{of: m, program: p})
		}
	}
	for _, v := range s.seen {
		all = append(all, kept{v.model, v.by, v})
	}
	slices.SortFunc(all, func(a, b kept) int { return cmp.Compare(b.usage().at, a.usage().at) })
	return all
}

// makeRoom lets go of what was made ready for other plans, as far as it does not fit
// beside the plan that is to run, on an image that was seen before or not: into the memory
// limit, and into the memory of the plan's GPU. What was used the longest ago goes first.
func (s *Session) makeRoom(p *planner.Occlude, image *seen) {
	own := s.own(p)
	others := func(left int64, bytes func(kept) int64) {
		for _, k := range s.latest() {
			if k.seen == nil && k.program == own || k.seen != nil && k.seen == image {
				continue
			}
			if n := bytes(k); n > 0 {
				if left -= n; left < 0 {
					s.drop(k)
				}
			}
		}
		s.dropViews(s.unmade)
	}
	if p.MemoryLimit > 0 {
		known, _ := s.held(p, own)
		if image != nil {
			known.Add(image.arrays()...)
		}
		others(p.MemoryLimit-p.Chosen().Estimate.PeakBytes, func(k kept) int64 { return known.Add(k.arrays()...) })
	}
	if left, ok := s.deviceRoom(p); ok {
		others(left, func(k kept) int64 {
			if k.program.device != p.Chosen().Device.Name {
				return 0
			}
			return k.deviceBytes()
		})
	}
}

// drop lets go of something that is kept.
func (s *Session) drop(k kept) {
	if k.seen != nil {
		s.dropViews(func(v *seen) bool { return v == k.seen })
		return
	}
	s.programs[k.of] = slices.DeleteFunc(s.programs[k.of], func(p *program) bool { return p == k.program })
}

// showCache lists what is kept, views first, then what was used last.
func (s *Session) showCache() *Relation {
	r := &Relation{Columns: []string{"kind", "model", "image", "convolutions", "device", "bytes", "device_bytes", "uses", "last_used"}}
	var known memory.Arrays
	var weights [][]any
	for _, k := range s.latest() {
		u := k.usage()
		row := []any{"views", k.of.Name, nil, convolutions(k.program.algorithms), k.program.device, 0, int(k.deviceBytes()), u.uses, planner.FormatAge(time.Since(u.last))}
		if k.seen != nil {
			row[2], row[5] = k.seen.image, int(k.seen.bytes)
			r.Rows = append(r.Rows, row)
			continue
		}
		row[0], row[5] = "weights", int(known.Add(k.program.arrays()...)) // what programs share counts for one
		weights = append(weights, row)
	}
	r.Rows = append(r.Rows, weights...)
	return r
}

// clearCache lets go of all that is kept, and says how much that was.
func (s *Session) clearCache() Message {
	var known memory.Arrays
	var views, weights int64
	on := map[string]int64{} // bytes of GPUs
	for _, k := range s.latest() {
		if name := k.program.device; name != settings.DeviceCPU {
			on[name] += k.deviceBytes()
		}
	}
	programs := 0
	for _, all := range s.programs {
		programs += len(all)
		for _, p := range all {
			weights += known.Add(p.arrays()...)
		}
	}
	images := len(s.seen)
	for _, v := range s.seen {
		views += v.bytes
	}
	clear(s.programs)
	s.dropViews(s.unmade)
	s.collect(slices.Sorted(maps.Keys(on)))
	if images+programs == 0 {
		return Message{"CLEAR CACHE: nothing was kept"}
	}
	text := fmt.Sprintf("CLEAR CACHE: %s of views (%s), the packed weights of %s (%s)",
		planner.Counted(images, "set"), planner.FormatBytes(views), planner.Counted(programs, "program"), planner.FormatBytes(weights))
	for _, name := range slices.Sorted(maps.Keys(on)) {
		text += fmt.Sprintf(", %s on %s", planner.FormatBytes(on[name]), name)
	}
	return Message{text}
}
