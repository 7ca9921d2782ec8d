package main

import (
	"bytes"
	"runtime"
	"strings"
	"testing"
)

// The program asks its queries of the example's network, and what it prints is about
// memory that the process had.
func TestExample(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the peak of a process is compared where Linux tells it")
	}
	t.Chdir("../../..")
	var out bytes.Buffer
	if err := run(t.Context(), []string{"-only", "batches of 4", "examples/models/chest.onnx"}, &out, &bytes.Buffer{}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "| chest   | full, batches of 4 |") || !strings.Contains(out.String(), "Error against the resident set") {
		t.Errorf("it prints\n%s", out.String())
	}
}
