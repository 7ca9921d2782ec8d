package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sort"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/printer"
)

// files are the assembly files by name: each function adds its loops to the
// file's context.
var files = map[string]func(*build.Context){}

func main() {
	// The package flag's own set holds avo's flags.
	flags := flag.NewFlagSet("gen", flag.ExitOnError)
	out := flags.String("out", "..", "the folder to write to")
	_ = flags.Parse(os.Args[1:]) // it exits on errors
	if err := run(*out, flags.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

// run writes the named files, all of them when none is named.
func run(dir string, names []string) error {
	if len(names) == 0 {
		for name := range files {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	for _, name := range slices.Compact(names) {
		add, ok := files[name]
		if !ok {
			return fmt.Errorf("there is no file %q", name)
		}
		if err := write(filepath.Join(dir, name+"_amd64.s"), add); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// write assembles one file.
func write(path string, add func(*build.Context)) error {
	c := build.NewContext()
	c.ConstraintExpr("amd64,!noasm")
	add(c)
	file, err := c.Result()
	if err != nil {
		return err
	}
	// The offsets of fields, written by the Go compiler.
	file.Includes = append(file.Includes, "go_asm.h")
	if err := compile(file); err != nil {
		return err
	}
	text, err := printer.NewGoAsm(printer.Config{Name: "gen", Argv: []string{"gen"}, Pkg: "simd"}).Print(file)
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o644)
}
