package gputest

import (
	"math/rand/v2"
	"testing"
	"time"

	"occlude/internal/network"
	"occlude/operators"
	"occlude/operators/gpu"
	"occlude/operators/gpu/driver"
	"occlude/operators/region"
)

// idle is a driver that does nothing at all, to see what the host's side takes.
type idle struct{ next driver.Pointer }

func (d *idle) Properties() driver.Properties          { return driver.Properties{Name: "idle"} }
func (d *idle) Bind() (func(), error)                  { return func() {}, nil }
func (d *idle) Memory() (free, total int64, err error) { return 1 << 40, 1 << 40, nil }
func (d *idle) Free(driver.Pointer) error              { return nil }
func (d *idle) Load(string) (driver.Module, error)     { return idleModule{}, nil }
func (d *idle) NewStream() (driver.Stream, error)      { return idleStream{}, nil }
func (d *idle) Alloc(bytes int64) (driver.Pointer, error) {
	d.next += driver.Pointer(bytes) + 1<<20
	return d.next &^ 255, nil
}

type idleModule struct{}

func (idleModule) Kernel(name string, _ int) (driver.Kernel, error) { return name, nil }

type idleStream struct{}

func (idleStream) Upload(driver.Pointer, []byte) error       { return nil }
func (idleStream) Download([]byte, driver.Pointer) error     { return nil }
func (idleStream) Launch(driver.Kernel, driver.Launch) error { return nil }
func (idleStream) Record(driver.Event) (driver.Event, error) { return idleEvent{}, nil }
func (idleStream) Wait() error                               { return nil }
func (idleStream) Close() error                              { return nil }

type idleEvent struct{}

func (idleEvent) Done() (bool, error)                       { return true, nil }
func (idleEvent) Since(driver.Event) (time.Duration, error) { return 0, nil }

// BenchmarkHost is what the host takes for a batch of 512 positions of a network of 20
// convolutions with residuals, 41 layers in all.
func BenchmarkHost(b *testing.B) {
	n := newBuilder(network.Shape{H: 224, W: 224, C: 4})
	l := n.pool(n.conv(n.net.Input(), 16, 7, 2, 1, relu, nil), true)
	for range 19 {
		l = n.conv(n.add(network.Pointwise{Act: swish}, l), 16, 3, 1, 1, relu, l)
	}
	n.mean(l)
	n.net.Sort()
	c := newCase("host", n.net, gpu.Options{})
	p, err := gpu.New(b.Context(), c.Net, gpu.NewDevice(&idle{}), c.Options)
	if err != nil {
		b.Fatal(err)
	}
	views, err := p.Base(b.Context(), c.Image, 1)
	if err != nil {
		b.Fatal(err)
	}
	views.Cover = c.Image
	rng := rand.New(rand.NewPCG(1, 70))
	batch := make([]operators.Update, 512)
	for i := range batch {
		r := region.Of(rng.IntN(208), rng.IntN(208), 16, 16)
		batch[i] = operators.Update{Patch: operators.Tile{Rect: r, C: 4}, Rects: c.Net.Trace(r, nil), Out: make([]float32, 16)}
	}
	w := p.NewWorker()
	b.ReportAllocs()
	for b.Loop() {
		if err := w.Run(b.Context(), views, batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(batch)*len(c.Net.Layers)), "ns/position/layer")
}
