package planner

import (
	"slices"
	"strings"

	"occlude/internal/settings"
	"occlude/lang"
	"occlude/operators"
)

// Hint describes an option of OCCLUDE for people.
type Hint struct{ Name, Values, Default, Meaning string }

// queryOption is a hint and how its value is read.
type queryOption struct {
	Hint
	read func(*queryOptions, lang.Value) error
}

// Words of hints that turn something on or off.
const (
	hintAuto = "auto"
	hintOn   = "on"
	hintOff  = "off"
)

// queryOptionTable is the one place where an option of OCCLUDE is made.
var queryOptionTable = []queryOption{
	{Hint{"plan", "full, incremental, approximate", "the cheapest", "the plan to use; the first two are exact"},
		func(q *queryOptions, v lang.Value) error {
			q.approximate.plan = v
			return word(func(q *queryOptions, s string) { q.plan = s }, PlanFull, PlanIncremental, PlanApproximate)(q, v)
		}},
	{Hint{"tau", "above 0, at most 1", "1", "the most of a layer's width and height that is computed; with a goal, of sketches"},
		func(q *queryOptions, v lang.Value) (err error) {
			q.approximate.tau, err = share("tau", v)
			return err
		}},
	{Hint{"drill_down", "above 0, at most 1", "0.25 with speedup", "the part of the positions that is computed after a coarse map"},
		func(q *queryOptions, v lang.Value) (err error) {
			q.approximate.fraction, err = share("drill_down", v)
			return err
		}},
	{Hint{"speedup", "above 0", "3 with drill_down", "how many times fewer positions drill-down should compute"},
		func(q *queryOptions, v lang.Value) (err error) {
			q.approximate.speedup, err = positive("speedup", v)
			return err
		}},
	{Hint{"sketches", "auto, on, off", "auto", "with a goal, whether samples are computed cheaply and corrected by gradients"},
		func(q *queryOptions, v lang.Value) error {
			return q.sampling("sketches", v, func(q *queryOptions, s string) { q.sketches = s })
		}},
	{Hint{"trend", "auto, on, off", "auto", "with a goal, whether the first layers are computed at all positions, as the map's trend"},
		func(q *queryOptions, v lang.Value) error {
			return q.sampling("trend", v, func(q *queryOptions, s string) { q.trend = s })
		}},
	{Hint{"edge", "cover, drop", "cover", "drop leaves out the positions flush with the far edge that are not on the grid"},
		word(func(q *queryOptions, s string) { q.dropRim = s == "drop" }, "cover", "drop")},
	{Hint{"batch", "n", "the planner's choice", "positions computed together"},
		func(q *queryOptions, v lang.Value) (err error) {
			q.batch, err = wholeNumber(v, 1)
			return err
		}},
	{Hint{"threads", "n", "the setting threads", "workers, of which memory_limit takes none away"},
		func(q *queryOptions, v lang.Value) (err error) {
			q.threads, err = wholeNumber(v, 1)
			return err
		}},
	{Hint{"kernels", "auto, avx512, avx2, generic", "the setting kernels", "the processor's instructions that kernels are made of"},
		func(*queryOptions, lang.Value) error { return nil }}, // see binder.override
	{Hint{"convolution", strings.Join(convolutions(), ", "), ConvolutionAuto, "the algorithm for every convolution that it can compute; 'tensor' is a GPU's"},
		func(q *queryOptions, v lang.Value) error {
			if err := word(func(q *queryOptions, s string) { q.accuracy.convolution = s }, convolutions()...)(q, v); err != nil {
				return err
			}
			q.convolutionAt = v
			a := operators.Algorithm(q.accuracy.convolution)
			if !slices.Contains(q.accuracy.off, a) {
				return nil
			}
			return lang.Errorf(v.Span(), "%s is ruled out by %s", a, offBy([]string{settings.SwitchOf(choiceOf(a))})).WithHint("RESET it, or leave out the hint")
		}},
	{Hint{"tolerance", "above 0, at most 1", "1e-4", "the most that probabilities may be off by rounding, as far as can be foreseen"},
		func(q *queryOptions, v lang.Value) error {
			n, err := numbers(v, 1)
			if err != nil {
				return err
			}
			if n[0] <= 0 || n[0] > 1 {
				return lang.Errorf(v.Span(), "%s is no difference of probabilities, above 0 and at most 1", v)
			}
			q.accuracy.tolerance, q.tolerance = n[0], v
			return nil
		}},
	{Hint{"device", "auto, cpu, cuda:0", "the setting device", "where to compute: auto chooses, cuda:0 is the first GPU, without which the query fails"},
		func(q *queryOptions, v lang.Value) error { // see binder.override
			q.deviceAt = v
			return nil
		}},
	{Hint{"seed", "n", "42", "of random choices: which positions to sample and to verify"},
		func(q *queryOptions, v lang.Value) (err error) {
			q.seed, err = wholeNumber(v, 0)
			return err
		}},
}

