package complete

import "occlude/executor"

// Of makes a source of a session.
func Of(s *executor.Session) Source { return session{s} }

type session struct{ *executor.Session }

// Models implements Source.
func (s session) Models() []string {
	var all []string
	for _, m := range s.Session.Models() {
		all = append(all, m.Name)
	}
	return all
}

// Labels implements Source.
func (s session) Labels(model string) []string {
	if m, ok := s.Lookup(model); ok {
		return m.Labels
	}
	return nil
}
