package main

import (
	"occlude/examples/benchmarks/internal/journal"
)

// record is what was measured of one query.
type record struct {
	Network   string `json:"network"`
	Profile   string `json:"profile"` // what its estimate rests on
	Name      string `json:"name"`
	Query     string `json:"query"`
	Threads   int    `json:"threads"`
	Patch     int    `json:"patch"`
	Stride    int    `json:"stride"`
	Plan      string `json:"plan"` // that ran
	Positions int    `json:"positions"`

	Estimate parts `json:"estimate"`
	Actual   parts `json:"actual"`
	// Others are the seconds of the plans that were not chosen, by their hints, and
	// Chosen those of the chosen one: the least of runs in turn with each other.
	Others map[string]float64 `json:"others,omitempty"`
	Chosen float64            `json:"chosen,omitempty"`
}

// parts are seconds, and the most bytes of activations.
type parts struct {
	Seconds float64 `json:"seconds"`
	Low     float64 `json:"low,omitempty"` // of an estimate's range
	High    float64 `json:"high,omitempty"`
	Base    float64 `json:"base"`
	Bytes   float64 `json:"bytes"`
}

type key struct {
	network, profile, query string
	threads                 int
}

func (r *record) key() key { return key{r.Network, r.Profile, r.Query, r.Threads} }

// log are the records, which go to a file as they come.
type log = journal.Journal[key, record]