// queryTable finds the readers by name.
var queryTable = func() map[string]func(*queryOptions, lang.Value) error {
	readers := map[string]func(*queryOptions, lang.Value) error{}
	for _, o := range queryOptionTable {
		readers[o.Name] = o.read
	}
	return readers
}()

// Hints lists the options of OCCLUDE.
func Hints() []Hint {
	all := make([]Hint, len(queryOptionTable))
	for i, o := range queryOptionTable {
		all[i] = o.Hint
	}
	return all
}

// convolutions are the words that the option of this name takes.
func convolutions() []string {
	words := []string{ConvolutionAuto}
	for _, a := range append(operators.AllAlgorithms(), operators.Tensor) {
		words = append(words, string(a))
	}
	return words
}

// sampling reads a hint that only plans that sample can obey.
func (q *queryOptions) sampling(name string, v lang.Value, set func(*queryOptions, string)) error {
	q.ofSampling = append(q.ofSampling, &numberHint{name: name, at: v})
	if text, ok := map[string]string{"true": hintOn, "false": hintOff}[plainText(v)]; ok { // as the language reads on and off
		set(q, text)
		return nil
	}
	return word(set, hintAuto, hintOn, hintOff)(q, v)
}

// checkSampling refuses hints about sampling where nothing is sampled, and those that
// contradict each other.
func (q *queryOptions) checkSampling(goals Goals) error {
	if len(q.ofSampling) == 0 {
		return nil
	}
	first := q.ofSampling[0]
	switch {
	case q.adaptive == nil && goals.SSIM > mostPromised:
		return lang.Errorf(first.at.Span(), "%s is for plans that sample, and with SSIM above %g the map is exact", first.name, mostPromised).
			WithHint("plan = 'approximate' samples all the same")
	case q.adaptive == nil:
		return lang.Errorf(first.at.Span(), "%s is for plans that sample", first.name).WithHint("SSIM >= q or WITHIN t let a plan sample a grid")
	case q.sketches == hintOff && q.approximate.tau != nil:
		return lang.Errorf(q.approximate.tau.at.Span(), "tau beside a goal is for sketches, which sketches = 'off' forbids").WithHint("leave out one of the two")
	case q.sketches == hintOff && q.trend == hintOn:
		return lang.Errorf(first.at.Span(), "the trend takes the gradients that sketches = 'off' forbids").WithHint("leave out one of the two")
	}
	for _, h := range []struct{ name, value string }{{"sketches", q.sketches}, {"trend", q.trend}} {
		if h.value == hintOn {
			q.sampled = strings.TrimPrefix(q.sampled+", "+h.name+" = on", ", ")
		}
	}
	return nil
}

// override lets hints take the place of settings for a statement.
func (b *binder) override(options []lang.Option) error {
	for _, o := range options {
		name := o.Name.Key()
		if name != "threads" && name != "kernels" && name != "device" {
			continue
		}
		changed, err := b.env.Settings.With(name, plainText(o.Value))
		if err != nil {
			return lang.Errorf(o.Value.Span(), "%w", err).WithHint(settingsValue(name, o.Value))
		}
		env := *b.env
		env.Settings, b.env = changed, &env
	}
	return nil
}

// settingsValue is a hint at what a value of a setting may be meant for, "" for none.
func settingsValue(name string, v lang.Value) string {
	if text := strings.ToLower(plainText(v)); name == "device" && (text == "gpu" || text == "nvidia") {
		return "the first GPU is cuda:0; SHOW DEVICES lists what there is"
	}
	for _, s := range settings.All() {
		if s.Name == name {
			return lang.DidYouMean(plainText(v), s.Values)
		}
	}
	return ""
}
