package operatorstest

import (
	"fmt"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"occlude/internal/network"
	"occlude/operators"
	"occlude/operators/region"
)

// Run runs a batch.
func Run(t testing.TB, w operators.Worker, views *operators.Views, batch []operators.Update) {
	t.Helper()
	if err := w.Run(t.Context(), views, batch); err != nil {
		t.Fatal(err)
	}
}

// Refuse demands that a program refuses an update without the views it needs, which none
// are, or with those of another network, and images that do not fit.
func Refuse(t *testing.T, p operators.Program, in network.Shape, none *operators.Views, update func() operators.Update) {
	t.Helper()
	if err := p.NewWorker().Run(t.Context(), none, []operators.Update{update()}); err == nil || !strings.Contains(err.Error(), "not kept") {
		t.Errorf("without views: %v", err)
	}
	if err := p.NewWorker().Run(t.Context(), &operators.Views{}, []operators.Update{update()}); err == nil {
		t.Error("took views of another network")
	}
	for _, image := range []*tensor.Dense{
		tensor.New(tensor.WithShape(in.H, in.W), tensor.Of(tensor.Float32)),
		tensor.New(tensor.WithShape(in.H+1, in.W, in.C), tensor.Of(tensor.Float32)),
		tensor.New(tensor.WithShape(in.H, in.W, in.C), tensor.Of(tensor.Float64)),
	} {
		if _, err := p.Base(t.Context(), image, 1); err == nil {
			t.Errorf("took an image of %v %v", image.Shape(), image.Dtype())
		}
	}
}

// Together demands of so many workers at the same time what one gives alone, for the race
// detector to watch.
func Together(t *testing.T, p operators.Program, net *network.Network, views *operators.Views, tiles []operators.Tile, workers int) {
	t.Helper()
	want := Updates(net, tiles)
	Run(t, p.NewWorker(), views, want)
	errs := make(chan error)
	for range workers {
		go func() {
			got := Updates(net, tiles)
			w := p.NewWorker()
			defer w.Release()
			err := w.Run(t.Context(), views, got)
			for i := range got {
				if err == nil && !SameBits(got[i].Out, want[i].Out) {
					err = fmt.Errorf("patch %s differs", tiles[i].Rect)
				}
			}
			errs <- err
		}()
	}
	for range workers {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

// Cover demands that patches cut from a cover give what those give that are brought. It
// gives the updates that were brought and cut, and the views with the cover.
func Cover(t *testing.T, p operators.Program, net *network.Network, views *operators.Views, cover *tensor.Dense, rects []region.Rect) (brought, cut []operators.Update, covered *operators.Views) {
	t.Helper()
	in := net.Input().Shape
	var with, without []operators.Tile
	for _, r := range rects {
		with = append(with, operators.WholeTile(in, cover.Float32s()).Sub(r))
		without = append(without, operators.Tile{Rect: r, C: in.C})
	}
	brought, cut = Updates(net, with), Updates(net, without)
	covered = views.Shared()
	covered.Cover = cover
	w := p.NewWorker()
	Run(t, w, views, brought)
	Run(t, w, covered, cut)
	for i := range cut {
		if !SameBits(cut[i].Out, brought[i].Out) {
			t.Errorf("patch %s differs", rects[i])
		}
	}
	return brought, cut, covered
}
