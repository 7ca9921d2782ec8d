package main

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"time"

	"occlude/examples/benchmarks/internal/report"
)

// printReport prints what was measured, in Markdown.
func printReport(w io.Writer, s settings, networks []*network, before string) {
	fmt.Fprintf(w, "%s on %s, %s/%s with %d cores, load average %s before. Measured: %s.\n", time.Now().Format("January 2006"),
		report.Processor(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), before, strings.Join(versions(networks), ", "))
	fmt.Fprintf(w, "Everybody in turn, rounds: %d, the best of each. Threads: %d. The peers' batch: %d.\n", s.repeat, s.threads, s.batch)

	fmt.Fprintf(w, "\nFull inference, milliseconds an image (%d occluded images)\n\n", s.positions)
	t := report.Table{{"network", onnxRuntime, pyTorch, "Occlude", "to " + onnxRuntime, "to " + pyTorch}}
	for _, n := range networks {
		t = append(t, []string{
			n.name, n.time(onnxRuntime, 1000, "%.1f"), n.time(pyTorch, 1000, "%.1f"), n.time(full, 1000, "%.1f"),
			n.faster(onnxRuntime, full, 1), n.faster(pyTorch, full, 1),
		})
	}
	t.Print(w)

	fmt.Fprintf(w, "\nExact heat map, patch %d, stride %d, seconds (the peers': an image's times positions)\n\n", s.patch, s.stride)
	t = report.Table{{"network", "positions", onnxRuntime, pyTorch, "Occlude", "to " + onnxRuntime, "to " + pyTorch}}
	for _, n := range networks {
		count := float64(len(grid(n.width, n.height, s.patch, s.stride)))
		t = append(t, []string{
			n.name, fmt.Sprint(count), n.time(onnxRuntime, count, "%.1f"), n.time(pyTorch, count, "%.1f"), n.time(incremental, 1, "%.2f"),
			n.faster(onnxRuntime, incremental, count), n.faster(pyTorch, incremental, count),
		})
	}
	t.Print(w)

	fmt.Fprint(w, "\nPeak memory of the process, MB, and the largest difference in probability\n\n")
	t = report.Table{{"network", onnxRuntime, pyTorch, full, incremental, "full to incremental", "full to " + onnxRuntime}}
	for _, n := range networks {
		t = append(t, []string{
			n.name, n.memory(onnxRuntime), n.memory(pyTorch), n.memory(full), n.memory(incremental),
			n.apart(incremental), n.apart(onnxRuntime),
		})
	}
	t.Print(w)
}

// time prints somebody's seconds, times a factor.
func (n *network) time(who string, factor float64, format string) string {
	r := n.results[who]
	if r.missing != "" {
		return r.missing
	}
	return fmt.Sprintf(format, r.seconds*factor)
}

// faster prints how many times faster than a peer Occlude is, where it does in
// its time what takes the peer as many images.
func (n *network) faster(peer, ours string, images float64) string {
	p, o := n.results[peer], n.results[ours]
	if p.missing != "" {
		return "-"
	}
	return fmt.Sprintf("%.2fx", p.seconds*images/o.seconds)
}

func (n *network) memory(who string) string {
	r := n.results[who]
	switch {
	case r.missing != "":
		return r.missing
	case r.peak == 0:
		return "unknown"
	}
	return fmt.Sprintf("%.0f", float64(r.peak)/1e6)
}

// apart prints the largest difference between full inference's probabilities
// and another's.
func (n *network) apart(other string) string {
	d, ok := n.difference(full, other)
	if !ok {
		return "-"
	}
	return fmt.Sprintf("%.1e", d)
}

// versions lists everybody who was measured.
func versions(networks []*network) (all []string) {
	for _, who := range []string{full, onnxRuntime, pyTorch} {
		for _, n := range networks {
			if v := n.results[who].version; v != "" && !slices.Contains(all, v) {
				all = append(all, v)
			}
		}
	}
	return all
}
