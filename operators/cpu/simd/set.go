package simd

import (
	"fmt"
	"strings"
)

// Set is one implementation of all loops.
type Set struct {
	// Name is what SET kernels calls it.
	Name string
	// Lanes is the number of float32 values in a vector register.
	Lanes int
	// Rows and Panel are the size of a product's register tile.
	Rows, Panel int

	product func(*Product)
	peak    func(rounds int) (operations int)
	rows
	pools
	departures
	depthwise depthwise
	// winograd puts the set's own loops into an algorithm; nil if it has none.
	winograd func(*Winograd)
}

// Best is the fastest set that this processor has.
func Best() *Set { return available[0] }

// Available lists the sets that this processor has, the fastest first. The last
// one is generic.
func Available() []*Set { return append([]*Set(nil), available...) }

// Chosen is the named set, the best one for "".
func Chosen(name string) (*Set, error) {
	if name == "" {
		return Best(), nil
	}
	return Named(name)
}

// Named finds an available set by its name.
func Named(name string) (*Set, error) {
	names := make([]string, len(available))
	for i, s := range available {
		if s.Name == name {
			return s, nil
		}
		names[i] = s.Name
	}
	return nil, fmt.Errorf("this processor has no kernels called %q, it has %s", name, strings.Join(names, ", "))
}

// available is what this processor has, the fastest first.
var available = append(assembled(), generic)

// generic is plain Go.
var generic = &Set{
	Name:       "generic",
	Lanes:      1,
	Rows:       2,
	Panel:      4,
	product:    productGeneric,
	peak:       peakGeneric,
	rows:       rowsGeneric,
	pools:      poolsGeneric,
	departures: departuresGeneric,
	depthwise:  depthwise{run: depthwiseGeneric, block: genericBlock},
}
