package planner

import (
	"maps"
	"slices"

	"occlude/lang"
)

// ModelOptions lists the options of CREATE MODEL, for completion.
func ModelOptions() []string { return names(modelOptions) }

// QueryOptions lists the options of OCCLUDE, for completion.
func QueryOptions() []string { return names(queryTable) }

// Plans lists the names of plans.
func Plans() []string { return []string{PlanFull, PlanIncremental, PlanApproximate} }

func names[T any](table map[string]func(*T, lang.Value) error) []string {
	return slices.Sorted(maps.Keys(table))
}
