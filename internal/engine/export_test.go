package engine

// Substitute lets tests see a text with its variables filled in.
func (e *Engine) Substitute(t Text) (string, error) { return e.substitute(t) }
