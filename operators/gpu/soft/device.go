package soft

import (
	"errors"
	"fmt"
	"math"
	"sync"
	"time"
	"unsafe"

	"occlude/operators/gpu/driver"
	"occlude/operators/gpu/kernels"
)

// Device implements driver.Driver.
type Device struct {
	// Limit is how many bytes there are; 0 is 1 GiB.
	Limit int64
	// Before is called before each launch, where it is not nil: an error of it is
	// that of the launch.
	Before func(kernel string) error
	// Unready is the error of loading kernels, nil for none.
	Unready error

	mutex  sync.Mutex // guards what follows
	blocks map[uint64][]float32
	next   uint64
	held   int64
	peak   int64
	counts map[string]int
	pinned map[*byte]int // bytes, by the first one
	up     int64
	down   int64
}

// A pointer is the number of an allocation and an offset in bytes.
const offsetBits = 36

// most is how much shared memory a block may have, as GPUs of compute capability 9.0 give
// it.
const most = 227 << 10

// Properties implements driver.Driver.
func (d *Device) Properties() driver.Properties {
	return driver.Properties{Name: "software device", Capability: [2]int{8, 0}, Processors: 1, Memory: d.limit(), SharedMemory: 48 << 10, SharedMemoryMost: most}
}

func (d *Device) limit() int64 {
	if d.Limit > 0 {
		return d.Limit
	}
	return 1 << 30
}

// Bind implements driver.Driver.
func (d *Device) Bind() (func(), error) { return func() {}, nil }

// Memory implements driver.Driver.
func (d *Device) Memory() (free, total int64, err error) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	return d.limit() - d.held, d.limit(), nil
}

// Held is how many bytes are allocated, and the most that ever were.
func (d *Device) Held() (now, peak int64) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	return d.held, d.peak
}

// Launches is how often a kernel was run; all of them for "".
func (d *Device) Launches(kernel string) (n int) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	for name, count := range d.counts {
		if kernel == "" || kernel == name {
			n += count
		}
	}
	return n
}

// Uploaded is how many bytes came from the host.
func (d *Device) Uploaded() int64 {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	return d.up
}

// Downloaded is how many bytes went to the host.
func (d *Device) Downloaded() int64 {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	return d.down
}

// Alloc implements driver.Driver.
func (d *Device) Alloc(bytes int64) (driver.Pointer, error) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	switch {
	case bytes <= 0 || bytes >= 1<<offsetBits:
		return 0, fmt.Errorf("cannot allocate %d bytes", bytes)
	case d.held+bytes > d.limit():
		return 0, driver.ErrMemory
	}
	block := make([]float32, (bytes+3)/4)
	for i := range block {
		block[i] = float32(math.NaN())
	}
	if d.blocks == nil {
		d.blocks, d.counts = map[uint64][]float32{}, map[string]int{}
	}
	d.next++
	d.blocks[d.next] = block
	d.held += bytes
	d.peak = max(d.peak, d.held)
	return driver.Pointer(d.next << offsetBits), nil
}

// Free implements driver.Driver.
func (d *Device) Free(p driver.Pointer) error {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	block, ok := d.blocks[uint64(p)>>offsetBits]
	if !ok || uint64(p)&(1<<offsetBits-1) != 0 {
		return fmt.Errorf("freed %#x, which is no allocation", uint64(p))
	}
	d.held -= int64(len(block)) * 4
	delete(d.blocks, uint64(p)>>offsetBits)
	return nil
}

// values is the memory from p on, up to the end of its allocation.
func (d *Device) values(p driver.Pointer) []float32 {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	block, ok := d.blocks[uint64(p)>>offsetBits]
	at := uint64(p) & (1<<offsetBits - 1)
	if !ok || at%4 != 0 || at/4 > uint64(len(block)) {
		panic(fmt.Sprintf("%#x is no address", uint64(p)))
	}
	return block[at/4:]
}

// entries are the n rows of the table at p.
func (d *Device) entries(p driver.Pointer, n kernels.Int) []kernels.Entry {
	v := d.values(p)[:int64(n)*kernels.EntryBytes/4]
	if len(v) == 0 {
		return nil
	}
	return unsafe.Slice((*kernels.Entry)(unsafe.Pointer(&v[0])), n)
}

// ints are the n numbers at p.
func (d *Device) ints(p driver.Pointer, n kernels.Int) []int32 {
	v := d.values(p)[:n]
	return unsafe.Slice((*int32)(unsafe.Pointer(&v[0])), n)
}

// Load implements driver.Driver. The module holds every kernel that has a twin.
func (d *Device) Load(string) (driver.Module, error) { return module{}, d.Unready }

type module struct{}

