// Gpu compares heat maps that Occlude computes on a GPU with those of its own operators on the
// processor, of PyTorch in float64, and, in time and memory, with PyTorch's occlusion on the same
// GPU. It needs no Go where it runs: `make gpu-kit` builds it with all that is carried there, and
// run.sh does all of it by one command. README.md in this folder tells the day's order.
//
//	main.go      the flags; the steps, as far as the time allows
//	steps.go     what is done for a network: answers, then times
//	occlude.go   the binary
//	torch.go     naive.py, PyTorch
//	memory.go    nvidia-smi
//	result.go    what came out, and how far answers are apart
//	table.go     the tables
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"occlude/examples/benchmarks/internal/process"
)

func main() { process.Main("gpu", run) }

// settings are the flags.
type settings struct {
	dir      string // of the networks
	networks string
	occlude  string
	python   string
	naive    string
	device   string
	peer     string // PyTorch's device
	out      string
	patch    int
	stride   int
	batch    int
	runs     int
	budget   time.Duration
	step     time.Duration
	cpu      time.Duration
	exact    int
}

func flags(args []string, stderr io.Writer) (settings, error) {
	var s settings
	f := flag.NewFlagSet("gpu", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&s.dir, "dir", "networks", "the `folder` that prepare.py filled")
	f.StringVar(&s.networks, "networks", "", "`names` in the order of their importance (default: all, those with a target first)")
	f.StringVar(&s.occlude, "occlude", "./occlude", "the `binary`, built with -tags cuda")
	f.StringVar(&s.python, "python", "python3", "the Python that has PyTorch, \"\" to do without")
	f.StringVar(&s.naive, "naive", "naive.py", "the `program` that is PyTorch's occlusion")
	f.StringVar(&s.device, "device", "cuda:0", "what is measured")
	f.StringVar(&s.peer, "torch", "", "PyTorch's `device` (default: the same)")
	f.StringVar(&s.out, "out", ".", "the `folder` for results.json and tables.md")
	f.IntVar(&s.patch, "patch", 16, "patch, in pixels")
	f.IntVar(&s.stride, "stride", 4, "stride, in pixels")
	f.IntVar(&s.batch, "batch", 128, "images in a batch of PyTorch")
	f.IntVar(&s.runs, "runs", 5, "heat maps that are timed; their median counts")
	f.DurationVar(&s.budget, "budget", 8*time.Minute, "for all of it; what does not fit is left out, and said")
	f.DurationVar(&s.step, "step", 100*time.Second, "for answers, or times, of one network")
	f.DurationVar(&s.cpu, "cpu", 12*time.Second, "about so long the processor computes positions of a network to compare with")
	f.IntVar(&s.exact, "exact", 128, "positions that are compared with float64 at most")
	if err := f.Parse(args); err != nil {
		return s, err
	}
	if f.NArg() > 0 {
		return s, fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	if s.peer == "" {
		s.peer = s.device
	}
	if min(s.patch, s.stride, s.batch, s.runs, s.exact) < 1 || min(s.budget, s.step, s.cpu) <= 0 {
		return s, errors.New("numbers must be at least 1, and times above 0")
	}
	return s, nil
}

// targets are how many times faster than PyTorch an exact heat map is to be.
var targets = map[string]float64{"vgg16": 8, "resnet18": 3, "inception_v3": 1.5}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	s, err := flags(args, stderr)
	if err != nil {
		return err
	}
	results, err := s.results()
	if err != nil {
		return err
	}
	scratch, err := os.MkdirTemp("", "gpu")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	b := &bench{
		settings: s, scratch: scratch, progress: stderr, begun: time.Now(), memory: newMemory(ctx, s.device),
		torch: &torch{python: s.python, program: s.naive, device: s.peer},
	}
	defer b.torch.close()
	r := &record{Begun: b.begun.Format(time.RFC3339), Device: s.device, Patch: s.patch, Stride: s.stride, Batch: s.batch, Runs: s.runs, Results: results}
	b.all(ctx, r)
	if b.torch.version != "" {
		r.Versions = append(r.Versions, b.torch.version)
	}
	r.Seconds = time.Since(b.begun).Seconds()
	if err := errors.Join(r.write(s.out), r.print(stdout, s.out)); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return r.verdict()
}

// results are the networks of the folder, nothing known of them yet.
func (s settings) results() ([]*result, error) {
	list := filepath.Join(s.dir, "networks.json")
	text, err := os.ReadFile(list)
	if err != nil {
		return nil, fmt.Errorf("%w; prepare.py writes it", err)
	}
	sides := map[string]int{}
	if err := json.Unmarshal(text, &sides); err != nil {
		return nil, fmt.Errorf("%s: %w", list, err)
	}
	names := strings.FieldsFunc(s.networks, func(r rune) bool { return r == ',' || r == ' ' })
	if len(names) == 0 {
		for name := range sides {
			names = append(names, name)
		}
		slices.SortFunc(names, func(a, b string) int { // the highest target first
			if targets[a] != targets[b] {
				return int(100 * (targets[b] - targets[a]))
			}
			return strings.Compare(a, b)
		})
	}
	var results []*result
	for _, name := range names {
		side, known := sides[name]
		if !known {
			return nil, fmt.Errorf("%s has no %q", list, name)
		}
		if s.patch > side {
			return nil, fmt.Errorf("a patch of %d does not fit the input of %s, %dx%d", s.patch, name, side, side)
		}
		results = append(results, &result{Network: name, Side: side, Positions: len(s.grid(side))})
	}
	return results, nil
}

// grid lists the positions of a heat map: every stride pixels, and at the rim.
func (s settings) grid(side int) (positions []position) {
	var axis []int
	for v := 0; v < side-s.patch; v += s.stride {
		axis = append(axis, v)
	}
	axis = append(axis, side-s.patch)
	for _, y := range axis {
		for _, x := range axis {
			positions = append(positions, position{x, y})
		}
	}
	return positions
}
