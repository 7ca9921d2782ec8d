package networktest_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"

	"occlude/internal/network"
	"occlude/internal/network/networktest"
)

// TestEveryOpOccurs keeps the generator from silently losing an op.
func TestEveryOpOccurs(t *testing.T) {
	ops, functions := map[string]int{}, map[string]int{}
	for seed := range uint64(1500) {
		net := networktest.Random(rand.New(rand.NewPCG(seed, 0)), networktest.Options{Jumps: true})
		for _, l := range net.Layers {
			ops[reflect.TypeOf(l.Op).Name()]++
			switch op := l.Op.(type) {
			case network.Pointwise:
				functions[op.Act.Fn]++
			case network.Fused:
				functions[op.Activation().Fn]++
			}
		}
	}
	for _, op := range []network.Op{
		network.Input{}, network.Const{}, network.Conv{}, network.Pool{}, network.Dense{}, network.Pointwise{},
		network.PRelu{}, network.Affine{}, network.Binary{}, network.LRN{}, network.Softmax{}, network.ChannelReduce{},
		network.Concat{}, network.Channels{}, network.Slice{}, network.Pad{}, network.GlobalPool{}, network.InstanceNorm{},
		network.Flatten{}, network.Unflatten{}, network.Reshaped{}, network.Function{},
	} {
		if name := reflect.TypeOf(op).Name(); ops[name] == 0 {
			t.Errorf("%s never occurs", name)
		}
	}
	for _, fn := range []string{
		network.Relu, network.LeakyRelu, network.Elu, network.Celu, network.Selu, network.Gelu, network.GeluTanh,
		network.Sigmoid, network.HardSigmoid, network.HardSwish, network.Swish, network.Mish, network.Tanh,
		network.Softplus, network.Softsign, network.Clip, network.Threshold, network.Exp, network.Log, network.Sqrt,
		network.Reciprocal, network.Abs, network.Neg, network.Erf, network.Power, network.Floor, network.Ceil,
		network.Round, network.Sign,
	} {
		if functions[fn] == 0 {
			t.Errorf("function %q never occurs", fn)
		}
	}
}

// TestRandomIsSound checks what every network promises.
func TestRandomIsSound(t *testing.T) {
	for seed := range uint64(300) {
		net := networktest.Random(rand.New(rand.NewPCG(seed, 1)), networktest.Options{Classes: 7})
		if err := net.Infer(); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if net.Output.Shape != network.Vector(7) {
			t.Fatalf("seed %d: output %s", seed, net.Output.Shape)
		}
		for i, l := range net.Layers {
			if l.Index != i {
				t.Fatalf("seed %d: %s has index %d at %d", seed, l, l.Index, i)
			}
			for _, in := range l.In {
				if in.Index >= i {
					t.Fatalf("seed %d: %s reads %s behind it", seed, l, in)
				}
			}
		}
	}
}

// TestSameSeedSameNetwork checks that failures can be repeated.
func TestSameSeedSameNetwork(t *testing.T) {
	describe := func() string {
		rng := rand.New(rand.NewPCG(5, 5))
		var s string
		for range 10 {
			for _, l := range networktest.Random(rng, networktest.Options{}).Layers {
				s += fmt.Sprintln(l, l.Shape, l.Op.Detail())
			}
		}
		return s
	}
	if a, b := describe(), describe(); a != b {
		t.Error("two runs differ")
	}
}
