// Package process runs programs and says what they took.
package process

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
)

// Run runs a program to its end: what it printed, and the most memory that it
// had in use, in bytes (0 where the system does not tell).
func Run(ctx context.Context, name string, args ...string) (stdout []byte, peak int64, err error) {
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

// Occlude builds the program of this project in a folder, and says where it is.
func Occlude(ctx context.Context, folder string) (binary string, err error) {
	binary = filepath.Join(folder, "occlude")
	if _, _, err := Run(ctx, "go", "build", "-o", binary, "occlude"); err != nil {
		return "", fmt.Errorf("building Occlude: %w", err)
	}
	return binary, nil
}
