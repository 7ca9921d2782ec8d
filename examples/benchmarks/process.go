package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"
)

// process runs a program to its end: what it printed, and the most memory that
// it had in use (0 where the system does not tell).
func process(ctx context.Context, name string, args ...string) (stdout []byte, peak int64, err error) {
	var out, complaints bytes.Buffer
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdout, cmd.Stderr = &out, &complaints
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return nil, 0, context.Cause(ctx)
		}
		lines := strings.Split(strings.TrimSpace(complaints.String()), "\n")
		return nil, 0, fmt.Errorf("%s: %w: %s", name, err, strings.Join(lines[max(0, len(lines)-5):], "\n"))
	}
	return out.Bytes(), peakMemory(cmd.ProcessState), nil
}
