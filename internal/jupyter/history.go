package jupyter

import (
	"encoding/json"
	"path"
	"slices"
)

// Past is what was typed in other sessions; it is asked by one goroutine.
type Past interface {
	// Entries are the cells of earlier sessions, the oldest first.
	Entries() ([]string, error)
	// Add keeps a cell for later ones.
	Add(code string) error
}

// history is the cells of this session, behind those of earlier ones.
type history struct {
	past  []remembered
	cells []remembered
}

type remembered struct {
	session int
	count   int // from 1
	code    string
}

// Sessions have numbers; a request also says 0 for the present one, -1 for the one
// before it. All that was typed before counts as one.
const (
	earlierSession = 1
	thisSession    = 2
)

// longest is how many cells of a session are remembered.
const longest = 10_000

func (h *history) add(count int, code string) {
	h.cells = append(h.cells, remembered{thisSession, count, code})
	if n := len(h.cells) - longest; n > 0 {
		h.cells = slices.Delete(h.cells, 0, n)
	}
}

// sought is what a history request asks for.
type sought struct {
	Kind    string `json:"hist_access_type"`
	Output  bool   `json:"output"`
	N       int    `json:"n"`       // of tail and search: the last n; 0 is all
	Session int    `json:"session"` // of range
	Start   int    `json:"start"`   // from this cell
	Stop    *int   `json:"stop"`    // to before this one
	Pattern string `json:"pattern"` // of search, with * and ?
	Unique  bool   `json:"unique"`
}

// find returns cells from the oldest to the latest.
func (h *history) find(q sought) []remembered {
	session := q.Session
	if session <= 0 {
		session += thisSession
	}
	var found []remembered
	for _, c := range slices.Concat(h.past, h.cells) {
		switch q.Kind {
		case "range":
			if c.session != session || c.count < q.Start || q.Stop != nil && c.count >= *q.Stop {
				continue
			}
		case "search":
			if !matches(q.Pattern, c.code) {
				continue
			}
		}
		found = append(found, c)
	}
	if q.Kind == "search" && q.Unique {
		found = unique(found)
	}
	if n := len(found) - q.N; q.Kind != "range" && q.N > 0 && n > 0 {
		found = found[n:]
	}
	return found
}

// unique leaves the latest of equal cells.
func unique(cells []remembered) []remembered {
	seen := map[string]bool{}
	var left []remembered
	for _, c := range slices.Backward(cells) {
		if !seen[c.code] {
			seen[c.code] = true
			left = append(left, c)
		}
	}
	slices.Reverse(left)
	return left
}

// matches compares a text with a pattern; "" fits everything.
func matches(pattern, text string) bool {
	if pattern == "" {
		return true
	}
	// path.Match stops a * at slashes, of which texts here have many.
	hide := func(s string) string {
		out := []byte(s)
		for i, b := range out {
			if b == '/' {
				out[i] = 0
			}
		}
		return string(out)
	}
	ok, err := path.Match(hide(pattern), hide(text))
	return ok && err == nil
}

// remember keeps a cell, here and for later sessions.
func (s *server) remember(count int, code string) {
	s.readPast() // while this session is no part of it
	s.history.add(count, code)
	if s.past != nil {
		s.forgoPast(s.past.Add(code))
	}
}

// readPast reads what was typed before, once.
func (s *server) readPast() {
	if s.pastRead || s.past == nil {
		return
	}
	s.pastRead = true
	entries, err := s.past.Entries()
	for i, code := range entries {
		s.history.past = append(s.history.past, remembered{earlierSession, i + 1, code})
	}
	s.forgoPast(err)
}

// forgoPast goes on without the past where there is something wrong with it, which is
// told once.
func (s *server) forgoPast(err error) {
	if err != nil {
		s.past = nil
		s.log.Printf("the history of this session is not kept: %v", err)
	}
}

func (s *server) recall(r *request) (any, error) {
	var q sought
	if err := json.Unmarshal(r.content, &q); err != nil {
		return nil, err
	}
	s.readPast()
	rows := [][3]any{}
	for _, c := range s.history.find(q) {
		var cell any = c.code
		if q.Output {
			cell = [2]any{c.code, nil} // outputs are the front end's to keep
		}
		rows = append(rows, [3]any{c.session, c.count, cell})
	}
	return map[string]any{"status": "ok", "history": rows}, nil
}
