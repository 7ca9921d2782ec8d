package compensation_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"occlude/internal/imageio"
	"occlude/internal/model"
	"occlude/internal/network"
	"occlude/internal/network/networktest"
	"occlude/operators"
	"occlude/operators/compensation"
	"occlude/operators/cpu"
	"occlude/operators/gradient"
	"occlude/operators/region"
)

// chain makes a network of ops one behind the other.
func chain(t testing.TB, in network.Shape, ops ...network.Op) *network.Network {
	t.Helper()
	net := network.New("image", in)
	for _, op := range ops {
		if _, err := net.Add(op.Kind(), op, net.Output); err != nil {
			t.Fatal(err)
		}
	}
	net.Sort()
	return net
}

var (
	relu    = network.Activation{Fn: network.Relu}
	sigmoid = network.Activation{Fn: network.Sigmoid}
	mean    = network.GlobalPool{Fn: network.Mean}
)

// However a network ends, the objectives are taken where it has its last values.
func TestEndings(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 35))
	in := network.Shape{H: 9, W: 9, C: 2}
	body := []network.Op{conv(rng, 2, 6, relu), mean}
	last := dense(rng, 6, 3)
	logOdds := func(p float64) float64 { return math.Log(p) - math.Log1p(-p) }
	for name, c := range map[string]struct {
		ops  []network.Op
		want map[gradient.Kind]func(y float64) float64
	}{
		"sigmoid": {
			[]network.Op{last, network.Pointwise{Act: sigmoid}},
			map[gradient.Kind]func(y float64) float64{gradient.LogOdds: logOdds, gradient.LogProbability: math.Log, gradient.Score: same},
		},
		"fused sigmoid": {
			[]network.Op{last.WithActivation(sigmoid)},
			map[gradient.Kind]func(y float64) float64{gradient.LogOdds: logOdds, gradient.LogProbability: math.Log, gradient.Score: same},
		},
		"log softmax": {
			[]network.Op{last, network.Softmax{Log: true}, network.Pointwise{Act: network.Activation{Fn: network.Exp}}},
			map[gradient.Kind]func(y float64) float64{gradient.LogOdds: logOdds, gradient.LogProbability: math.Log, gradient.Score: same},
		},
		"scores": {
			[]network.Op{last},
			map[gradient.Kind]func(y float64) float64{gradient.Score: same},
		},
		"positive scores": {
			[]network.Op{last.WithActivation(network.Activation{Fn: network.Softplus})},
			map[gradient.Kind]func(y float64) float64{gradient.LogProbability: math.Log, gradient.Score: same},
		},
	} {
		net := chain(t, in, append(append([]network.Op{}, body...), c.ops...)...)
		for kind, f := range c.want {
			o := gradient.Objective{Kind: kind, Class: 1}
			s := settle(t, net, networktest.Image(rng, in), cpu.Options{}, o)
			r := region.Of(2, 1, 4, 5)
			u := s.update(r, net.Trace(r, nil), random(rng))
			s.run(t, u)
			if want := f(float64(u.Out[1])); math.Abs(u.Estimates[0]-want) > 3e-6*(1+math.Abs(want)) {
				t.Errorf("%s: %s is %g, by the output %g", name, o, u.Estimates[0], want)
			}
		}
	}
}

func same(y float64) float64 { return y }

// Estimates live on their worker's memory once it has run.
func TestEstimatesAllocateNothing(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 35))
	for name, net := range map[string]*network.Network{
		"smooth": smooth(t, rng),
		"kinks": chain(t, network.Shape{H: 14, W: 14, C: 3}, conv(rng, 3, 16, relu), pool(3), network.PRelu{Slope: make([]float32, 16)},
			network.LRN{Size: 5, Alpha: 1, Beta: 0.75, Bias: 1}, conv(rng, 16, 8, network.Activation{Fn: network.Clip, Beta: 6}), mean, dense(rng, 8, 5), network.Softmax{}),
	} {
		s := settle(t, net, networktest.Image(rng, net.Input().Shape), cpu.Options{}, objectives...)
		r := region.Of(3, 4, 5, 6)
		rects, _ := net.TraceThresholded(r, 0.3, nil)
		with := []operators.Update{s.update(r, rects, random(rng))}
		without := []operators.Update{with[0]}
		without[0].Estimates = nil
		w := s.program.NewWorker()
		allocations := func(batch []operators.Update) float64 {
			return testing.AllocsPerRun(20, func() {
				if err := w.Run(t.Context(), s.views, batch); err != nil {
					t.Fatal(err)
				}
			})
		}
		if a, b := allocations(with), allocations(without); a > b {
			t.Errorf("%s: %g allocations with estimates, %g without", name, a, b)
		}
	}
}

