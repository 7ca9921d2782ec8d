package planner

import (
	"maps"
	"slices"
	"strings"

	"occlude/lang"
)

// ModelOptions lists the options of CREATE MODEL, for completion.
func ModelOptions() []string { return names(modelOptions) }

// QueryOptions lists the options of OCCLUDE, for completion.
func QueryOptions() []string { return names(queryTable) }

// ModelOptionValues lists the words that an option of CREATE MODEL takes, none where it
// takes something else.
func ModelOptionValues(name string) []string { return modelOptionWords[name] }

// QueryOptionValues lists the words that an option of OCCLUDE takes, none where it takes
// something else.
func QueryOptionValues(name string) []string {
	for _, o := range queryOptionTable {
		if o.Name != name {
			continue
		}
		words := strings.Split(o.Values, ", ")
		if len(words) > 1 && !slices.ContainsFunc(words, func(w string) bool { return strings.Contains(w, " ") }) {
			return words
		}
	}
	return nil
}

// Plans lists the names of plans.
func Plans() []string { return []string{PlanFull, PlanIncremental, PlanApproximate} }

func names[T any](table map[string]func(*T, lang.Value) error) []string {
	return slices.Sorted(maps.Keys(table))
}
