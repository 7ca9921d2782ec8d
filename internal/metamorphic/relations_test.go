package metamorphic

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"occlude/executor"
	"occlude/internal/settings"
	"occlude/lang"
	"occlude/operators"
	"occlude/operators/cpu/simd"
)

// relations are all that is demanded.
var relations = []relation{
	{name: "threads", holds: threads},
	{name: "batch", holds: batch},
	{name: "memory", holds: memory},
	{name: "progressive", holds: progressive},
	{name: "kept views", holds: kept},
	{name: "order", holds: order},
	{name: "printed", holds: printed},
	{name: "plans", holds: plans},
	{name: "kernels", holds: kernels},
	{name: "convolution", holds: convolution},
	{name: "device", holds: device},
	{name: "switches", holds: switches},
	{name: "region", holds: where},
	{name: "listed", holds: listed},
	{name: "classes", holds: classes},
	{name: "predict", holds: predict},
	{name: "truth", holds: truth},
	{name: "cancelled", holds: cancelled},
	{name: "pattern", holds: pattern},
	{name: "files", holds: files},
	{name: "copy", holds: copies},
	{name: "table", holds: table},
	{name: "analyze", holds: analyze},
	{name: "compare", holds: compare},
	{name: "benchmark", holds: benchmark},
	{name: "evaluate", holds: evaluate},
	{name: "unchanged", holds: unchanged},
	{name: "covered", holds: covered},
	{name: "reference", holds: referred},
	{name: "shifted", holds: shifted, own: true},
	{name: "poisoned", holds: poisoned, own: true},
	{name: "promise", holds: promise, own: true, every: 4},
}

// against compares a query's answer with those to variants of it.
func (k *trial) against(q string, variants ...variant) error {
	first, err := k.answer(q)
	if err != nil {
		return err
	}
	for _, v := range variants {
		h, err := k.answer(v.text, v.settings...)
		if err == nil {
			err = k.agree(first, h)
		}
		if err != nil {
			return fmt.Errorf("%s%s\n%w", strings.Join(append(v.settings, ""), "; "), v.text, err)
		}
	}
	return nil
}

// variant is a query that means the same as another, and settings for it.
type variant struct {
	text     string
	settings []string
}

func threads(k *trial, _ *rand.Rand, q query) error {
	q = q.timeless().unhinted("threads")
	return k.against(q.hinted("threads", "1").text(),
		variant{q.hinted("threads", "2").text(), nil}, variant{q.text(), []string{"SET threads = 5"}})
}

func batch(k *trial, _ *rand.Rand, q query) error {
	q = q.timeless().unhinted("batch")
	return k.against(q.text(), variant{q.hinted("batch", "1").text(), nil}, variant{q.hinted("batch", "3").text(), nil},
		variant{q.hinted("batch", "64").text(), nil})
}

// memory leaves the plan less than it would take, so that it makes do with fewer threads
// or smaller batches.
func memory(k *trial, rng *rand.Rand, q query) error {
	q = q.timeless().unhinted("threads", "batch")
	first, err := k.answer(q.text(), "SET threads = 4")
	if err != nil {
		return err
	}
	less := first.Plan.Chosen().Estimate.Memory.Workers
	limit := first.Plan.Chosen().Estimate.PeakBytes - less*int64(1+rng.IntN(9))/10
	h, err := k.answer(q.text(), "SET threads = 4", fmt.Sprintf("SET memory_limit = '%dB'", limit))
	if err != nil {
		if strings.Contains(err.Error(), "memory_limit") {
			return errSkip // not even one thread has room
		}
		return err
	}
	return k.agree(first, h)
}

