// Package process runs programs, the benchmarks among them, and says what they took.
package process

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
)

// Main runs a program until it ends or is interrupted, and exits with what it
// comes to: 2 where its flags are wrong or help was asked for, 1 after an error.
func Main(name string, run func(ctx context.Context, args []string, stdout, stderr io.Writer) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	switch err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	case err != nil:
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
}

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

// Query has a binary of Occlude run statements, and decodes the one JSON value that they
// print. It tells the most memory that they had in use, in bytes.
func Query(ctx context.Context, binary, statements string, into any) (peak int64, err error) {
	out, peak, err := Run(ctx, binary, "--format", "json", "--no-progress", "-c", statements)
	if err != nil {
		return 0, err
	}
	if err := json.NewDecoder(bytes.NewReader(out)).Decode(into); err != nil {
		return 0, fmt.Errorf("%s printed no JSON: %w", binary, err)
	}
	return peak, nil
}

// Occlude builds the program of this project in a folder, and says where it is.
func Occlude(ctx context.Context, folder string) (binary string, err error) {
	binary = filepath.Join(folder, "occlude")
	if _, _, err := Run(ctx, "go", "build", "-o", binary, "occlude"); err != nil {
		return "", fmt.Errorf("building Occlude: %w", err)
	}
	return binary, nil
}
