package cost_test

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"

	"occlude/planner/cost"
)

// measured is a profile as ANALYZE MODEL makes them.
func measured() *cost.Profile {
	p := cost.Default()
	p.Kind, p.Model, p.Hash, p.Busy = cost.OfModel, "oct", "c0ffee", p.Kernels
	p.Spread, p.SpreadOther = cost.Spread{Least: 0.9, Most: 1.2}, cost.Spread{Least: 0.6, Most: 1.7}
	p.Own = &cost.Own{Base: 1.1, BaseBusy: 1.3, Layers: []cost.LayerFactors{
		{Index: 1, Layer: "conv1", By: "F(4x4)", Cells: []float64{4, 100}, Alone: []float64{1.5, 1}, Busy: []float64{1.25, 1.1}},
	}}
	return p
}

func entry() cost.Entry {
	return cost.Entry{CPU: "Test CPU", Cores: 2, Kernels: "avx2", Measured: "2026-03-01T12:00:00Z", Profile: measured()}
}

// What is written is read back, and lists of numbers are on one line each.
func TestBook(t *testing.T) {
	var file bytes.Buffer
	if err := cost.NewBook([]cost.Entry{entry()}, []*cost.Device{made()}, time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)).Write(&file); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{`"cells": [4, 100],`, `"one_thread": [1.5, 1],`, `"exported": "2026-03-02T00:00:00Z",`, `"seconds_per_run": "seconds of a layer`} {
		if !strings.Contains(file.String(), line) {
			t.Errorf("the file lacks %s:\n%s", line, file.String())
		}
	}
	b, err := cost.ParseBook(file.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if len(b.Entries) != 1 || !reflect.DeepEqual(b.Entries[0], entry()) {
		t.Errorf("%+v was read", b.Entries)
	}
	gpu := made()
	gpu.Spread = b.Devices[0].Spread // which it lacks
	if len(b.Devices) != 1 || !reflect.DeepEqual(b.Devices[0], gpu) || gpu.Spread.Most == 0 {
		t.Errorf("%+v was read", b.Devices)
	}
}

// A book may hold GPUs alone, or none, as those of versions that knew of none.
func TestBooksOfSomeKinds(t *testing.T) {
	for _, b := range []*cost.Book{
		cost.NewBook(nil, []*cost.Device{made()}, time.Now()), cost.NewBook([]cost.Entry{entry()}, nil, time.Now()),
	} {
		var file bytes.Buffer
		if err := b.Write(&file); err != nil {
			t.Fatal(err)
		}
		read, err := cost.ParseBook(file.Bytes())
		if err != nil || len(read.Entries) != len(b.Entries) || len(read.Devices) != len(b.Devices) {
			t.Errorf("%v of\n%s", err, file.String())
		}
		if len(b.Devices) == 0 && strings.Contains(file.String(), "gpu") {
			t.Errorf("nothing is of a GPU in\n%s", file.String())
		}
	}
}

// Every unit is that of a field that there is.
func TestUnits(t *testing.T) {
	var file bytes.Buffer
	p := measured()
	for _, r := range p.Kernels {
		r.Fresh = 3e9
	}
	e := entry()
	e.Profile = p
	if err := cost.NewBook([]cost.Entry{e}, []*cost.Device{made()}, time.Now()).Write(&file); err != nil {
		t.Fatal(err)
	}
	for _, of := range []struct{ units, profiles string }{{`"units": {`, `"calibrations"`}, {`"gpu_units": {`, `"gpus"`}} {
		_, rest, _ := strings.Cut(file.String(), of.units)
		units, rest, found := strings.Cut(rest, "}")
		_, profiles, _ := strings.Cut(rest, of.profiles)
		for line := range strings.Lines(units) {
			name, _, ok := strings.Cut(strings.TrimSpace(line), ":")
			if ok && !strings.Contains(profiles, name+":") {
				t.Errorf("%s: there is no field %s", of.units, name)
			}
		}
		if !found || len(units) < 100 {
			t.Errorf("%s is missing", of.units)
		}
	}
}

// A file that would mislead plans is refused, with what is wrong.
func TestBadBooks(t *testing.T) {
	for want, spoil := range map[string]func(*cost.Book){
		"format is":       func(b *cost.Book) { b.Format = "shopping list" },
		"version 7":       func(b *cost.Book) { b.Version = 7 },
		"no calibrations": func(b *cost.Book) { b.Entries, b.Devices = nil, nil },
		"lacks something": func(b *cost.Book) { b.Entries[0].CPU = "" },
		"no time":         func(b *cost.Book) { b.Entries[0].Measured = "yesterday" },
		"only of avx2":    func(b *cost.Book) { b.Entries[0].Kernels = "abacus" },
		"no profile":      func(b *cost.Book) { b.Entries[0].Profile = nil },
		"not measured on": func(b *cost.Book) { b.Entries[0].Profile.Kind = cost.Committed },
		"lacks its hash":  func(b *cost.Book) { b.Entries[0].Profile.Hash = "" },
		"version 2":       func(b *cost.Book) { b.Entries[0].Profile.Version = 2 },
		"layer conv1":     func(b *cost.Book) { b.Entries[0].Profile.Own.Layers[0].Cells[0] = 200 },
		"a spread of":     func(b *cost.Book) { b.Entries[0].Profile.Spread.Least = 3 },
		"base pass":       func(b *cost.Book) { b.Entries[0].Profile.Own.Base = 0 },
		"has no name":     func(b *cost.Book) { b.Devices[0].Name = "" },
		"on a card":       func(b *cost.Book) { b.Devices[0].Kind = cost.OfProperties },
		"GPU 1: measured": func(b *cost.Book) { b.Devices[0].Measured = "" },
		"processors":      func(b *cost.Book) { b.Devices[0].Processors = 0 },
		"GPU 1: version":  func(b *cost.Book) { b.Devices[0].Version = 1 },
		"all cores":       func(b *cost.Book) { b.Entries[0].Profile.Busy = map[string]*cost.Rates{"avx2": nil} },
	} {
		b := cost.NewBook([]cost.Entry{entry()}, []*cost.Device{made()}, time.Now())
		spoil(b)
		var file bytes.Buffer
		if err := b.Write(&file); err != nil {
			t.Fatal(err)
		}
		if _, err := cost.ParseBook(file.Bytes()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not tell of %q", err, want)
		}
	}
	var file bytes.Buffer
	if err := cost.NewBook([]cost.Entry{entry()}, []*cost.Device{made()}, time.Now()).Write(&file); err != nil {
		t.Fatal(err)
	}
	if _, err := cost.ParseBook(append(file.Bytes(), "{}"...)); err == nil || !strings.Contains(err.Error(), "something follows") {
		t.Errorf("two values in a file: %v", err)
	}
	if _, err := cost.ParseBook([]byte("[1, 2]")); err == nil {
		t.Error("a list of numbers is accepted")
	}
}
