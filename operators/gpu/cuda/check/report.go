package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"occlude/operators/gpu/gputest"
)

// report is what the steps came to, printed as it comes.
type report struct {
	to       io.Writer
	begun    time.Time
	part     string // of the last line
	Outcomes []outcome
}

// Columns of the cases, and their headings.
const caseHeading, caseLine = "%-44s %8s %8s %6s", "%-44s %8.1e %8.1e %6.0f"

// headings are printed above the first line of a part.
var headings = map[string]string{
	loading:   "does the driver take the kernels?",
	functions: fmt.Sprintf("%-46s%8s", "functions of one number", "relative"),
	cases:     fmt.Sprintf(caseHeading, "kernels", "twin", "float64", "ms"),
	networks:  fmt.Sprintf(caseHeading, "networks", "twin", "float64", "ms"),
	rates:     fmt.Sprintf("%-54s %9s %17s %6s", "rates", "us", "", "peak"),
}

// add takes what a step came to. Those that were left out are counted in the end.
func (r *report) add(o outcome) {
	r.Outcomes = append(r.Outcomes, o)
	if o.Verdict == leftOut {
		return
	}
	if o.Part != r.part {
		fmt.Fprintf(r.to, "\n      %s\n", headings[o.Part])
		r.part = o.Part
	}
	line := fmt.Sprintf("%s  %-46s", o.Verdict, o.Name)
	switch {
	case o.Part == functions:
		line += fmt.Sprintf("%8.1e", o.Definition)
	case o.Part == cases || o.Part == networks:
		line = fmt.Sprintf("%s  "+caseLine, o.Verdict, o.Name, o.Twin, o.Definition, o.Took*1e3)
	case o.Rate != nil && o.Verdict == passed:
		line = fmt.Sprintf("%s  %-54s %s", o.Verdict, o.Name, figures(*o.Rate))
	}
	if o.Note != "" {
		line += "  " + o.Note
	}
	fmt.Fprintln(r.to, line)
}

// figures are a rate's time, what it comes to a second, and how much of the peak that is.
func figures(r gputest.Rate) string {
	text := fmt.Sprintf("%9.1f", r.Seconds*1e6)
	amount, unit := r.FLOP, "GFLOP/s"
	if amount == 0 {
		amount, unit = r.Bytes, "GB/s"
	}
	if amount == 0 || r.Seconds == 0 {
		return text
	}
	text += fmt.Sprintf(" %9.1f %-7s", amount/r.Seconds/1e9, unit)
	if r.Peak > 0 {
		text += fmt.Sprintf(" %5.1f%%", 100*amount/r.Seconds/r.Peak)
	}
	return text
}

// summarise counts. Whatever failed is an error, and so is nothing that was done.
func (r *report) summarise() error {
	count := map[string]int{}
	for _, o := range r.Outcomes {
		count[o.Verdict]++
	}
	fmt.Fprintf(r.to, "\n%d passed, %d failed, %d left out for want of time; %s\n", count[passed], count[failed], count[leftOut], time.Since(r.begun).Round(time.Second))
	for _, o := range r.Outcomes {
		if o.Verdict == failed {
			fmt.Fprintf(r.to, "FAIL  %s, %s: %s\n", o.Part, o.Name, o.Note)
		}
	}
	if count[failed] > 0 {
		return fmt.Errorf("%d of %d steps failed", count[failed], len(r.Outcomes))
	}
	return nil
}

// write writes the figures to a file, if one is named.
func (r *report) write(file string) error {
	if file == "" {
		return nil
	}
	text, err := json.MarshalIndent(struct {
		Seconds float64   `json:"seconds"`
		Steps   []outcome `json:"steps"`
	}{time.Since(r.begun).Seconds(), r.Outcomes}, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}
