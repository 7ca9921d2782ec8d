package rewrite

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"occlude/internal/network"
	"occlude/internal/network/networktest"
)

// networks is the number of random networks; a change of the rules deserves more
// once.
const networks = 150

// Every choice of rules leaves a sound network of the same function: all of
// them, all but one, one alone, and random subsets, on random networks that are
// full of what the rules look for.
func TestSubsets(t *testing.T) {
	fired := map[string]int{}
	for seed := range uint64(networks) {
		rng := rand.New(rand.NewPCG(seed, 7))
		text := randomNetwork(rng)
		n := parse(text)
		want, err := outputs(n)
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, text)
		}
		try := func(what string, enabled func(string) bool) {
			_, f, err := checkAgainst(want, n, enabled)
			if err != nil {
				t.Fatalf("seed %d, %s: %v", seed, what, err)
			}
			for _, f := range f {
				fired[f.Rule] += f.Count
			}
		}
		try("all rules", nil)
		for _, name := range Names() {
			try("all but "+name, func(r string) bool { return r != name })
			try("only "+name, func(r string) bool { return r == name })
		}
		for range 8 {
			subset := map[string]bool{}
			for _, name := range Names() {
				subset[name] = rng.IntN(2) == 0
			}
			try(fmt.Sprint(subset), func(r string) bool { return subset[r] })
		}
	}
	for _, name := range Names() {
		if fired[name] < 10 {
			t.Errorf("%s fired only %d times; the networks do not exercise it", name, fired[name])
		}
	}
}

// The same on networks of every op, which know nothing of the rules.
func TestSubsetsOfAnyNetwork(t *testing.T) {
	for seed := range uint64(500) {
		rng := rand.New(rand.NewPCG(seed, 8))
		n := networktest.Random(rng, networktest.Options{Side: 12})
		want, err := outputs(n)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		for i := range 3 {
			enabled := func(string) bool { return true }
			if i > 0 {
				subset := map[string]bool{}
				for _, name := range Names() {
					subset[name] = rng.IntN(2) == 0
				}
				enabled = func(rule string) bool { return subset[rule] }
			}
			if _, _, err := checkAgainst(want, n, enabled); err != nil {
				t.Fatalf("seed %d, choice %d: %v", seed, i, err)
			}
		}
	}
}

// writer writes a random network in the notation of the test data.
type writer struct {
	rng  *rand.Rand
	net  *parser // the network so far, for the shapes
	text string
	last string
}

func randomNetwork(rng *rand.Rand) string {
	w := &writer{rng: rng, net: &parser{layers: map[string]*network.Layer{}}}
	w.add("input %dx%dx%d", 5+rng.IntN(4), 5+rng.IntN(4), 2+2*rng.IntN(2))
	for range 3 + rng.IntN(4) {
		w.block()
	}
	w.head()
	if rng.IntN(3) == 0 {
		out := w.last
		w.add("softmax %s", w.last)
		w.last = out
	}
	return w.text + "output " + w.last + "\n"
}

// add writes a layer, which becomes the last one, and returns its name.
func (w *writer) add(format string, args ...any) string {
	name := fmt.Sprintf("l%d", len(w.net.layers))
	line := fmt.Sprintf(format, args...)
	w.net.line(name, strings.Fields(line))
	w.text += name + " = " + line + "\n"
	w.last = name
	return name
}

func (w *writer) shape() network.Shape { return w.net.layer(w.last).Shape }

// number writes a constant, per channel, single or for a whole map.
func (w *writer) number(value string) string {
	keep := w.last
	s := w.shape()
	shape := []string{"1x1x1", fmt.Sprintf("1x1x%d", s.C), fmt.Sprintf("%dx%dx%d", s.H, s.W, s.C)}[w.rng.IntN(3)]
	if value != "" {
		value = " value=" + value
	}
	name := w.add("const %s%s", shape, value)
	w.last = keep
	return name
}

func (w *writer) either(choices ...string) string { return choices[w.rng.IntN(len(choices))] }

