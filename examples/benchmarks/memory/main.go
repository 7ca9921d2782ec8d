// Memory tells how well queries' memory is foretold, on networks of your own choice:
//
//	go run ./examples/benchmarks/memory -image scan.png model.onnx...
//
// Each query runs in a process of its own, so that the largest resident set of the
// process is what that query took. Beside it stand what EXPLAIN ANALYZE says: what
// the planner expected, and what was counted.
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

	"occlude/examples/benchmarks/internal/process"
	"occlude/examples/benchmarks/internal/report"
	"occlude/lang"
)

func main() { process.Main("memory", run) }

// queries are what is asked of every network: settings, and the clauses of OCCLUDE.
var queries = []struct{ name, settings, clauses string }{
	{"full, 1 thread", "SET threads = 1;", "PATCH 32 STRIDE 32 WITH (plan = 'full')"},
	{"full, 2 threads", "SET threads = 2;", "PATCH 32 STRIDE 32 WITH (plan = 'full')"},
	{"full, batches of 4", "SET threads = 2;", "PATCH 32 STRIDE 48 WITH (plan = 'full', batch = 4)"},
	{"incremental, 1 thread", "SET threads = 1;", "PATCH 16 STRIDE 16 WITH (plan = 'incremental')"},
	{"incremental, 2 threads", "SET threads = 2;", "PATCH 16 STRIDE 16 WITH (plan = 'incremental')"},
	{"large patches", "SET threads = 2;", "PATCH 64 STRIDE 16 WITH (plan = 'incremental')"},
	{"small patches", "SET threads = 2;", "PATCH 4 STRIDE 12 WITH (plan = 'incremental')"},
	{"tau 0.4", "SET threads = 2;", "PATCH 16 STRIDE 8 WITH (tau = 0.4)"},
	{"sampling", "SET threads = 2;", "PATCH 16 STRIDE 8 SSIM >= 0.8 WITH (plan = 'approximate')"},
	{"sampling, sketches", "SET threads = 2;", "PATCH 16 STRIDE 8 SSIM >= 0.9 WITH (plan = 'approximate', tau = 0.3)"},
	{"two classes", "SET threads = 2;", "FOR TOP 2 PATCH 16 STRIDE 8 SSIM >= 0.9 WITH (plan = 'approximate', tau = 0.3)"},
}

// explained are the fields of EXPLAIN's JSON that count here.
type explained struct {
	Candidates []struct {
		Estimate held `json:"estimate"`
	} `json:"candidates"`
	Actual held `json:"actual"`
}

// held is an amount of memory and what it is for, in bytes.
type held struct {
	Peak   int64            `json:"peak_bytes"`
	Memory map[string]int64 `json:"memory"`
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	f := flag.NewFlagSet("memory", flag.ContinueOnError)
	f.SetOutput(stderr)
	image := f.String("image", "examples/images/spiculated.png", "the `picture` to explain")
	binary := f.String("occlude", "", "the `binary` to measure (default: build it)")
	only := f.String("only", "", "part of the `name` of the queries to ask")
	parts := f.Bool("parts", false, "say what the memory is for")
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() == 0 {
		return errors.New("name a model")
	}
	scratch, err := os.MkdirTemp("", "occlude-memory-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	if *binary == "" {
		if *binary, err = process.Occlude(ctx, scratch); err != nil {
			return err
		}
	}
	t := report.Table{{"network", "query", "expected", "counted", "resident", "expected/counted", "expected/resident"}}
	var errorsOf [2][]float64 // against what was counted, and against the resident set
	for _, model := range f.Args() {
		for _, q := range queries {
			if !strings.Contains(q.name, *only) {
				continue
			}
			text := fmt.Sprintf("CREATE MODEL m FROM %s; %s EXPLAIN (ANALYZE, FORMAT JSON) OCCLUDE %s USING m %s;", lang.String{Value: model}, q.settings, lang.String{Value: *image}, q.clauses)
			out, peak, err := process.Run(ctx, *binary, "--no-progress", "-c", text)
			if err != nil {
				return fmt.Errorf("%s, %s: %w", model, q.name, err)
			}
			var e explained
			if _, object, ok := strings.Cut(string(out), "\n{"); ok {
				out = []byte("{" + object)
			}
			if err := json.Unmarshal(out, &e); err != nil || len(e.Candidates) == 0 {
				return fmt.Errorf("%s, %s: EXPLAIN printed %.200q: %w", model, q.name, out, err)
			}
			expected, counted := e.Candidates[0].Estimate, e.Actual
			row := []string{strings.TrimSuffix(filepath.Base(model), ".onnx"), q.name, mebibytes(expected.Peak), mebibytes(counted.Peak), mebibytes(peak)}
			for i, truth := range []int64{counted.Peak, peak} {
				share := float64(expected.Peak) / float64(truth)
				errorsOf[i] = append(errorsOf[i], max(share, 1/share)-1)
				row = append(row, fmt.Sprintf("%.2f", share))
			}
			t = append(t, row)
			if *parts {
				fmt.Fprintln(stderr, row[0], q.name, "expected", expected.Memory, "counted", counted.Memory)
			}
		}
	}
	fmt.Fprintf(stdout, "Memory in MiB, on %s\n\n", report.Processor())
	t.Print(stdout)
	for i, against := range []string{"what was counted", "the resident set"} {
		slices.Sort(errorsOf[i])
		n := len(errorsOf[i])
		if n == 0 {
			return fmt.Errorf("no query's name holds %q", *only)
		}
		fmt.Fprintf(stdout, "\nError against %s: median %.0f%%, 90th percentile %.0f%%, largest %.0f%%", against,
			100*errorsOf[i][n/2], 100*errorsOf[i][min(n-1, n*9/10)], 100*errorsOf[i][n-1])
	}
	fmt.Fprintln(stdout)
	return nil
}

func mebibytes(n int64) string { return fmt.Sprintf("%.0f", float64(n)/(1<<20)) }