// Kernel implements driver.Module.
func (module) Kernel(name string, shared int) (driver.Kernel, error) {
	if _, ok := twins[name]; !ok {
		return nil, fmt.Errorf("there is no kernel %q", name)
	}
	if shared > most {
		return nil, fmt.Errorf("%s: %d bytes of shared memory, of which a block may have %d", name, shared, most)
	}
	return kernel{name, shared}, nil
}

// kernel is one that was found, and how much dynamic shared memory it may be given.
type kernel struct {
	name   string
	shared int
}

// NewStream implements driver.Driver.
func (d *Device) NewStream() (driver.Stream, error) { return &stream{device: d}, nil }

// stream implements driver.Stream.
type stream struct {
	device *Device
	queue  []func() error
	err    error // of what failed first
	clock  time.Duration
}

// step does the first piece of what is queued, which takes some time by the device's clock.
func (s *stream) step() {
	do := s.queue[0]
	s.queue = s.queue[1:]
	start := time.Now()
	if s.err == nil {
		s.err = do()
	}
	s.clock += max(time.Microsecond, time.Since(start))
}

// Wait implements driver.Stream.
func (s *stream) Wait() error {
	for len(s.queue) > 0 {
		s.step()
	}
	return s.err
}

// Upload implements driver.Stream.
func (s *stream) Upload(to driver.Pointer, from []byte) error {
	s.device.copied(&s.device.up, len(from))
	staged := from
	if !s.device.isPinned(from) {
		staged = append([]byte(nil), from...)
	}
	s.queue = append(s.queue, func() error {
		return guarded("upload", func() { copy(bytesOf(s.device.values(to), len(staged)), staged) })
	})
	return s.err
}

// Download implements driver.Stream.
func (s *stream) Download(to []byte, from driver.Pointer) error {
	if err := s.Wait(); err != nil {
		return err
	}
	s.device.copied(&s.device.down, len(to))
	return guarded("download", func() { copy(to, bytesOf(s.device.values(from), len(to))) })
}

// copied counts bytes.
func (d *Device) copied(count *int64, bytes int) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	*count += int64(bytes)
}

// bytesOf is the first n bytes of values.
func bytesOf(v []float32, n int) []byte {
	if n == 0 {
		return nil
	}
	v = v[:(n+3)/4]
	return unsafe.Slice((*byte)(unsafe.Pointer(&v[0])), n)
}

// Launch implements driver.Stream.
func (s *stream) Launch(k driver.Kernel, l driver.Launch) error {
	found, ok := k.(kernel)
	if !ok {
		return fmt.Errorf("%v is no kernel of this device", k)
	}
	name := found.name
	if l.Shared > found.shared {
		return fmt.Errorf("%s: %d bytes of shared memory, %d are allowed", name, l.Shared, found.shared)
	}
	if l.Grid[0] < 1 || l.Grid[1] < 1 || l.Grid[2] < 1 || l.Grid[1] > 65535 || l.Grid[2] > 65535 || l.Block < 1 || l.Block > 1024 {
		return fmt.Errorf("%s: a grid of %v blocks of %d threads", name, l.Grid, l.Block)
	}
	words := append([]uint64(nil), l.Args...)
	s.queue = append(s.queue, func() error {
		d := s.device
		d.mutex.Lock()
		d.counts[name]++
		d.mutex.Unlock()
		if d.Before != nil {
			if err := d.Before(name); err != nil {
				return err
			}
		}
		return guarded(name, func() { twins[name](d, words, l.Grid) })
	})
	return s.err
}

// guarded turns a panic, which is an address outside of what was allocated, into an
// error.
func guarded(what string, do func()) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%s: %v", what, r)
		}
	}()
	do()
	return nil
}

// event implements driver.Event.
type event struct {
	stream *stream
	passed bool
	at     time.Duration
}

// Record implements driver.Stream.
func (s *stream) Record(old driver.Event) (driver.Event, error) {
	e, ok := old.(*event)
	if !ok {
		e = &event{}
	}
	*e = event{stream: s}
	s.queue = append(s.queue, func() error {
		e.passed, e.at = true, s.clock
		return nil
	})
	return e, s.err
}

// Done implements driver.Event.
func (e *event) Done() (bool, error) {
	if !e.passed && len(e.stream.queue) > 0 {
		e.stream.step()
	}
	return e.passed, e.stream.err
}

// Since implements driver.Event.
func (e *event) Since(o driver.Event) (time.Duration, error) {
	before, ok := o.(*event)
	if !ok || !e.passed || !before.passed {
		return 0, errors.New("the time between events that have not passed")
	}
	return e.at - before.at, nil
}

// Close implements driver.Stream.
func (s *stream) Close() error { return s.Wait() }
