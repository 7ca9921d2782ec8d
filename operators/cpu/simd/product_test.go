package simd

import (
	"bytes"
	"math"
	"math/rand/v2"
	"runtime"
	"runtime/pprof"
	"slices"
	"sync"
	"testing"
	"unsafe"
)

// productCase is a Product with all that it reads and writes among canaries.
type productCase struct {
	rows, columns, panel int
	segments             []int // in values
	length               int

	in, weights, bias, add, out []float32
	starts, outs, adds          []int // where the rows are, in values
	inspect                     []func(*testing.T)
	product                     Product
}

// newProductCase makes rows of k = segments*length values. What the rows do not
// reach of the input, and the columns that are not wanted, are canaries too.
func newProductCase(rng *rand.Rand, panel, rows, columns, segments, length int) *productCase {
	c := &productCase{rows: rows, columns: columns, panel: panel, length: length}
	guard := func(what string, n int) []float32 {
		data, inspect := guarded(n)
		c.inspect = append(c.inspect, func(t *testing.T) { inspect(t, what) })
		return data
	}
	at := 0
	for range segments {
		c.segments = append(c.segments, at)
		at += length + rng.IntN(5)
	}
	rng.Shuffle(segments, func(i, j int) { c.segments[i], c.segments[j] = c.segments[j], c.segments[i] })
	first := 0
	for range rows {
		c.starts = append(c.starts, first)
		first += 1 + rng.IntN(4)
	}
	rng.Shuffle(rows, func(i, j int) { c.starts[i], c.starts[j] = c.starts[j], c.starts[i] })
	c.in = guard("the input", first+at)
	for _, start := range c.starts {
		for _, s := range c.segments {
			fillRandom(rng, c.in[start+s:start+s+length])
		}
	}
	c.weights = guard("the weights", segments*length*panel)
	c.bias = guard("the bias", panel)
	fillRandom(rng, c.bias[:columns])
	for k := range segments * length {
		fillRandom(rng, c.weights[k*panel:k*panel+columns])
	}
	c.out, c.outs = c.place(rng, guard("the output", rows*(columns+3)))
	c.add, c.adds = c.place(rng, guard("what is added", rows*(columns+3)))

	c.product = Product{
		Length:  length,
		Weights: &c.weights[0],
		Bias:    &c.bias[0],
		Columns: columns,
		Low:     float32(math.Inf(-1)),
		High:    float32(math.Inf(1)),
	}
	shift := rng.IntN(3) * panel
	c.product.OutShift = 4 * shift
	for _, s := range c.segments {
		c.product.Segments = append(c.product.Segments, 4*s)
	}
	for r := range rows {
		c.product.In = append(c.product.In, unsafe.Pointer(&c.in[c.starts[r]]))
		c.product.Out = append(c.product.Out, unsafe.Add(unsafe.Pointer(&c.out[c.outs[r]]), -4*shift))
		c.product.Add = append(c.product.Add, unsafe.Add(unsafe.Pointer(&c.add[c.adds[r]]), -4*shift))
	}
	return c
}

// place puts the rows of an output anywhere in data, apart from each other, with
// random values in their columns.
func (c *productCase) place(rng *rand.Rand, data []float32) ([]float32, []int) {
	starts := rng.Perm(c.rows)
	for i := range starts {
		starts[i] = starts[i]*(c.columns+3) + rng.IntN(4)
		fillRandom(rng, data[starts[i]:starts[i]+c.columns])
	}
	return data, starts
}

// want is the product by its definition, in float64, and how large the terms of
// each sum are.
func (c *productCase) want() (want, size [][]float64) {
	p := &c.product
	for r := range c.rows {
		sums, sizes := make([]float64, c.columns), make([]float64, c.columns)
		for j := range sums {
			start := c.out[c.outs[r]+j]
			if p.Bias != nil {
				start = c.bias[j]
			}
			sums[j] = float64(start)
			sizes[j] = math.Abs(sums[j])
			for g, s := range c.segments {
				for i := range c.length {
					v := float64(c.in[c.starts[r]+s+i]) * float64(c.weights[(g*c.length+i)*c.panel+j])
					sums[j] += v
					sizes[j] += math.Abs(v)
				}
			}
			if len(p.Add) > 0 {
				sums[j] += float64(c.add[c.adds[r]+j])
			}
			sums[j] = min(max(sums[j], float64(p.Low)), float64(p.High))
		}
		want, size = append(want, sums), append(size, sizes)
	}
	return want, size
}

