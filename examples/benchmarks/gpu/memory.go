package main

import (
	"bufio"
	"context"
	"os/exec"
	"strconv"
	"strings"
)

// memory is what nvidia-smi says of the device's, where it is there: everything that anybody has
// of it, contexts and code included.
type memory struct {
	number string // of the GPU, "" where there is none to ask about
	start  int64  // bytes in use before anything was run
}

func newMemory(ctx context.Context, device string) *memory {
	m := &memory{}
	kind, number, _ := strings.Cut(device, ":")
	if kind != "cuda" {
		return m
	}
	if _, err := exec.LookPath("nvidia-smi"); err == nil {
		m.number = number
		m.start = m.used(ctx)
	}
	return m
}

func (m *memory) command(ctx context.Context, more ...string) *exec.Cmd {
	return exec.CommandContext(ctx, "nvidia-smi", append([]string{"--id=" + m.number, "--query-gpu=memory.used", "--format=csv,noheader,nounits"}, more...)...)
}

// used is how many bytes are in use, 0 where that is unknown.
func (m *memory) used(ctx context.Context) int64 {
	if m.number == "" {
		return 0
	}
	out, err := m.command(ctx).Output()
	if err != nil {
		return 0
	}
	return bytesOf(string(out))
}

// bytesOf reads a number of MiB.
func bytesOf(line string) int64 {
	mib, err := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
	if err != nil {
		return 0
	}
	return mib << 20
}

// during is how many bytes more than now are in use while something is done, at most.
func (m *memory) during(ctx context.Context, do func() error) (int64, error) {
	return m.above(ctx, m.used(ctx), do)
}

// sinceStart is how many bytes more than at the start of the program are in use meanwhile.
func (m *memory) sinceStart(ctx context.Context, do func() error) (int64, error) {
	return m.above(ctx, m.start, do)
}

// above looks ten times a second.
func (m *memory) above(ctx context.Context, before int64, do func() error) (int64, error) {
	if m.number == "" {
		return 0, do()
	}
	ctx, stop := context.WithCancel(ctx)
	cmd := m.command(ctx, "-lms", "100")
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil { // what is done matters more
		stop()
		return 0, do()
	}
	most := int64(0)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			most = max(most, bytesOf(lines.Text()))
		}
	}()
	err = do()
	stop()
	<-ended
	_ = cmd.Wait() // it was stopped
	return max(0, most-before), err
}
