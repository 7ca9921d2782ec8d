package metamorphic

import (
	"math/rand/v2"
	"slices"
	"strings"
)

// query is an OCCLUDE whose clauses can be exchanged one by one.
type query struct {
	image   string
	clauses []clause
	hints   []clause // of WITH
}

// clause is a clause or a hint: its first words, or its name, and what follows.
type clause struct{ key, text string }

func (c clause) hint() string { return c.key + " = " + c.text }

// text writes the query with its clauses in their own order.
func (q query) text() string { return q.ordered(nil) }

// ordered writes the query with its clauses, and the hints of WITH, in an order drawn
// from rng.
func (q query) ordered(rng *rand.Rand) string {
	hints := make([]string, len(q.hints))
	for i, h := range q.hints {
		hints[i] = h.hint()
	}
	var parts []string
	for _, c := range q.clauses {
		parts = append(parts, strings.TrimSpace(c.key+" "+c.text))
	}
	if rng != nil {
		rng.Shuffle(len(hints), func(i, j int) { hints[i], hints[j] = hints[j], hints[i] })
	}
	if len(hints) > 0 {
		parts = append(parts, "WITH ("+strings.Join(hints, ", ")+")")
	}
	if rng != nil {
		rng.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
	}
	return strings.Join(append([]string{"OCCLUDE '" + q.image + "' USING m"}, parts...), " ")
}

func put(list []clause, key, text string) []clause {
	i := slices.IndexFunc(list, func(c clause) bool { return c.key == key })
	if i < 0 {
		return append(slices.Clone(list), clause{key, text})
	}
	list = slices.Clone(list)
	list[i].text = text
	return list
}

func drop(list []clause, keys ...string) []clause {
	return slices.DeleteFunc(slices.Clone(list), func(c clause) bool { return slices.Contains(keys, c.key) })
}

func get(list []clause, key string) (string, bool) {
	i := slices.IndexFunc(list, func(c clause) bool { return c.key == key })
	if i < 0 {
		return "", false
	}
	return list[i].text, true
}

// with is the query with another clause.
func (q query) with(key, text string) query { q.clauses = put(q.clauses, key, text); return q }

// without is the query without some clauses.
func (q query) without(keys ...string) query { q.clauses = drop(q.clauses, keys...); return q }

// hinted is the query with another hint.
func (q query) hinted(key, text string) query { q.hints = put(q.hints, key, text); return q }

// unhinted is the query without some hints.
func (q query) unhinted(keys ...string) query { q.hints = drop(q.hints, keys...); return q }

// on is the query on another image.
func (q query) on(image string) query { q.image = image; return q }

func (q query) has(key string) bool { _, ok := get(q.clauses, key); return ok }

// exact is the query without what lets a plan approximate.
func (q query) exact() query {
	q = q.without("SSIM >=", "WITHIN", "VERIFY").unhinted("tau", "drill_down", "speedup", "sketches", "trend")
	if plan, _ := get(q.hints, "plan"); plan == "'approximate'" {
		q = q.unhinted("plan")
	}
	return q
}

// timeless is the query without what may give another answer each time.
func (q query) timeless() query {
	if q.has("WITHIN") {
		q = q.without("WITHIN").with("SSIM >=", "0.8")
	}
	return q
}

// smaller are the queries that lack one clause or hint of this one.
func (q query) smaller() (all []query) {
	for _, c := range q.clauses {
		all = append(all, q.without(c.key))
	}
	for _, h := range q.hints {
		all = append(all, q.unhinted(h.key))
	}
	return all
}