// checkUntouched checks that nothing beside the wanted outputs was written.
func (c *productCase) checkUntouched(t *testing.T) {
	t.Helper()
	for _, inspect := range c.inspect {
		inspect(t)
	}
	outside := slices.Clone(c.out)
	for _, at := range c.outs {
		for j := range c.columns {
			outside[at+j] = canary
		}
	}
	for i, v := range outside {
		if !isCanary(v) {
			t.Errorf("wrote %v between the rows, at %d", v, i)
		}
	}
}

// generic is the same product for the set in Go: panels of four columns, to be
// run one after the other.
func (c *productCase) generic() []*Product {
	var panels []*Product
	k := len(c.segments) * c.length
	for first := 0; first < c.columns; first += generic.Panel {
		q := c.product
		q.Columns = min(generic.Panel, c.columns-first)
		q.OutShift += 4 * first
		weights := make([]float32, k*generic.Panel)
		for i := range k {
			copy(weights[i*generic.Panel:][:q.Columns], c.weights[i*c.panel+first:])
		}
		q.Weights = &weights[0]
		if q.Bias != nil {
			q.Bias = &slices.Concat(c.bias[first:first+q.Columns], make([]float32, generic.Panel))[0]
		}
		panels = append(panels, &q)
	}
	return panels
}

// randomly takes some of the product's options.
func (c *productCase) randomly(rng *rand.Rand) {
	p := &c.product
	if rng.IntN(3) == 0 {
		p.Bias = nil
	}
	if rng.IntN(2) == 0 {
		p.Add = nil
	}
	switch rng.IntN(4) {
	case 0:
		p.Low = 0
	case 1:
		p.Low, p.High = 0, 0.5
	case 2:
		p.High = 0.25
	}
}

// TestProduct runs random products with every set: against float64, against
// the set in Go, and with the rows in another order and one at a time.
func TestProduct(t *testing.T) {
	for _, set := range Available() {
		t.Run(set.Name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, 100))
			check := func(rows, columns, segments, length int) {
				t.Helper()
				c := newProductCase(rng, set.Panel, rows, columns, segments, length)
				c.randomly(rng)
				checkProduct(t, rng, set, c)
				if t.Failed() {
					t.Fatalf("%d rows, %d columns, %d segments of %d, bias %v, add %v, clamped to %v..%v", rows, columns,
						segments, length, c.product.Bias != nil, len(c.product.Add) > 0, c.product.Low, c.product.High)
				}
			}
			for rows := range 3*set.Rows + 1 {
				for columns := 1; columns <= set.Panel; columns += 1 + rng.IntN(3) {
					check(rows, columns, 1+rng.IntN(4), 1+rng.IntN(12))
				}
				check(rows, set.Panel, 3, 8)
			}
			for columns := 1; columns <= set.Panel; columns++ {
				check(set.Rows, columns, 2, 5)
			}
			for _, length := range []int{1, 2, 3, 4, 5, 7, 8, 9, 21, 64, 300} {
				for _, segments := range []int{1, 2, 3, 7} {
					check(1+rng.IntN(30), 1+rng.IntN(set.Panel), segments, length)
				}
			}
		})
	}
}