// device asks a GPU, which is one in software, and that again in other batches and over the
// views that it has kept.
func device(k *trial, _ *rand.Rand, q query) error {
	q = q.timeless().unhinted("batch", "device", "convolution", "sketches", "trend")
	const gpu = "SET device = 'cuda:0'"
	if err := k.against(q.text(), variant{q.text(), []string{gpu}}); err != nil {
		return err
	}
	on, err := k.answer(q.text(), gpu)
	if err != nil {
		return err
	}
	if on.Plan.NoDevice != "" {
		return errSkip // an operator or a hint that is the processor's alone
	}
	for _, text := range []string{q.hinted("batch", "1").text(), q.hinted("batch", "7").with("PROGRESSIVE", "").text()} {
		h, err := k.again(text)
		if err == nil {
			err = k.agree(on, h)
		}
		if err != nil {
			return fmt.Errorf("%s; %s\n%w", gpu, text, err)
		}
	}
	return nil
}

func progressive(k *trial, _ *rand.Rand, q query) error {
	q = q.timeless().without("PROGRESSIVE")
	return k.against(q.text(), variant{q.with("PROGRESSIVE", "").text(), nil}, variant{q.text(), []string{"SET progressive = on"}})
}

// kept asks without keeping anything, and again, after other queries on the same image and
// on another.
func kept(k *trial, rng *rand.Rand, q query) error {
	q = q.timeless()
	first, err := k.answer(q.text())
	if err != nil {
		return err
	}
	if err := k.against(q.text(), variant{q.text(), []string{"SET view_cache = off"}}); err != nil {
		return err
	}
	others := []query{q.exact().hinted("plan", "'full'"), q.exact().on(k.pictures[0]), q.exact().without("FILL").hinted("convolution", "'direct'")}
	if _, err := k.run("RESET ALL"); err != nil {
		return err
	}
	for _, other := range []query{q, others[rng.IntN(len(others))], q, q} {
		h, err := k.again(other.text())
		if err == nil && other.text() == q.text() {
			err = k.agree(first, h)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func order(k *trial, rng *rand.Rand, q query) error {
	q = q.timeless()
	return k.against(q.text(), variant{q.ordered(rng), nil}, variant{q.ordered(rng), nil})
}

// printed prints what was parsed, and asks that.
func printed(k *trial, rng *rand.Rand, q query) error {
	text := q.timeless().ordered(rng)
	script, diagnostics := lang.Parse("trial", text+";")
	if err := diagnostics.Err(); err != nil {
		return err
	}
	again := script.Statements[0].String()
	if s, diagnostics := lang.Parse("printed", again+";"); diagnostics.Err() != nil || !lang.Equal(s.Statements[0], script.Statements[0]) {
		return differ("%s\nis printed as\n%s, %v", text, again, diagnostics.Err())
	}
	return k.against(text, variant{again, nil})
}

func plans(k *trial, _ *rand.Rand, q query) error {
	q = q.exact()
	return k.against(q.hinted("plan", "'full'").text(), variant{q.hinted("plan", "'incremental'").text(), nil}, variant{q.unhinted("plan").text(), nil})
}

func kernels(k *trial, _ *rand.Rand, q query) error {
	q = q.exact()
	var all []variant
	for _, s := range simd.Available() {
		all = append(all, variant{q.hinted("kernels", "'"+s.Name+"'").text(), nil},
			variant{q.unhinted("kernels").text(), []string{"SET kernels = '" + s.Name + "'"}})
	}
	return k.against(q.text(), all...)
}

func convolution(k *trial, _ *rand.Rand, q query) error {
	q = q.exact()
	var all []variant
	for _, a := range operators.AllAlgorithms() {
		all = append(all, variant{q.hinted("convolution", "'"+string(a)+"'").text(), nil})
	}
	return k.against(q.text(), all...)
}

// switches rules choices out, one at a time and some together.
func switches(k *trial, rng *rand.Rand, q query) error {
	q = q.exact().unhinted("convolution", "plan")
	var names []string
	for _, s := range settings.All() {
		if s.Kind == settings.KindSwitch {
			names = append(names, s.Name)
		}
	}
	var all []variant
	off := func(names []string) {
		v := variant{text: q.text()}
		for _, n := range names {
			v.settings = append(v.settings, "SET "+n+" = off")
		}
		all = append(all, v)
	}
	rng.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	for _, n := range names[:6] {
		off([]string{n})
	}
	rest := slices.DeleteFunc(names, func(n string) bool { return n == "enable_full" || n == "enable_incremental" })
	off(rest)
	off(rest[:len(rest)/2])
	off(append(rest[len(rest)/2:len(rest)*3/4], "enable_full"))
	return k.against(q.text(), all...)
}

// where compares the positions of a region with the same ones of the whole grid.
func where(k *trial, _ *rand.Rand, q query) error {
	if q = q.exact(); !q.has("WHERE") {
		return errSkip
	}
	some, err := k.answer(q.text())
	if err != nil {
		return err
	}
	whole, err := k.answer(q.without("WHERE").text())
	if err != nil {
		return err
	}
	var at []int
	g := whole.Plan.Grid
	for i, p := range g.Positions {
		if slices.Contains(some.Plan.Grid.Positions, p) {
			at = append(at, i)
		}
		if k.where == nil {
			continue
		}
		want := k.where.holds(float64(p.X), float64(p.Y), float64(g.PatchW), float64(g.PatchH))
		if want != slices.Contains(some.Plan.Grid.Positions, p) {
			return differ("the condition at (%d, %d) is %v", p.X, p.Y, want)
		}
	}
	if len(at) != len(some.Plan.Grid.Positions) {
		return differ("the region has positions that the grid has not")
	}
	return k.agreeAt(whole, some, at)
}

// listed asks for some positions of the grid by AT.
func listed(k *trial, rng *rand.Rand, q query) error {
	if q = q.exact().without("WHERE"); q.has("AT") {
		q = q.without("AT")
	}
	whole, err := k.answer(q.text())
	if err != nil {
		return err
	}
	var points []string
	at := rng.Perm(len(whole.Plan.Grid.Positions))
	at = at[:min(len(at), 7)]
	for _, i := range at {
		p := whole.Plan.Grid.Positions[i]
		points = append(points, fmt.Sprintf("(%d, %d)", p.X, p.Y))
	}
	some, err := k.answer(q.with("AT", strings.Join(points, ", ")).text())
	if err != nil {
		return err
	}
	return k.agreeAt(whole, some, at)
}

// classes asks for each of the most probable classes alone.
func classes(k *trial, _ *rand.Rand, q query) error {
	q = q.exact()
	all, err := k.answer(q.with("FOR", fmt.Sprintf("TOP %d", k.model.Classes)).text())
	if err != nil {
		return err
	}
	for i, m := range all.Classes {
		if i > 0 && m.P0 > all.Classes[i-1].P0 {
			return differ("class %d is more probable than the one before", i)
		}
		target := fmt.Sprintf("CLASS %d", m.ID)
		if k.labels && i%2 == 0 {
			target = fmt.Sprintf("CLASS 'class %d'", m.ID)
		}
		one, err := k.answer(q.with("FOR", target).text())
		if err != nil {
			return err
		}
		only := *all
		only.Classes = []executor.ClassMap{m}
		if err := k.agree(&only, one); err != nil {
			return err
		}
	}
	return nil
}

// predict compares p0 with PREDICT.
func predict(k *trial, _ *rand.Rand, q query) error {
	q = q.exact()
	h, err := k.answer(q.with("FOR", fmt.Sprintf("TOP %d", k.model.Classes)).text())
	if err != nil {
		return err
	}
	results, err := k.run(fmt.Sprintf("PREDICT '%s' USING m TOP %d", q.image, k.model.Classes))
	if err != nil {
		return err
	}
	k.measured.near++
	for _, row := range results[0].(*executor.Relation).Rows {
		m := classOf(h, row[3].(int))
		if m == nil || m.Label != row[4] {
			return differ("PREDICT knows class %v, the heat map %v", row[3:5], m)
		}
		if err := k.near("p0 of class "+m.Label, h, row[5].(float32), m.P0); err != nil {
			return err
		}
	}
	return nil
}