// scaled writes l * k + t in one of its forms.
func (w *writer) scaled(l, k, t string) string {
	w.last = l
	if w.rng.IntN(2) == 0 {
		return w.add("affine %s scale=%s shift=%s", l, k, t)
	}
	if k != "1" {
		l = w.add("multiply %s %s", l, w.number(k))
	}
	if t != "0" {
		l = w.add("add %s %s", w.number(t), l)
	}
	return l
}

// block writes something that the rules look for, or almost.
func (w *writer) block() {
	// Maps that have become small or thick are brought back to size.
	if s := w.shape(); min(s.H, s.W) < 4 {
		w.add("pad %s 2 mode=edge", w.last)
	}
	if w.shape().C > 8 {
		w.add("channels %s 0-3", w.last)
	}
	x, s := w.last, w.shape()
	switch w.rng.IntN(14) {
	case 0: // convolution, batch norm, activation; one may miss
		w.conv(w.either("", "pad=1 bias", "stride=2", "pad=1,0,0,1"))
		if w.rng.IntN(4) > 0 {
			w.add("affine %s", w.last)
		}
		w.activation()
	case 1: // residual block
		w.add("conv %s 3x3 out=%d pad=1", x, s.C)
		if w.rng.IntN(2) == 0 {
			w.add("affine %s", w.last)
		}
		y := w.last
		if w.rng.IntN(3) == 0 {
			x = w.add("conv %s 1x1 out=%d bias", x, s.C)
		}
		w.add("add %s %s", x, y)
		w.activation()
	case 2: // arithmetic
		for range 1 + w.rng.IntN(3) {
			a, b := w.last, w.number("")
			if w.rng.IntN(3) == 0 {
				a, b = b, a
			}
			w.add("%s %s %s", w.either("add", "subtract", "multiply", "maximum"), a, b)
		}
	case 3: // x * gate(x)
		w.gate(x)
	case 4: // clips
		for range 2 + w.rng.IntN(2) {
			w.add("%s", w.either("relu "+w.last, "clip "+w.last+" alpha=-1 beta=2", "clip "+w.last+" alpha=0 beta=6",
				fmt.Sprintf("minimum %s %s", w.last, w.number("3")), fmt.Sprintf("maximum %s %s", w.number("0"), w.last)))
		}
	case 5: // padding and a window
		if w.rng.IntN(2) == 0 {
			w.add("relu %s", w.last)
		}
		w.add("pad %s %s %s", w.last, w.either("1", "1,0,1,0", "0,0,1,1"), w.either("value=0", "value=-inf", "value=0.5", "mode=edge"))
		opts := w.either("", "stride=2", "stride=2 ceil", "pad=1")
		if value := w.net.layer(w.last).Op.(network.Pad).Value; value == 0 && w.rng.IntN(2) == 0 {
			w.conv(w.either("", "pad=1"))
			return
		} else if value < 0 && opts == "pad=1" {
			opts = "" // a window with nothing but infinities would spoil the answer
		}
		w.add("max-pool %s 3x3 %s", w.last, opts)
	case 6: // padding and an average
		w.add("pad %s 1", w.last)
		w.add("average-pool %s 2x3 %s", w.last, w.either("", "pad=1", "pad=1 count-pad", "stride=2 ceil"))
	case 7: // split, shuffle, join
		h := s.C / 2
		if s.C < 2 {
			return
		}
		a := w.add("channels %s 0-%d", x, h-1)
		b := w.add("channels %s %d-%d", x, h, s.C-1)
		if w.rng.IntN(2) == 0 {
			b = w.add("relu %s", b)
		}
		c := w.add("concat %s", w.either(a+" "+b, b+" "+a, a+" "+b+" "+a))
		n := w.shape().C
		w.add("channels %s %s", c, w.either(fmt.Sprintf("0-%d", n-1), fmt.Sprintf("%d,0-%d", n-1, n-2), fmt.Sprintf("%d-%d", h, n-1)))
	case 8: // joined affines, and joins of joins
		a := w.scaled(x, "2", "1")
		b := w.add("affine %s", x)
		c := w.add("concat %s %s", a, b)
		if w.rng.IntN(2) == 0 {
			w.add("concat %s %s", x, c)
		}
		w.add("conv %s 1x1 out=4", w.last)
	case 9: // layers that change nothing, or nearly
		w.add("%s", w.either("identity "+x, "affine "+x+" scale=1 shift=0 act=tanh", "concat "+x, "pad "+x+" 0",
			fmt.Sprintf("channels %s 0-%d", x, s.C-1), fmt.Sprintf("slice %s 0:1:%d 0:1:%d", x, s.H, s.W-1), "max-pool "+x+" 1x1"))
	case 10: // squeeze-and-excitation
		w.add("global-pool %s %s", x, w.either("mean", "max"))
		w.add("conv %s 1x1 out=3 bias", w.last)
		w.activation()
		w.add("conv %s 1x1 out=%d bias", w.last, s.C)
		w.add("%s", w.either("sigmoid "+w.last, "hard-sigmoid "+w.last+" alpha=0.2 beta=0.5"))
		w.add("multiply %s %s", x, w.last)
	case 11: // the same twice
		f := w.either("max-pool %s 2x2", "relu %s", "global-pool %s mean")
		w.add("add %s %s", w.add(f, x), w.add(f, x))
	case 12: // constants
		a, b := w.number(""), w.number("")
		c := w.add("%s %s %s", w.either("add", "divide", "multiply"), a, b)
		w.last = x
		w.add("multiply %s %s", x, c)
	case 13: // prelu, and normalization that is no constant
		w.add("%s", w.either("prelu "+x+" slope=0.1", "prelu "+x+" slope=0.1", "prelu "+x, "instance-norm "+x, "lrn "+x))
	}
}

