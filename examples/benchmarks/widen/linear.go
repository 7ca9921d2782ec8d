package main

import (
	"errors"
	"fmt"

	"github.com/gomlx/compute-onnx/support/protos"
)

// mix widens a convolution or a fully-connected layer: its filters read each
// channel as often as it is there, by a share of the weight, and are themselves
// there factor times over, but for those of the graph's output.
func (w *widener) mix(n *protos.NodeProto) error {
	if _, ok := w.constants[n.Input[1]]; !ok {
		return errors.New("its weights are not constant")
	}
	if n.OpType == "Conv" {
		return w.conv(n)
	}
	return w.dense(n)
}

func (w *widener) conv(n *protos.NodeProto) error {
	dims := w.constants[n.Input[1]].Dims // filters, channels of a group, places
	in, wide := w.wide[n.Input[0]]
	widens := !w.narrow[n.Output[0]]
	group := attribute(n, "group")
	if wide && group != nil && group.I > 1 && int(group.I) == in.channels && dims[0] == group.I {
		if !widens {
			return errors.New("a depthwise convolution cannot narrow what it reads")
		}
		group.I *= int64(w.factor) // each filter still reads a single channel
	} else if wide {
		if err := w.share(n, 1, 1); err != nil {
			return err
		}
	}
	if !widens {
		return nil
	}
	w.wide[n.Output[0]] = value{len(dims), int(dims[0])}
	return w.filters(n, 0)
}

func (w *widener) dense(n *protos.NodeProto) error {
	weights := w.constants[n.Input[1]]
	if len(weights.Dims) != 2 || integer(n, "transA", 0) != 0 {
		return errors.New("it is not a fully-connected layer")
	}
	inputs, outputs := 0, 1
	if integer(n, "transB", 0) != 0 {
		inputs, outputs = 1, 0
	}
	if in, wide := w.wide[n.Input[0]]; wide {
		if in.rank != 2 || int(weights.Dims[inputs])%in.channels != 0 {
			return fmt.Errorf("it reads %d values of %d channels", weights.Dims[inputs], in.channels)
		}
		if err := w.share(n, inputs, int(weights.Dims[inputs])/in.channels); err != nil {
			return err
		}
	}
	if w.narrow[n.Output[0]] {
		return nil
	}
	w.wide[n.Output[0]] = value{2, int(weights.Dims[outputs])}
	return w.filters(n, outputs)
}

// filters repeats a layer's filters and what is added to them.
func (w *widener) filters(n *protos.NodeProto, axis int) error {
	if err := w.spread(n, 1, axis, 1); err != nil {
		return err
	}
	if len(n.Input) < 3 || n.Input[2] == "" {
		return nil
	}
	bias, ok := w.constants[n.Input[2]]
	if !ok {
		return fmt.Errorf("what it adds, %q, is not a constant", n.Input[2])
	}
	last := len(bias.Dims) - 1
	if last < 0 || bias.Dims[last] == 1 {
		return nil // the same for all
	}
	return w.spread(n, 2, last, 1)
}
