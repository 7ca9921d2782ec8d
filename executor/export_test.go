package executor

// Machine lets tests store what is found for this machine.
var Machine = machine

// Programs is how many programs of a model are ready.
func (s *Session) Programs(model string) int { return len(s.programs[s.models[model]]) }

// Backwards is how many of the programs that are ready have a backward pass.
func (s *Session) Backwards() (n int) {
	for _, all := range s.programs {
		for _, p := range all {
			if p.backward != nil {
				n++
			}
		}
	}
	return n
}
