// Benchmarks runs Occlude beside ONNX Runtime and PyTorch on this machine and
// prints the tables of ratios that the README quotes. README.md in this folder
// says how to get the peers, what is measured and how.
//
//	main.go      flags; everybody in turn, round by round
//	occlude.go   Occlude's full and incremental plan
//	peers.go     what ONNX Runtime and naive.py, PyTorch, are told
//	picture.go   the image that all of them explain
//	table.go     the tables
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"

	"occlude/examples/benchmarks/internal/process"
	"occlude/examples/benchmarks/internal/report"
)

func main() { process.Main("benchmarks", run) }

// settings are the flags.
type settings struct {
	dir       string // of the peers: node_modules, NAME.onnx
	networks  string
	python    string
	occlude   string // the binary, "" to build it
	patch     int
	stride    int
	positions int // of full inference
	repeat    int
	threads   int
	batch     int
}

func flags(args []string, stderr io.Writer) (settings, error) {
	var s settings
	f := flag.NewFlagSet("benchmarks", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&s.dir, "dir", "peers", "folder with node_modules/onnxruntime-node and NAME.onnx")
	f.StringVar(&s.networks, "networks", "vgg16,resnet18,inception_v3", "torchvision's `names`, or .onnx files")
	f.StringVar(&s.python, "python", "python3", "the Python that has PyTorch and torchvision")
	f.StringVar(&s.occlude, "occlude", "", "the `binary` to measure (default: build it)")
	f.IntVar(&s.patch, "patch", 16, "patch, in pixels")
	f.IntVar(&s.stride, "stride", 4, "stride, in pixels")
	f.IntVar(&s.positions, "positions", 64, "positions that full inference is timed on")
	f.IntVar(&s.repeat, "repeat", 3, "rounds; the best one counts")
	f.IntVar(&s.threads, "threads", 2, "threads of everybody")
	f.IntVar(&s.batch, "batch", 16, "images in a batch of the peers")
	check := f.Bool("check", false, "a quick run on the example's network, to see that it works")
	if err := f.Parse(args); err != nil {
		return s, err
	}
	if f.NArg() > 0 {
		return s, fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	if min(s.patch, s.stride, s.positions, s.repeat, s.threads, s.batch) < 1 {
		return s, errors.New("numbers must be at least 1")
	}
	if *check {
		s.networks, s.stride, s.positions, s.repeat = "examples/models/chest.onnx", 32, 8, 1
	}
	return s, nil
}

// network is one that is measured, with everybody's results.
type network struct {
	name, file string
	facts
	image     picture
	positions [][2]int // that full inference is timed on: left, top
	results   map[string]*result
}

// The four that are measured.
const (
	full        = "Occlude, full"
	incremental = "Occlude, incremental"
	onnxRuntime = "ONNX Runtime"
	pyTorch     = "PyTorch"
)

// result is what was measured of one of the four on one network.
type result struct {
	missing string  // why there is none, "" when there is
	seconds float64 // for an image; for a whole heat map where incremental
	peak    int64   // bytes
	version string
	class   int
	p       map[[2]int]float64 // by position, nil where the networks are not the same
}

// join keeps the better time and the larger memory of two rounds.
func (r *result) join(o *result) *result {
	if r == nil || o.missing != "" {
		return o
	}
	o.seconds, o.peak = min(r.seconds, o.seconds), max(r.peak, o.peak)
	return o
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	s, err := flags(args, stderr)
	if err != nil {
		return err
	}
	scratch, err := os.MkdirTemp("", "benchmarks")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	o, err := newOcclude(ctx, s, scratch)
	if err != nil {
		return err
	}
	p, err := newPeers(s, scratch)
	if err != nil {
		return err
	}
	var networks []*network
	for _, name := range strings.Split(s.networks, ",") {
		n, err := prepare(ctx, s, o, strings.TrimSpace(name), scratch)
		if err != nil {
			return err
		}
		networks = append(networks, n)
	}
	before := report.Load()
	for round := range s.repeat {
		for _, n := range networks {
			for _, c := range []struct {
				name    string
				measure func(context.Context, *network) (*result, error)
			}{{onnxRuntime, p.onnxRuntime}, {full, o.full}, {incremental, o.incremental}, {pyTorch, p.pyTorch}} {
				if r := n.results[c.name]; r != nil && r.missing != "" {
					continue
				}
				fmt.Fprintf(stderr, "round %d of %d: %s, %s\n", round+1, s.repeat, n.name, c.name)
				r, err := c.measure(ctx, n)
				if err != nil {
					return fmt.Errorf("%s, %s: %w", n.name, c.name, err)
				}
				n.results[c.name] = n.results[c.name].join(r)
			}
		}
	}
	printReport(stdout, s, networks, before)
	return agree(networks)
}

// prepare looks at a network and makes its image.
func prepare(ctx context.Context, s settings, o *occlude, name, scratch string) (*network, error) {
	n := &network{name: name, file: filepath.Join(s.dir, name+".onnx"), results: map[string]*result{}}
	if strings.HasSuffix(name, ".onnx") {
		n.name, n.file = strings.TrimSuffix(filepath.Base(name), ".onnx"), name
	}
	if _, err := os.Stat(n.file); err != nil {
		return nil, fmt.Errorf("%w; to write it: python3 examples/benchmarks/networks.py %s %s", err, s.dir, n.name)
	}
	var err error
	if n.facts, err = o.facts(ctx, n.file); err != nil {
		return nil, err
	}
	if s.patch > min(n.width, n.height) {
		return nil, fmt.Errorf("a patch of %d does not fit the input of %s, %dx%d", s.patch, n.name, n.width, n.height)
	}
	if n.image, err = newPicture(n.facts, filepath.Join(scratch, n.name)); err != nil {
		return nil, err
	}
	grid := grid(n.width, n.height, s.patch, s.stride)
	count := min(s.positions, len(grid))
	for i := range count { // spread over the image
		n.positions = append(n.positions, grid[i*len(grid)/count])
	}
	return n, nil
}

// grid lists the positions of a heat map: every stride pixels, and at the rim.
func grid(width, height, patch, stride int) (positions [][2]int) {
	axis := func(n int) (at []int) {
		for v := 0; v < n-patch; v += stride {
			at = append(at, v)
		}
		return append(at, n-patch)
	}
	for _, y := range axis(height) {
		for _, x := range axis(width) {
			positions = append(positions, [2]int{x, y})
		}
	}
	return positions
}

// tolerance is how far probabilities may lie apart and still be the same answer.
const tolerance = 1e-4

// difference is the largest one between two answers at the positions that full
// inference is timed on.
func (n *network) difference(a, b string) (d float64, ok bool) {
	p, q := n.results[a], n.results[b]
	if p == nil || q == nil || p.p == nil || q.p == nil {
		return 0, false
	}
	if p.class != q.class {
		return math.Inf(1), true
	}
	for _, at := range n.positions {
		x, here := p.p[at]
		y, there := q.p[at]
		if !here || !there || math.IsNaN(x-y) {
			return math.Inf(1), true
		}
		d = max(d, math.Abs(x-y))
	}
	return d, true
}

// agree tells whether everybody gave the same answer: a comparison of those who
// did not says nothing.
func agree(networks []*network) error {
	var errs []error
	for _, n := range networks {
		for _, other := range []string{incremental, onnxRuntime} {
			if d, ok := n.difference(full, other); ok && d > tolerance {
				errs = append(errs, fmt.Errorf("%s: %s and %s differ by %.2g in probability", n.name, full, other, d))
			}
		}
	}
	return errors.Join(errs...)
}
