// Approximate measures what approximate heat maps cost and how good they are:
// whether queries with SSIM >= q and WITHIN t keep their promise, how much
// faster than the exact plan and than ONNX Runtime's naive inference they are,
// and which quality every plan family has for its time. README.md in the folder
// above says how to run it.
//
//	main.go      flags
//	bench.go     what is measured of a model and an image, in which order
//	session.go   one session in which the statements run
//	families.go  the statements: targets, times, and the plan families
//	naive.go     ONNX Runtime, and Occlude as a process of its own
//	record.go    what is measured of one query, and the log of it
//	promise.go   the tables of promises
//	time.go      the table of where the time goes
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	_ "go4.org/unsafe/assume-no-moving-gc"

	"occlude/examples/benchmarks/internal/journal"
	"occlude/examples/benchmarks/internal/process"
)

func main() { process.Main("approximate", run) }

// settings are the flags and arguments.
type settings struct {
	subjects  []subject
	dir       string // of ONNX Runtime
	with      string // options of CREATE MODEL
	targets   []float64
	within    []float64 // parts of the exact plan's time
	sweep     bool      // all plan families, too
	seeds     int       // 42, 43, ...
	images    int       // of each model
	patch     int
	stride    int
	positions int // that inference of whole images is timed on
	batch     int // of the peer
	threads   int
	processes bool
	into      string // ending of the file that queries write, "" for none
	log       string
	limit     time.Duration // after which nothing new begins, 0 for none
	report    bool          // of the log alone
}

// subject is a model and the images that are explained with it.
type subject struct {
	model  string
	images []string
}

func flags(args []string, stderr io.Writer) (settings, error) {
	var s settings
	f := flag.NewFlagSet("approximate", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.Usage = func() {
		fmt.Fprintln(stderr, "approximate [flags] MODEL.onnx=IMAGES ...      IMAGES is a pattern, such as 'photos/*.png'")
		f.PrintDefaults()
	}
	f.StringVar(&s.dir, "dir", "peers", "folder with node_modules/onnxruntime-node")
	f.StringVar(&s.with, "with", "", "`options` of CREATE MODEL")
	targets := f.String("targets", "0.9,0.95", "structural similarities to ask for, \"\" for none")
	within := f.String("within", "", "times to ask for, as parts of the exact plan's time")
	f.BoolVar(&s.sweep, "sweep", false, "measure every plan family")
	f.IntVar(&s.seeds, "seeds", 5, "random choices of each query")
	f.IntVar(&s.images, "images", 12, "images for each model, at most")
	f.IntVar(&s.patch, "patch", 16, "patch, in pixels")
	f.IntVar(&s.stride, "stride", 4, "stride, in pixels")
	f.IntVar(&s.positions, "positions", 32, "positions that inference of whole images is timed on")
	f.IntVar(&s.batch, "batch", 16, "images in a batch of ONNX Runtime")
	f.IntVar(&s.threads, "threads", 2, "threads of everybody")
	f.BoolVar(&s.processes, "processes", false, "run each kind of query once as a process of its own, too")
	f.StringVar(&s.into, "into", "npy", "`ending` of the file that every query writes: png, npy, csv, json, or none; processes write png")
	f.StringVar(&s.log, "log", "", "`file` to which measurements are added, and which are not made again if it has them")
	f.DurationVar(&s.limit, "for", 0, "begin with no further image after this `time`; with -log, the next run goes on")
	f.BoolVar(&s.report, "report", false, "print the tables of the log, and measure nothing")
	check := f.Bool("check", false, "a quick run on the example's network, to see that it works")
	if err := f.Parse(args); err != nil {
		return s, err
	}
	if *check {
		s.sweep, s.seeds, s.images, s.positions, s.stride = true, 2, 1, 8, 8
		*targets, *within = "0.9", "0.5"
		return s, errors.Join(s.lists(*targets, *within), s.find("examples/models/chest.onnx=examples/images/*.png"))
	}
	if err := s.lists(*targets, *within); err != nil {
		return s, err
	}
	if s.report {
		if s.log == "" || f.NArg() > 0 {
			return s, errors.New("-report needs a -log and nothing else")
		}
		return s, nil
	}
	if f.NArg() == 0 {
		return s, errors.New("no MODEL.onnx=IMAGES to measure")
	}
	if min(s.seeds, s.images, s.patch, s.stride, s.positions, s.batch, s.threads) < 1 {
		return s, errors.New("numbers must be at least 1")
	}
	for _, arg := range f.Args() {
		if err := s.find(arg); err != nil {
			return s, err
		}
	}
	return s, nil
}

func (s *settings) lists(targets, within string) (err error) {
	if s.targets, err = numbers(targets); err != nil {
		return fmt.Errorf("targets: %w", err)
	}
	if s.within, err = numbers(within); err != nil {
		return fmt.Errorf("within: %w", err)
	}
	return nil
}

// find adds a subject.
func (s *settings) find(arg string) error {
	model, pattern, ok := strings.Cut(arg, "=")
	if !ok {
		return fmt.Errorf("%q is not MODEL.onnx=IMAGES", arg)
	}
	if _, err := os.Stat(model); err != nil {
		return err
	}
	images, err := filepath.Glob(pattern)
	if err != nil {
		return fmt.Errorf("images %q: %w", pattern, err)
	}
	if len(images) == 0 {
		return fmt.Errorf("there are no images %q", pattern)
	}
	s.subjects = append(s.subjects, subject{model, images[:min(s.images, len(images))]})
	return nil
}

func numbers(list string) (all []float64, err error) {
	for _, text := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' }) {
		v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		if err != nil || !(v > 0 && v <= 1) {
			return nil, fmt.Errorf("%q is not a number above 0, up to 1", text)
		}
		all = append(all, v)
	}
	return all, nil
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	s, err := flags(args, stderr)
	if err != nil {
		return err
	}
	return journal.Use(s.log, (*record).key, func(l *log) error {
		if !s.report {
			if err := measure(ctx, s, l, stderr); err != nil {
				return err
			}
		}
		printReport(stdout, s, l.Records)
		return nil
	})
}
