package cpu

import "occlude/internal/network"

// pointwise applies a function to every value.
type pointwise struct{ act activation }

func (k pointwise) forward(w *worker, tasks []task) error {
	return eachRows(w, tasks, func(out, in []float32) {
		copy(out, in)
		k.act(out)
	})
}

// prelu scales negative values by a slope of their channel.
type prelu struct{ slope []float32 }

func (k prelu) forward(w *worker, tasks []task) error {
	return eachRows(w, tasks, func(out, in []float32) {
		n := len(k.slope)
		for x := 0; x+n <= len(out); x += n {
			to, from := out[x:][:n], in[x:][:n]
			for c, s := range k.slope {
				to[c] = max(from[c], 0) + s*min(from[c], 0)
			}
		}
	})
}

// affine scales and shifts by channel.
type affine struct {
	op  network.Affine
	act activation
}

func (k affine) forward(w *worker, tasks []task) error {
	return eachRows(w, tasks, func(out, in []float32) {
		n := len(k.op.Scale)
		shift := k.op.Shift[:n]
		for x := 0; x+n <= len(out); x += n {
			to, from := out[x:][:n], in[x:][:n]
			for c, s := range k.op.Scale {
				to[c] = from[c]*s + shift[c]
			}
		}
		k.act(out)
	})
}
