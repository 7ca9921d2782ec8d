package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"gorgonia.org/tensor"

	"occlude/examples/benchmarks/internal/peer"
	"occlude/examples/benchmarks/internal/process"
	"occlude/internal/model"
)

// spread are some positions of an answer's grid, all over it.
func (a answer) spread(n int) (indices []int, at [][2]int) {
	all := a.Plan.Grid.Positions
	n = min(n, len(all))
	for i := range n {
		p := i * len(all) / n
		indices, at = append(indices, p), append(at, [2]int{all[p].X, all[p].Y})
	}
	return indices, at
}

// naive is how long ONNX Runtime takes for a map by inferring every occluded
// image whole, 0 where it is not installed. It is an error if it finds other
// probabilities than the exact map has.
func (e *session) naive(ctx context.Context, modelFile string, exact answer) (float64, error) {
	m, grid := exact.Plan.Model, exact.Plan.Grid
	indices, at := exact.spread(e.positions)
	job := peer.Job{
		Dir: e.dir, Model: modelFile, Image: filepath.Join(e.scratch, "image.f32"), Shape: [3]int{m.Spec.Channels.Count(), m.Spec.Height, m.Spec.Width},
		Fill: gray(m), Patch: grid.PatchW, Positions: at, Batch: e.batch, Threads: e.threads, Softmax: m.Output == model.OutputSoftmax,
	}
	if err := writeInput(job.Image, m, exact.Pixels); err != nil {
		return 0, err
	}
	a, err := peer.ONNXRuntime(ctx, e.scratch, job)
	switch {
	case errors.Is(err, peer.ErrMissing):
		return 0, nil
	case err != nil:
		return 0, err
	}
	const tolerance = 1e-4
	for i, p := range indices {
		if d := math.Abs(a.P[i] - float64(exact.Classes[0].P[p])); !(d <= tolerance) {
			return 0, fmt.Errorf("ONNX Runtime finds a probability that differs by %.2g at %v", d, at[i])
		}
	}
	return slices.Min(a.Seconds) * float64(len(grid.Positions)), nil
}

// gray is the colour of the patch, normalised.
func gray(m *model.Model) []float32 {
	const value = 128
	out := make([]float32, m.Spec.Channels.Count())
	for i := range out {
		out[i] = value
	}
	m.Spec.Normalize(out, out)
	return out
}

// writeInput writes what a network is given, channels first.
func writeInput(file string, m *model.Model, pixels *tensor.Dense) error {
	from := pixels.Float32s()
	normal := make([]float32, len(from))
	m.Spec.Normalize(normal, from)
	channels := m.Spec.Channels.Count()
	out := make([]byte, 0, 4*len(normal))
	for c := range channels {
		for i := c; i < len(normal); i += channels {
			out = binary.LittleEndian.AppendUint32(out, math.Float32bits(normal[i]))
		}
	}
	return os.WriteFile(file, out, 0o600)
}

// alone runs a query in a process that does nothing else: its seconds, and those
// of them in which it made the model ready.
func (e *session) alone(ctx context.Context, binary, modelFile, image string, q query) (seconds, load float64, err error) {
	text := e.prologue(modelFile) + e.statement(image, e.strides(), "png", q)
	var summary struct {
		Seconds struct{ Load float64 } `json:"seconds"`
	}
	start := time.Now()
	_, err = process.Query(ctx, binary, text, &summary)
	return time.Since(start).Seconds(), summary.Seconds.Load, err
}
