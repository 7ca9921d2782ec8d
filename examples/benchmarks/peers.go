package main

import (
	"context"
	"embed"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"occlude/examples/benchmarks/internal/peer"
	"occlude/examples/benchmarks/internal/process"
)

//go:embed naive.py networks.py
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
	return p, nil
}

func (p *peers) onnxRuntime(ctx context.Context, n *network) (*result, error) {
	a, err := peer.ONNXRuntime(ctx, p.scratch, p.job(n))
	if errors.Is(err, peer.ErrMissing) {
		return &result{missing: err.Error()}, nil
	}
	if err != nil {
		return nil, err
	}
	r := found(a)
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
	_, _, err := process.Run(ctx, p.python, "-c", has, n.name)
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case errors.As(err, &exit) && exit.ExitCode() == 3:
		return &result{missing: "not torchvision's"}, nil
	case err != nil:
		return &result{missing: peer.ErrMissing.Error()}, nil
	}
	a, err := peer.Ask(ctx, p.scratch, p.python, filepath.Join(p.scratch, "naive.py"), p.job(n))
	if err != nil {
		return nil, err
	}
	return found(a), nil
}

// job is what both are told of a network.
func (p *peers) job(n *network) peer.Job {
	return peer.Job{
		Dir: p.dir, Model: n.file, Network: n.name,
		Image: n.image.values, Shape: [3]int{n.channels, n.height, n.width}, Fill: n.image.fill,
		Patch: p.patch, Positions: n.positions, Batch: p.batch, Threads: p.threads,
		Softmax: n.output == "softmax",
	}
}

// found is what a peer measured.
func found(a peer.Answer) *result {
	return &result{seconds: slices.Min(a.Seconds), peak: a.Peak, version: a.Version}
}
