package executor

// Machine lets tests store what is found for this machine.
var Machine = machine

// Programs is how many programs of a model are ready.
func (s *Session) Programs(model string) int { return len(s.programs[s.models[model]]) }
