// Cost measures how well the planner predicts what queries take, and what its
// choices cost: it asks networks for heat maps of many kinds, each query in turn with
// its estimate, and with the plans that were rejected. README.md in the folder above
// says how to run it.
//
//	main.go     flags
//	queries.go  what is asked of a network
//	bench.go    asking, and timing
//	record.go   what is measured of one query, and the log of it
//	table.go    the tables
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"runtime/debug"
	"slices"
	"time"

	_ "go4.org/unsafe/assume-no-moving-gc"

	"occlude/examples/benchmarks/internal/journal"
	"occlude/examples/benchmarks/internal/process"
)

func main() {
	debug.SetGCPercent(25) // as Occlude itself does
	process.Main("cost", run)
}

// settings are the flags and arguments.
type settings struct {
	models     []string // files
	image      string
	profile    string // what estimates rest on: one of profiles
	threads    []int
	repeat     int
	positions  int // of a query, about
	log        string
	report     bool
	choices    bool          // time the plans that were rejected, too
	data       string        // folder that keeps calibrations, "" for one that goes
	calibrated string        // file to which calibrations are exported, "" for none
	limit      time.Duration // after which nothing new begins, 0 for none
	longest    float64       // seconds of the first run from which on a query is not repeated
}

// What estimates rest on.
const (
	byModel = "model" // ANALYZE MODEL of the network
	byQuick = "quick" // what the first statement of a machine measures
	byNone  = "default"
)

func flags(args []string, stderr io.Writer) (settings, error) {
	s := settings{threads: []int{1, 2}, longest: 5}
	f := flag.NewFlagSet("cost", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.Usage = func() {
		fmt.Fprintln(stderr, "cost [flags] [FOLDER | MODEL.onnx]...      examples/models, if none is named")
		f.PrintDefaults()
	}
	f.StringVar(&s.image, "image", "examples/images/nodule.png", "the image to explain")
	f.StringVar(&s.profile, "profile", byModel, "what estimates rest on: model (ANALYZE MODEL), quick or default")
	f.IntVar(&s.repeat, "repeat", 3, "runs of each query, of which the median counts; one more before warms up")
	f.IntVar(&s.positions, "positions", 150, "positions of a query, about")
	f.StringVar(&s.log, "log", "", "`file` to which measurements are added, and which are not made again if it has them")
	f.BoolVar(&s.report, "report", false, "print the tables of the log, and measure nothing")
	f.BoolVar(&s.choices, "choices", true, "time the plans that were rejected, too")
	f.StringVar(&s.data, "data", "", "`folder` that keeps calibrations from run to run")
	f.DurationVar(&s.limit, "for", 0, "begin with no further query after this `time`; with -log, the next run goes on")
	f.StringVar(&s.calibrated, "export", "", "`file` to which the calibrations are exported")
	if err := f.Parse(args); err != nil {
		return s, err
	}
	switch {
	case s.profile != byModel && s.profile != byQuick && s.profile != byNone:
		return s, fmt.Errorf("-profile %q is neither %s, %s nor %s", s.profile, byModel, byQuick, byNone)
	case min(s.repeat, s.positions) < 1:
		return s, errors.New("numbers must be at least 1")
	case s.report && (s.log == "" || f.NArg() > 0):
		return s, errors.New("-report needs a -log and nothing else")
	case s.report:
		return s, nil
	}
	from := f.Args()
	if len(from) == 0 {
		from = []string{"examples/models"}
	}
	for _, name := range from {
		found := []string{name}
		if filepath.Ext(name) != ".onnx" {
			var err error
			if found, err = filepath.Glob(filepath.Join(name, "*.onnx")); err != nil || len(found) == 0 {
				return s, fmt.Errorf("there are no networks in the folder %q", name)
			}
		}
		s.models = append(s.models, found...)
	}
	slices.Sort(s.models)
	return s, nil
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
		printReport(stdout, l.Records)
		return nil
	})
}
