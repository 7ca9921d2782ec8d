// Package peer measures what one would do without Occlude: every occluded image
// is inferred whole, in batches. The programs that do it are told their job in a
// file and print an answer.
package peer

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"occlude/examples/benchmarks/internal/process"
)

// Job is what a peer is told, as a JSON file.
type Job struct {
	Dir       string    `json:"dir"`     // whose node_modules holds ONNX Runtime
	Model     string    `json:"model"`   // the .onnx file
	Network   string    `json:"network"` // its name, torchvision's
	Image     string    `json:"image"`   // file of float32, channels first, normalised
	Shape     [3]int    `json:"shape"`   // channels, height, width
	Fill      []float32 `json:"fill"`    // of the patch, normalised, one per channel
	Patch     int       `json:"patch"`
	Positions [][2]int  `json:"positions"` // left, top
	Batch     int       `json:"batch"`
	Threads   int       `json:"threads"`
	Softmax   bool      `json:"softmax"` // the scores are logits
}

// Answer is what a peer prints.
type Answer struct {
	Version string    `json:"version"`
	Seconds []float64 `json:"seconds"` // for an image, batch by batch
	Class   int       `json:"class"`   // the likeliest on the whole image
	P       []float64 `json:"p"`       // its probability at each position
	Peak    int64     `json:"-"`       // the most memory in use, bytes
}

// ErrMissing tells that a peer is not there.
var ErrMissing = errors.New("not installed")

//go:embed naive.mjs
var naive []byte

// ONNXRuntime gives a job to ONNX Runtime for Node.js. The folder holds files for
// a while. The error is ErrMissing where there is no Node.js, or no ONNX Runtime
// in the job's folder.
func ONNXRuntime(ctx context.Context, folder string, job Job) (Answer, error) {
	_, err := exec.LookPath("node")
	if _, missing := os.Stat(filepath.Join(job.Dir, "node_modules", "onnxruntime-node")); err != nil || missing != nil {
		return Answer{}, ErrMissing
	}
	program := filepath.Join(folder, "naive.mjs")
	if err := os.WriteFile(program, naive, 0o600); err != nil {
		return Answer{}, err
	}
	a, err := Ask(ctx, folder, "node", program, job)
	if err == nil && len(a.P) != len(job.Positions) {
		err = fmt.Errorf("%d answers for %d positions", len(a.P), len(job.Positions))
	}
	return a, err
}

// Ask gives a program its job.
func Ask(ctx context.Context, folder, interpreter, program string, job Job) (a Answer, err error) {
	for _, file := range []*string{&job.Dir, &job.Model} {
		if *file, err = filepath.Abs(*file); err != nil {
			return a, err
		}
	}
	text, err := json.Marshal(job)
	if err != nil {
		return a, err
	}
	file := filepath.Join(folder, "job.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return a, err
	}
	out, peak, err := process.Run(ctx, interpreter, program, file)
	if err != nil {
		return a, err
	}
	if err := json.Unmarshal(out, &a); err != nil || len(a.Seconds) == 0 {
		return a, fmt.Errorf("%s printed %q", program, out)
	}
	a.Peak = peak
	return a, nil
}
