package repl

import (
	"fmt"
	"io"
	"path/filepath"

	"occlude/executor"
	"occlude/internal/atomicfile"
	"occlude/internal/npy"
)

// keep writes a heat map's array where other programs find it, and names it in the
// summary.
func (p *Printer) keep(h *executor.HeatMap, s *Summary) error {
	if p.Arrays == "" {
		return nil
	}
	p.kept++
	s.Array = filepath.Join(p.Arrays, fmt.Sprintf("%d.npy", p.kept))
	return atomicfile.Write(s.Array, func(w io.Writer) error { return npy.Write(w, h.Array()) })
}
