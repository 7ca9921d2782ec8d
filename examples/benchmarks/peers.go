package main

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

//go:embed naive.mjs naive.py networks.py
var programs embed.FS

// peers runs the programs that do naive occlusion.
type peers struct {
	settings
	scratch string // holds the programs
}

func newPeers(s settings, scratch string) (*peers, error) {
	p := &peers{settings: s, scratch: scratch}
	if err := os.CopyFS(scratch, programs); err != nil {
		return nil, err
	}
	var err error
	p.dir, err = filepath.Abs(s.dir)
	return p, err
}

// job is what a peer is told, as a JSON file.
type job struct {
	Dir       string    `json:"dir"`     // whose node_modules holds ONNX Runtime
	Model     string    `json:"model"`   // the .onnx file
	Network   string    `json:"network"` // its name, torchvision's
	Image     string    `json:"image"`   // see picture.values
	Shape     [3]int    `json:"shape"`   // channels, height, width
	Fill      []float32 `json:"fill"`
	Patch     int       `json:"patch"`
	Positions [][2]int  `json:"positions"` // left, top
	Batch     int       `json:"batch"`
	Threads   int       `json:"threads"`
	Softmax   bool      `json:"softmax"` // the scores are logits
}

// answer is what a peer prints.
type answer struct {
	Version string    `json:"version"`
	Seconds []float64 `json:"seconds"` // for an image, batch by batch
	Class   int       `json:"class"`   // the likeliest on the whole image
	P       []float64 `json:"p"`       // its probability at each position
}

const notInstalled = "not installed"

func (p *peers) onnxRuntime(ctx context.Context, n *network) (*result, error) {
	_, err := exec.LookPath("node")
	if _, missing := os.Stat(filepath.Join(p.dir, "node_modules", "onnxruntime-node")); err != nil || missing != nil {
		return &result{missing: notInstalled}, nil
	}
	a, r, err := p.ask(ctx, n, "node", "naive.mjs")
	if err != nil {
		return nil, err
	}
	if len(a.P) != len(n.positions) {
		return nil, fmt.Errorf("%d answers for %d positions", len(a.P), len(n.positions))
	}
	r.class, r.p = a.Class, map[[2]int]float64{}
	for i, at := range n.positions {
		r.p[at] = a.P[i]
	}
	return r, nil
}

// pyTorch measures torchvision's network of the same name; whose weights a .onnx
// file has, nobody knows, so its probabilities are not compared.
func (p *peers) pyTorch(ctx context.Context, n *network) (*result, error) {
	has := "import torch, torchvision, sys; sys.exit(0 if hasattr(torchvision.models, sys.argv[1]) else 3)"
	_, _, err := process(ctx, p.python, "-c", has, n.name)
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case errors.As(err, &exit) && exit.ExitCode() == 3:
		return &result{missing: "not torchvision's"}, nil
	case err != nil:
		return &result{missing: notInstalled}, nil
	}
	_, r, err := p.ask(ctx, n, p.python, "naive.py")
	return r, err
}

// ask gives a program its job.
func (p *peers) ask(ctx context.Context, n *network, interpreter, program string) (a answer, r *result, err error) {
	model, err := filepath.Abs(n.file)
	if err != nil {
		return a, nil, err
	}
	text, err := json.Marshal(job{
		Dir: p.dir, Model: model, Network: n.name,
		Image: n.image.values, Shape: [3]int{n.channels, n.height, n.width}, Fill: n.image.fill,
		Patch: p.patch, Positions: n.positions, Batch: p.batch, Threads: p.threads,
		Softmax: n.output == "softmax",
	})
	if err != nil {
		return a, nil, err
	}
	file := filepath.Join(p.scratch, "job.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return a, nil, err
	}
	out, peak, err := process(ctx, interpreter, filepath.Join(p.scratch, program), file)
	if err != nil {
		return a, nil, err
	}
	if err := json.Unmarshal(out, &a); err != nil || len(a.Seconds) == 0 {
		return a, nil, fmt.Errorf("%s printed %q", program, out)
	}
	return a, &result{seconds: slices.Min(a.Seconds), peak: peak, version: a.Version}, nil
}
