package jupyter

import (
	"encoding/json"
	"path"
	"slices"
)

// history is the cells of this session.
type history struct{ cells []remembered }

type remembered struct {
	count int
	code  string
}

// longest is how many cells are remembered.
const longest = 10_000

func (h *history) add(count int, code string) {
	h.cells = append(h.cells, remembered{count, code})
	if n := len(h.cells) - longest; n > 0 {
		h.cells = slices.Delete(h.cells, 0, n)
	}
}

// sought is what a history request asks for.
type sought struct {
	Kind    string `json:"hist_access_type"`
	Output  bool   `json:"output"`
	N       int    `json:"n"`       // of tail and search: the last n; 0 is all
	Start   int    `json:"start"`   // of range: from this cell
	Stop    *int   `json:"stop"`    // to before this one
	Pattern string `json:"pattern"` // of search, with * and ?
	Unique  bool   `json:"unique"`
}

// find returns cells from the oldest to the latest.
func (h *history) find(q sought) []remembered {
	var found []remembered
	for _, c := range h.cells {
		switch q.Kind {
		case "range":
			if c.count < q.Start || q.Stop != nil && c.count >= *q.Stop {
				continue
			}
		case "search":
			if !matches(q.Pattern, c.code) {
				continue
			}
			if q.Unique { // the latest counts
				found = slices.DeleteFunc(found, func(f remembered) bool { return f.code == c.code })
			}
		}
		found = append(found, c)
	}
	if n := len(found) - q.N; q.Kind != "range" && q.N > 0 && n > 0 {
		found = found[n:]
	}
	return found
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

// sessionNumber is the one session that is remembered.
const sessionNumber = 0

func (s *server) recall(r *request) (any, error) {
	var q sought
	if err := json.Unmarshal(r.content, &q); err != nil {
		return nil, err
	}
	rows := [][3]any{}
	for _, c := range s.history.find(q) {
		var cell any = c.code
		if q.Output {
			cell = [2]any{c.code, nil} // outputs are the front end's to keep
		}
		rows = append(rows, [3]any{sessionNumber, c.count, cell})
	}
	return map[string]any{"status": "ok", "history": rows}, nil
}