func pool(kernel int) network.Pool {
	axis := region.Window{Kernel: kernel, Stride: 1, Dilation: 1}
	return network.Pool{Window: network.Window{Y: axis, X: axis}, Max: true}
}

func TestRefusals(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 35))
	in := network.Shape{H: 20, W: 20, C: 2}
	net := chain(t, in, conv(rng, 2, 5, relu), mean, network.Softmax{})
	s := settle(t, net, networktest.Image(rng, in), cpu.Options{}, objectives[:1]...)
	r := region.Of(1, 2, 3, 4)
	u := s.update(r, net.Trace(r, nil), random(rng))
	plain, two := u, u
	plain.Estimates, two.Estimates = nil, make([]float64, 2)
	bare := *s.views
	bare.Compensation = nil
	for says, c := range map[string]struct {
		views *operators.Views
		batch []operators.Update
	}{
		"update 1 of the batch: estimates are wanted of some": {s.views, []operators.Update{u, plain}},
		"room for 2 estimates of 1 objectives":                {s.views, []operators.Update{two}},
		"estimates without a compensation":                    {&bare, []operators.Update{u}},
	} {
		if err := s.program.NewWorker().Run(t.Context(), c.views, c.batch); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %s", err, says)
		}
	}

	large := chain(t, in, pool(17), mean, network.Softmax{})
	var unsupported *compensation.UnsupportedError
	if _, err := try(t, 1, large, networktest.Image(rng, in), cpu.Options{}, objectives[0]); !errors.As(err, &unsupported) || unsupported.Layer.Op.Kind() != "max pool" {
		t.Errorf("a window of 17x17: %v", err)
	}
	// The slope of a root at 0.
	root := chain(t, in, network.Pointwise{Act: network.Activation{Fn: network.Sqrt}}, mean, network.Softmax{})
	if _, err := try(t, 1, root, tensor.New(tensor.WithShape(20, 20, 2), tensor.Of(tensor.Float32)), cpu.Options{}, objectives[0]); err == nil || !strings.Contains(err.Error(), "Inf") {
		t.Errorf("a root at 0: %v", err)
	}
}

// On a trained network maps with estimates are nearer to the exact ones.
func TestTrainedNetwork(t *testing.T) {
	const side, step, tau = 16, 16, 0.2
	examples := filepath.Join("..", "..", "examples")
	m, err := model.Load(t.Context(), "chest", filepath.Join(examples, "models", "chest.onnx"), model.Options{Spec: imageio.Spec{Scale: 1. / 255}})
	if err != nil {
		t.Fatal(err)
	}
	m.Net.Sort()
	in := m.Net.Input().Shape
	gray := []float32{128, 128, 128}[:in.C]
	m.Spec.Normalize(gray, gray)
	plains, alls := 0.0, 0.0
	for class, name := range map[int]string{1: "nodule.png", 3: "spiculated.png", 4: "ground-glass.png"} {
		picture, err := imageio.Read(t.Context(), filepath.Join(examples, "images", name), m.Spec.Window)
		if err != nil {
			t.Fatal(err)
		}
		pixels, err := m.Spec.Fit(t.Context(), picture)
		if err != nil {
			t.Fatal(err)
		}
		m.Spec.Normalize(pixels.Float32s(), pixels.Float32s())
		s := settle(t, m.Net, pixels, cpu.Options{}, gradient.Objective{Kind: gradient.LogOdds, Class: class})
		plain, compensated := 0.0, 0.0
		for y := 0; y+side <= in.H; y += step {
			for x := 0; x+side <= in.W; x += step {
				r := region.Of(x, y, side, side)
				rects, _ := m.Net.TraceThresholded(r, tau, nil)
				cover := func(float32) float32 { return gray[0] }
				exact, cropped := s.update(r, m.Net.Trace(r, nil), cover), s.update(r, rects, cover)
				s.run(t, exact)
				s.run(t, cropped)
				p := float64(exact.Out[class])
				plain += math.Pow(float64(cropped.Out[class])-p, 2)
				compensated += math.Pow(gradient.LogOdds.Probability(cropped.Estimates[0])-p, 2)
			}
		}
		t.Logf("%s: squared errors of %.2g, with estimates %.2g", name, plain, compensated)
		if !(compensated < plain) {
			t.Errorf("%s: the squared error is %g, without estimates %g", name, compensated, plain)
		}
		plains, alls = plains+plain, alls+compensated
	}
	if !(alls < plains/5) {
		t.Errorf("the squared error is %g, without estimates %g", alls, plains)
	}
}
