package jupyter

import (
	"context"
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// execute runs a cell, and answers those queued behind it if it fails.
func (s *server) execute(ctx context.Context, r *request) {
	asked := struct {
		Code        string            `json:"code"`
		Silent      bool              `json:"silent"`
		Keep        bool              `json:"store_history"`
		Stop        bool              `json:"stop_on_error"`
		Expressions map[string]string `json:"user_expressions"`
	}{Keep: true, Stop: true}
	if err := json.Unmarshal(r.content, &asked); err != nil {
		s.reply(s.sockets.shell, r, "execute_reply", executed{failure: failed(err), Count: s.count})
		return
	}
	keep := asked.Keep && !asked.Silent
	if keep {
		s.count++
	}
	out := NewOutput(s.count, func(kind string, content any) {
		if !asked.Silent {
			s.publish(r, kind, content)
		}
	})
	if !asked.Silent {
		s.publish(r, "execute_input", map[string]any{"code": asked.Code, "execution_count": s.count})
	}
	err := s.run(ctx, Cell{asked.Code, s.count}, out)
	pages := out.end()
	if keep {
		s.remember(s.count, asked.Code)
	}
	if err != nil {
		queued := len(s.queue) // what comes after this knows of the failure
		f := failed(err)
		if !asked.Silent {
			s.publish(r, "error", map[string]any{"ename": f.Name, "evalue": f.Value, "traceback": f.Traceback})
		}
		s.reply(s.sockets.shell, r, "execute_reply", executed{failure: f, Count: s.count})
		if asked.Stop {
			s.abort(ctx, queued)
		}
		return
	}
	payload := make([]any, len(pages))
	for i, p := range pages {
		payload[i] = map[string]any{"source": "page", "data": p, "start": 0}
	}
	values := map[string]any{}
	for name := range asked.Expressions {
		values[name] = failed(fmt.Errorf("there are no expressions in this language"))
	}
	s.reply(s.sockets.shell, r, "execute_reply", map[string]any{
		"status": "ok", "execution_count": s.count, "payload": payload, "user_expressions": values,
	})
}

// executed is the reply to a cell that failed.
type executed struct {
	failure
	Count int `json:"execution_count"`
}

// run runs a cell so that it can be interrupted.
func (s *server) run(ctx context.Context, c Cell, out *Output) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.mu.Lock()
	s.running = cancel
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.running = func() {}
		s.mu.Unlock()
	}()
	var err error
	if defect := safely(func() { err = s.kernel.Execute(ctx, c, out) }); defect != nil {
		return defect
	}
	return err
}

// abort answers what was queued behind a cell that failed, the next n requests: cells
// are not run, all else is answered.
func (s *server) abort(ctx context.Context, n int) {
	for ; n > 0 && ctx.Err() == nil; n-- {
		r := <-s.queue // which nobody else reads
		if r.header.Type != "execute_request" {
			s.answer(ctx, s.sockets.shell, r)
			continue
		}
		s.publish(r, "status", status("busy"))
		s.reply(s.sockets.shell, r, "execute_reply", map[string]any{"status": "aborted", "execution_count": s.count})
		s.publish(r, "status", status("idle"))
	}
}

// place is code with a cursor in it.
type place struct {
	Code   string `json:"code"`
	Cursor int    `json:"cursor_pos"` // in code points
}

// read gives the cursor in bytes.
func (p *place) read(r *request) (cursor int, err error) {
	p.Cursor = -1
	if err := json.Unmarshal(r.content, p); err != nil {
		return 0, err
	}
	if p.Cursor < 0 {
		return len(p.Code), nil
	}
	for range p.Cursor {
		_, n := utf8.DecodeRuneInString(p.Code[cursor:])
		cursor += n // 0 at the end
	}
	return cursor, nil
}

func (s *server) complete(ctx context.Context, r *request) (any, error) {
	var p place
	cursor, err := p.read(r)
	if err != nil {
		return nil, err
	}
	var c Completion
	if err := safely(func() { c = s.kernel.Complete(ctx, p.Code, cursor) }); err != nil {
		return nil, err
	}
	start, end := utf8.RuneCountInString(p.Code[:c.From]), utf8.RuneCountInString(p.Code[:c.To])
	matches, kinds := []string{}, []any{}
	for _, m := range c.Matches {
		matches = append(matches, m.Text)
		kinds = append(kinds, map[string]any{"text": m.Text, "type": m.Kind, "start": start, "end": end})
	}
	return map[string]any{
		"status": "ok", "matches": matches, "cursor_start": start, "cursor_end": end,
		// What IPython calls it; front ends show it beside the word.
		"metadata": map[string]any{"_jupyter_types_experimental": kinds},
	}, nil
}

func (s *server) inspect(ctx context.Context, r *request) (any, error) {
	var p place
	cursor, err := p.read(r)
	if err != nil {
		return nil, err
	}
	var b Bundle
	if err := safely(func() { b = s.kernel.Inspect(ctx, p.Code, cursor) }); err != nil {
		return nil, err
	}
	found := b != nil
	if !found {
		b = Bundle{}
	}
	return map[string]any{"status": "ok", "found": found, "data": b, "metadata": struct{}{}}, nil
}

func (s *server) completeness(r *request) (any, error) {
	var p place
	if _, err := p.read(r); err != nil {
		return nil, err
	}
	reply := map[string]any{}
	err := safely(func() { reply["status"] = s.kernel.Completeness(p.Code) })
	if reply["status"] == Incomplete {
		reply["indent"] = ""
	}
	return reply, err
}
