// Widen makes a network of full width from a small one that was trained:
//
//	go run ./examples/benchmarks/widen -factor 4 small.onnx wide.onnx
//
// Every channel of every hidden layer is there factor times over, and the weights
// that read it are divided by the factor: the same function, at the cost of a
// network that many times as wide. Heat maps of trained networks look different
// from those of random ones, and this is how to time them without training a
// large network.
//
//	main.go     flags, reading and writing
//	widen.go    from layer to layer: which channels are repeated
//	linear.go   convolutions and fully-connected layers
//	weights.go  repeating and dividing tensors
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/gomlx/compute-onnx/support/protos"
	"google.golang.org/protobuf/proto"

	"occlude/internal/atomicfile"
)

func main() {
	switch err := run(os.Args[1:], os.Stdout, os.Stderr); {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "widen:", err)
		os.Exit(1)
	}
}

func run(args []string, stdout, stderr io.Writer) error {
	f := flag.NewFlagSet("widen", flag.ContinueOnError)
	f.SetOutput(stderr)
	factor := f.Int("factor", 4, "how many times as wide")
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() != 2 {
		return errors.New("two files are needed: the network and where to write the wide one")
	}
	from, to := f.Arg(0), f.Arg(1)
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	wide, err := widen(data, *factor)
	if err != nil {
		return fmt.Errorf("model %q: %w", from, err)
	}
	err = atomicfile.Write(to, func(w io.Writer) error {
		_, err := w.Write(wide)
		return err
	})
	if err == nil {
		fmt.Fprintf(stdout, "%s: %.1f MB\n", to, float64(len(wide))/1e6)
	}
	return err
}

// widen takes an ONNX file to that of the network factor times as wide.
func widen(file []byte, factor int) ([]byte, error) {
	const widest = 64 // weights grow with the factor's square
	if factor < 1 || factor > widest {
		return nil, fmt.Errorf("the factor is %d, not between 1 and %d", factor, widest)
	}
	var m protos.ModelProto
	if err := proto.Unmarshal(file, &m); err != nil {
		return nil, fmt.Errorf("not an ONNX file: %w", err)
	}
	if m.Graph == nil || len(m.Graph.Node) == 0 {
		return nil, errors.New("it has no layers")
	}
	w := newWidener(m.Graph, factor)
	for _, n := range m.Graph.Node {
		if err := w.layer(n); err != nil {
			return nil, fmt.Errorf("%s %q: %w", n.OpType, n.Name, err)
		}
	}
	w.finish()
	return proto.Marshal(&m)
}
