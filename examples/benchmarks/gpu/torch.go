package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
)

// torch is naive.py, one process for all networks, because PyTorch takes seconds to start.
type torch struct {
	python, program, device string
	version                 string // of PyTorch, once it has started
	running                 *server
}

// server is a process that answers.
type server struct {
	cmd        *exec.Cmd
	to         io.WriteCloser
	from       *bufio.Reader
	complaints bytes.Buffer
}

// job is what naive.py is asked.
type job struct {
	Network   string     `json:"network"`
	Side      int        `json:"side"`
	Mode      string     `json:"mode"` // float32, tf32, float64
	Image     string     `json:"image"`
	Mean      float64    `json:"mean"`
	Std       float64    `json:"std"`
	Fill      float64    `json:"fill"` // a pixel's value
	Patch     int        `json:"patch"`
	Stride    int        `json:"stride"`
	Batch     int        `json:"batch"`
	Runs      int        `json:"runs"`
	Positions []position `json:"positions,omitempty"` // nil for the whole grid
}

func (b *bench) job(n *result, mode string, at []position) job {
	j := job{n.Network, n.Side, mode, b.image(n), mean, std, gray, b.patch, b.stride, b.batch, b.runs, at}
	if mode == "float64" { // values of twice the size; nobody looks at the time
		j.Batch, j.Runs = min(b.batch, 32), 1
	}
	return j
}

// naive is what it answers.
type naive struct {
	Version   string
	Error     string
	Class     int
	P         []float64
	Positions []position
	Seconds   []float64
	Allocated int64 // bytes at most, by PyTorch's own count
	Reserved  int64 // with what it keeps for later
}

func (a naive) heatMap() heatMap {
	h := heatMap{class: a.Class, p: map[position]float64{}}
	for i, at := range a.Positions {
		h.p[at] = a.P[i]
	}
	return h
}

// missing tells whether PyTorch is to be done without.
func (t *torch) missing() bool { return t.python == "" }

// ask has it do a job. A process that ends, or does not answer in time, is replaced at the next.
func (t *torch) ask(ctx context.Context, j job) (a naive, err error) {
	if t.running == nil {
		if err := t.start(); err != nil {
			return a, err
		}
	}
	s := t.running
	stop := context.AfterFunc(ctx, func() { _ = s.cmd.Process.Kill() })
	defer stop()
	if t.version == "" {
		if a, err = s.read(); err != nil {
			return a, t.ended(ctx, err)
		}
		t.version = a.Version
	}
	line, err := json.Marshal(j)
	if err != nil {
		return a, err
	}
	if _, err := s.to.Write(append(line, '\n')); err != nil {
		return a, t.ended(ctx, err)
	}
	if a, err = s.read(); err != nil {
		return a, t.ended(ctx, err)
	}
	if a.Error != "" {
		return a, errors.New(a.Error)
	}
	if len(a.Positions) != len(a.P) || len(a.Seconds) == 0 {
		return a, fmt.Errorf("%d probabilities of %d positions, %d times", len(a.P), len(a.Positions), len(a.Seconds))
	}
	return a, nil
}

func (t *torch) start() (err error) {
	s := &server{cmd: exec.Command(t.python, t.program, t.device)}
	if s.to, err = s.cmd.StdinPipe(); err != nil {
		return err
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	s.from, s.cmd.Stderr = bufio.NewReader(out), &s.complaints
	if err := s.cmd.Start(); err != nil {
		return err
	}
	t.running, t.version = s, ""
	return nil
}

// read reads a line.
func (s *server) read() (a naive, err error) {
	line, err := s.from.ReadBytes('\n')
	if err != nil {
		return a, err
	}
	return a, json.Unmarshal(line, &a)
}

// ended lets go of the process, and says what it complained of last.
func (t *torch) ended(ctx context.Context, err error) error {
	said := t.close()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return fmt.Errorf("%s %s: %w: %s", t.python, t.program, err, said)
}

// close ends the process, if there is one.
func (t *torch) close() (complaint string) {
	s := t.running
	if s == nil {
		return ""
	}
	t.running = nil
	_ = s.to.Close() // which it waits for, or has ended
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
	lines := strings.Split(strings.TrimSpace(s.complaints.String()), "\n")
	return lines[len(lines)-1]
}