func checkProduct(t *testing.T, rng *rand.Rand, set *Set, c *productCase) {
	t.Helper()
	before := slices.Clone(c.out)
	want, size := c.want()
	set.Run(&c.product)
	c.checkUntouched(t)
	for r, at := range c.outs {
		for j, v := range c.out[at : at+c.columns] {
			if d := math.Abs(float64(v) - want[r][j]); !(d <= 1e-6*(1+size[r][j])) {
				t.Errorf("row %d of %d, column %d is %v, not %v", r, c.rows, j, v, want[r][j])
			}
		}
	}
	got := slices.Clone(c.out)

	copy(c.out, before)
	for _, p := range c.generic() {
		generic.Run(p)
	}
	for r, at := range c.outs {
		for j, v := range c.out[at : at+c.columns] {
			if d := math.Abs(float64(v - got[at+j])); !(d <= 2e-6*(1+size[r][j])) {
				t.Errorf("row %d of %d, column %d is %v, in Go %v", r, c.rows, j, got[at+j], v)
			}
		}
	}

	copy(c.out, before)
	shuffled := c.product
	rows := func(from []unsafe.Pointer, order []int) []unsafe.Pointer {
		var to []unsafe.Pointer
		for _, r := range order[:min(len(order), len(from))] {
			to = append(to, from[r])
		}
		return to
	}
	order := rng.Perm(c.rows)
	shuffled.In, shuffled.Out, shuffled.Add = rows(c.product.In, order), rows(c.product.Out, order), rows(c.product.Add, order)
	set.Run(&shuffled)
	if !sameBits(c.out, got) {
		t.Error("other values with the rows in another order")
	}

	copy(c.out, before)
	for r := range c.rows {
		one := c.product
		one.In, one.Out, one.Add = rows(c.product.In, []int{r}), rows(c.product.Out, []int{r}), rows(c.product.Add, []int{r})
		set.Run(&one)
	}
	if !sameBits(c.out, got) {
		t.Error("other values with the rows one at a time")
	}
}

// TestProductOfNaN checks that NaN passes the clamps, and stays in its row, and
// that infinities do not.
func TestProductOfNaN(t *testing.T) {
	for _, set := range Available() {
		t.Run(set.Name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, 110))
			for rows := 2; rows <= set.Rows+3; rows++ {
				for _, columns := range []int{set.Panel, max(1, set.Panel/2-1)} {
					c := newProductCase(rng, set.Panel, rows, columns, 1, 9)
					c.product.Low, c.product.High = 0, 1
					nan, inf := c.starts[0], c.starts[1]
					in := slices.Repeat([]float32{0.5}, len(c.in))
					in[inf+4] = float32(math.Inf(1))
					in[nan+3] = float32(math.NaN())
					copy(c.in, in)
					set.Run(&c.product)
					for r, start := range c.starts {
						reaches := func(i int) bool { return start <= i && i < start+9 }
						for _, v := range c.out[c.outs[r] : c.outs[r]+columns] {
							if isNaN := v != v; isNaN != reaches(nan+3) {
								t.Fatalf("%d rows, %d columns: row %d gives %v", rows, columns, r, v)
							} else if !isNaN && (v < 0 || v > 1 || reaches(inf+4) && v != 0 && v != 1) {
								t.Fatalf("%d rows, %d columns: row %d gives %v, clamped to 0..1", rows, columns, r, v)
							}
						}
					}
				}
			}
		})
	}
}

// TestProductWhileCollected runs products on several goroutines that start with
// small stacks, while the garbage collector and a profile interrupt them.
func TestProductWhileCollected(t *testing.T) {
	var profile bytes.Buffer
	if err := pprof.StartCPUProfile(&profile); err != nil {
		t.Skip(err) // the test run itself is being profiled
	}
	defer pprof.StopCPUProfile()
	for _, set := range Available() {
		rng := rand.New(rand.NewPCG(1, 120))
		var cases []*productCase
		for range 4 {
			cases = append(cases, newProductCase(rng, set.Panel, 40, set.Panel, 9, 64))
		}
		stop := make(chan struct{})
		var collector, workers sync.WaitGroup
		collector.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					runtime.GC()
				}
			}
		})
		for _, c := range cases {
			set.Run(&c.product)
			want := slices.Clone(c.out)
			workers.Go(func() {
				for range 100 {
					set.Run(&c.product)
					if !sameBits(c.out, want) {
						t.Errorf("%s: other values while garbage is collected", set.Name)
						return
					}
				}
			})
		}
		workers.Wait()
		close(stop)
		collector.Wait()
	}
}

// TestProductAllocates checks that running a product takes no memory.
func TestProductAllocates(t *testing.T) {
	for _, set := range Available() {
		c := newProductCase(rand.New(rand.NewPCG(1, 130)), set.Panel, 29, set.Panel, 3, 8)
		if n := testing.AllocsPerRun(20, func() { set.Run(&c.product) }); n > 0 {
			t.Errorf("%s: %v allocations", set.Name, n)
		}
	}
}
