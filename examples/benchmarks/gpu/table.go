package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"occlude/examples/benchmarks/internal/report"
)

// unknown stands where a figure is missing.
const unknown = "-"

// print prints the tables, and writes them to tables.md.
func (r *record) print(w io.Writer, folder string) error {
	var text bytes.Buffer
	r.tables(&text)
	if _, err := w.Write(text.Bytes()); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "tables.md"), text.Bytes(), 0o644)
}

func (r *record) tables(w io.Writer) {
	fmt.Fprintf(w, "%s, on %s beside %s with %d cores", r.Begun, r.Device, report.Processor(), runtime.NumCPU())
	for _, v := range r.Versions {
		fmt.Fprintf(w, "; %s, batch %d", v, r.Batch)
	}
	fmt.Fprintf(w, ". Patch %d, stride %d; %.0f s in all.\n", r.Patch, r.Stride, r.Seconds)

	fmt.Fprintf(w, "\nAnswers: the largest differences in probability, at so many positions. The same is up to %.0e.\n\n", tolerance)
	t := report.Table{{"network", "plan", "positions", "to the processor", "the same", "float64 at", "device", "processor", "PyTorch", "PyTorch tf32"}}
	for _, n := range r.Results {
		a := n.Apart
		same := unknown
		if a.DeviceFromCPU != nil {
			same = map[bool]string{true: "yes", false: "NO"}[*a.DeviceFromCPU <= tolerance]
		}
		t = append(t, []string{
			n.Network, or(n.Plan), fmt.Sprintf("%d of %d", n.Compared, n.Positions), apart(a.DeviceFromCPU), same,
			fmt.Sprint(n.Exact), apart(a.DeviceFromFloat64), apart(a.CPUFromFloat64), apart(a.PyTorchFromFloat64), apart(a.TF32FromFloat64),
		})
	}
	t.Print(w)

	fmt.Fprintf(w, "\nTimes: seconds for an exact heat map, medians of %d; how many times faster than PyTorch the faster plan is.\n\n", r.Runs)
	t = report.Table{{"network", "positions", "PyTorch", "PyTorch tf32", "full", "incremental", "chosen", "to PyTorch", "to tf32", "target", "reached"}}
	for _, n := range r.Results {
		best, chosen := n.best()
		row := []string{n.Network, fmt.Sprint(n.Positions), seconds(n.PyTorch.Seconds), seconds(n.PyTorchTF32.Seconds), seconds(n.seconds("full")), seconds(n.seconds("incremental")), unknown, unknown, unknown, unknown, unknown}
		if chosen != nil {
			row[6] = chosen.Name
			if chosen != best {
				row[6] += ", the slower"
			}
		}
		target := targets[n.Network]
		if target > 0 {
			row[9] = fmt.Sprintf("%gx", target)
		}
		if best != nil && n.PyTorch.Seconds > 0 {
			faster, faster32 := n.PyTorch.Seconds/best.Seconds, n.PyTorchTF32.Seconds/best.Seconds
			row[7], row[8] = fmt.Sprintf("%.2fx", faster), fmt.Sprintf("%.2fx", faster32)
			if target > 0 {
				row[10] = reached(faster >= target, faster32 >= target)
			}
		}
		t = append(t, row)
	}
	t.Print(w)

	fmt.Fprint(w, "\nDevice memory, MB: as the programs count it, and by nvidia-smi, which adds contexts and code.\n\n")
	t = report.Table{{"network", "Occlude", "PyTorch allocated", "PyTorch reserved", "Occlude below", "Occlude, nvidia-smi", "PyTorch, nvidia-smi"}}
	for _, n := range r.Results {
		below := unknown
		if n.Memory.Counted > 0 && n.PyTorch.Allocated > 0 {
			below = map[bool]string{true: "yes", false: "NO"}[n.Memory.Counted < n.PyTorch.Allocated]
		}
		t = append(t, []string{n.Network, megabytes(n.Memory.Counted), megabytes(n.PyTorch.Allocated), megabytes(n.PyTorch.Reserved), below, megabytes(n.Memory.Device), megabytes(n.PyTorch.Device)})
	}
	t.Print(w)

	fmt.Fprint(w, "\nWhat the planner takes by itself")
	for i, n := range r.Results {
		fmt.Fprintf(w, "%s%s: %s", map[bool]string{true: " - ", false: "; "}[i == 0], n.Network, or(n.Auto))
	}
	fmt.Fprintln(w, ".")
	for _, n := range r.Results {
		for _, f := range n.Failed {
			fmt.Fprintf(w, "FAILED: %s, %s\n", n.Network, f)
		}
		for _, l := range n.LeftOut {
			fmt.Fprintf(w, "Left out: %s, %s\n", n.Network, l)
		}
	}
}

func or(s string) string {
	if s == "" {
		return unknown
	}
	return s
}

func apart(d *float64) string {
	switch {
	case d == nil:
		return unknown
	case *d > 1:
		return "another"
	}
	return fmt.Sprintf("%.1e", *d)
}

func seconds(s float64) string {
	if s == 0 {
		return unknown
	}
	return fmt.Sprintf("%.3g", s)
}

func megabytes(bytes int64) string {
	if bytes == 0 {
		return unknown
	}
	return fmt.Sprintf("%.0f", float64(bytes)/1e6)
}

// reached tells of PyTorch with tf32 off and with tf32 on.
func reached(off, on bool) string {
	switch {
	case off && on:
		return "yes"
	case off:
		return "tf32 off"
	}
	return "no"
}
