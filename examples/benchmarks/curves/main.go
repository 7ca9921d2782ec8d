// Curves draws what the program approximate measured: the quality of heat maps
// against the time they take, for every plan family, a picture for each network.
//
//	go run . -out FOLDER runs.jsonl ...
//
// It is a module of its own, so that nobody who builds Occlude needs a library
// that draws charts.
//
//	main.go    flags
//	series.go  from records to the points of each family
//	draw.go    the picture: two panels and a legend
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

func main() {
	switch err := run(os.Args[1:], os.Stdout, os.Stderr); {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "curves:", err)
		os.Exit(1)
	}
}

func run(args []string, stdout, stderr io.Writer) error {
	f := flag.NewFlagSet("curves", flag.ContinueOnError)
	f.SetOutput(stderr)
	out := f.String("out", ".", "`folder` for the pictures, NETWORK.png")
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() == 0 {
		return errors.New("no logs; go run ./examples/benchmarks/approximate -sweep -log runs.jsonl writes one")
	}
	var all []record
	for _, path := range f.Args() {
		records, err := readLog(path)
		if err != nil {
			return fmt.Errorf("log %q: %w", path, err)
		}
		all = append(all, records...)
	}
	charts := newCharts(all)
	if len(charts) == 0 {
		return errors.New("the logs hold no measurements of plan families")
	}
	for _, c := range charts {
		path := filepath.Join(*out, c.network+".png")
		if err := c.save(path); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		fmt.Fprintln(stdout, path)
	}
	return nil
}