func (w *writer) conv(opts string) {
	s := w.shape()
	k := min(3, s.H, s.W)
	if w.rng.IntN(3) == 0 {
		opts += fmt.Sprintf(" groups=%d", s.C)
	}
	w.add("conv %s %dx%d out=%d %s", w.last, k, k, 2*s.C-s.C*w.rng.IntN(2), opts)
}

func (w *writer) activation() {
	w.add("%s %s %s", w.either("relu", "elu", "tanh", "identity", "leaky-relu"), w.last, "alpha=0.5")
}

// gate writes x * gate(x) in one of the forms that exporters use.
func (w *writer) gate(x string) {
	var g string
	factor := "1"
	switch w.rng.IntN(5) {
	case 0:
		g = w.add("sigmoid %s", w.scaled(x, w.either("1", "1.7"), w.either("0", "0", "1")))
	case 1:
		g = w.add("hard-sigmoid %s alpha=0.2 beta=0.5", x)
	case 2:
		g = w.add("clip %s alpha=0 beta=6", w.scaled(x, "1", "3"))
		factor = "1/6"
	case 3:
		e := w.add("erf %s", w.scaled(x, "0.70710678", "0"))
		g = w.scaled(e, "1", "1")
		factor = "0.5"
	case 4:
		g = w.add("tanh %s", w.add("softplus %s", x))
	}
	switch w.rng.IntN(4) {
	case 0:
		x = w.scaled(x, factor, "0")
	case 1:
		g = w.scaled(g, factor, "0")
	case 2:
		w.scaled(w.add("multiply %s %s", x, g), factor, "0")
		return
	case 3: // a gate that is not all there
	}
	w.add("multiply %s", w.either(x+" "+g, g+" "+x))
}

func (w *writer) head() {
	s := w.shape()
	switch w.rng.IntN(4) {
	case 0:
		w.add("flatten %s", w.last)
	case 1:
		w.add("flatten %s", w.add("global-pool %s mean", w.last))
	case 2:
		w.add("conv %s %dx%d out=5 bias", w.last, s.W, s.H)
		return
	case 3:
		w.add("reshape %s %dx%dx%d", w.last, s.W, s.H, s.C)
	}
	w.add("dense %s 5 bias", w.last)
	w.activation()
	if w.rng.IntN(2) == 0 {
		w.add("affine %s", w.last)
		w.add("dense %s 4", w.last)
	}
}
