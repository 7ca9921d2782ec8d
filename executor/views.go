package executor

import (
	"context"
	"crypto/sha256"
	"os"
	"slices"
	"time"

	"gorgonia.org/tensor"

	"occlude/internal/imageio"
	"occlude/internal/memory"
	"occlude/internal/model"
	"occlude/internal/network"
	"occlude/internal/settings"
	"occlude/operators"
	"occlude/planner"
)

// seen is what an image looks like to a program: its pixels, and the views that the
// base pass has made of them. It is what a query over the same image can do without
// computing again, whichever positions and classes it asks for.
//
// It is found by what is in the file, never by the file's name alone: a picture that
// was written anew is another one.
type seen struct {
	usage
	model   *model.Model
	by      *program
	content content
	image   string // the name that it was read by last

	pixels *tensor.Dense // in pixel space
	views  *operators.Views
	bytes  int64 // of both, but for what the network itself or a GPU holds
}

// content is what is in an image file, of which one frame may be meant.
type content struct {
	hash  [sha256.Size]byte
	size  int64
	frame int
}

func contentOf(f *imageio.File) content {
	return content{sha256.Sum256(f.Data), int64(len(f.Data)), f.Frame()}
}

// arrays are what the host holds for it.
func (v *seen) arrays() [][]float32 {
	return append(v.views.Arrays(), v.pixels.Data().([]float32))
}

// Views implements planner.Cache.
func (s *Session) Views(net *network.Network, kernels, image string) []planner.Views {
	var found []planner.Views
	var of *content // nil until it is known
	path, _ := imageio.SplitFrame(image)
	for _, v := range slices.Backward(s.seen) {
		if v.by.net != net || v.by.device == settings.DeviceCPU && v.by.kernels != kernels {
			continue
		}
		if of == nil {
			// A file of another size is another one; of the same size it has to be read.
			if info, err := os.Stat(path); err != nil || info.Size() != v.content.size {
				continue
			}
			f, err := imageio.Load(image)
			if err != nil {
				return nil // which the query itself will say
			}
			now := contentOf(f)
			of = &now
		}
		if v.content == *of {
			found = append(found, planner.Views{Device: v.by.device, Algorithms: v.by.algorithms, Bytes: v.views.Bytes() + residentBytes(v.views)})
		}
	}
	return found
}

// recall finds what a plan's program has seen of an image file with some content, nil
// where it has not. What was seen of a file that has changed since is let go.
func (s *Session) recall(p *planner.Occlude, f *imageio.File, now content) *seen {
	s.dropViews(func(v *seen) bool {
		return v.model == p.Model && (v.by.net != p.Net || v.image == f.Path && v.content != now)
	})
	for _, v := range s.seen {
		if v.content == now && v.by.made(p.Net, wayOf(p)) {
			v.image = f.Path
			s.use(&v.usage)
			return v
		}
	}
	return nil
}

// see runs the base pass on an image, and keeps what comes of it if the plan says so and
// there is room.
func (q *query) see(ctx context.Context, f *imageio.File) (*seen, error) {
	s, p := q.session, q.plan
	pixels, normal, err := decoded(ctx, p.Model, f)
	if err != nil {
		return nil, unusable{err}
	}
	start := time.Now()
	views, err := q.base(ctx, normal)
	if err != nil {
		return nil, q.interrupted(ctx, err, f.Path, 0)
	}
	q.baseSeconds = time.Since(start).Seconds()
	if _, err := scores(p.Model, views, p.Net.Output.Index, f.Path); err != nil {
		return nil, unusable{err}
	}
	v := &seen{model: p.Model, image: f.Path, pixels: pixels, views: views}
	if p.Keeps {
		v.content, v.by = q.content, s.own(p)
		known := memory.Arrays{}
		known.Add(p.Net.Arrays()...)
		v.bytes = known.Add(v.arrays()...)
		s.use(&v.usage)
		s.seen = append(s.seen, v)
	}
	return v, nil
}

// base runs the base pass. Where a GPU has too little memory, everything that is kept there
// for others goes first.
func (q *query) base(ctx context.Context, image *tensor.Dense) (*operators.Views, error) {
	s, p := q.session, q.plan
	views, err := q.program.Base(ctx, image, p.Threads)
	if scarce(err) && s.dropOthers(p) {
		views, err = q.program.Base(ctx, image, p.Threads)
	}
	return views, s.onDevice(ctx, p, err)
}

// boundViews lets go of the views that were used the longest ago until those that are
// left, wherever they are, keep to the setting.
func (s *Session) boundViews() {
	left := s.Settings.ViewCache()
	for _, k := range s.latest() {
		if k.seen == nil {
			continue
		}
		if left -= k.seen.bytes + k.deviceBytes(); left < 0 {
			s.drop(k)
		}
	}
}

// dropViews lets go of views. Queries that compute with them have shares of their own.
func (s *Session) dropViews(these func(*seen) bool) {
	s.seen = slices.DeleteFunc(s.seen, func(v *seen) bool {
		gone := these(v)
		if gone {
			v.views.Drop(noLayer)
		}
		return gone
	})
}

// noLayer is what is kept of views that are let go of.
func noLayer(int) bool { return false }

// unmade tells of views whose program was let go of.
func (s *Session) unmade(v *seen) bool { return !slices.Contains(s.programs[v.model], v.by) }
