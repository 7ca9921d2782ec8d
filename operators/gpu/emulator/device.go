//go:build linux

package emulator

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"occlude/operators/freelist"
	"occlude/operators/gpu/driver"
)

// Device implements driver.Driver by a process that Build made.
type Device struct {
	mutex  sync.Mutex
	memory []byte
	free   freelist.List   // in units
	sizes  map[int64]int64 // bytes of what is allocated, by offset
	in     io.WriteCloser
	out    *bufio.Reader
	cmd    *exec.Cmd
	turns  int
	failed error
}

const (
	base  = 0x2000_0000_0000 // the device's addresses begin here
	size  = 1 << 31
	unit  = 256
	guard = 1024 // bytes before and behind every allocation
)

// Open starts the process, which Close ends. Its memory is a file in a folder.
func Open(path, folder string) (*Device, error) {
	file, err := os.CreateTemp(folder, "memory")
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if err := file.Truncate(size); err != nil {
		return nil, err
	}
	d := &Device{free: freelist.New(size / unit), sizes: map[int64]int64{}}
	if d.memory, err = unix.Mmap(int(file.Fd()), 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED); err != nil {
		return nil, fmt.Errorf("mapping device memory: %w", err)
	}
	d.cmd = exec.Command(path, file.Name(), fmt.Sprint(int64(base)), fmt.Sprint(size))
	d.cmd.Stderr = os.Stderr
	if d.in, err = d.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := d.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	d.out = bufio.NewReader(out)
	if err := d.cmd.Start(); err != nil {
		return nil, err
	}
	return d, nil
}

// Close ends the process.
func (d *Device) Close() error {
	err := errors.Join(d.in.Close(), d.cmd.Wait(), unix.Munmap(d.memory))
	d.memory = nil
	return err
}

// Properties implements driver.Driver.
func (d *Device) Properties() driver.Properties {
	return driver.Properties{Name: "emulator", Capability: [2]int{8, 0}, Processors: 1, Memory: size, SharedMemory: 48 << 10, SharedMemoryMost: 227 << 10}
}

// Bind implements driver.Driver.
func (d *Device) Bind() (func(), error) { return func() {}, nil }

// Memory implements driver.Driver.
func (d *Device) Memory() (free, total int64, err error) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	free = size
	for _, n := range d.sizes {
		free -= n
	}
	return free, size, nil
}

// units is how much memory an allocation takes with its guards.
func units(bytes int64) int { return int((bytes+unit-1)/unit) + 2*guard/unit }

// Alloc implements driver.Driver.
func (d *Device) Alloc(bytes int64) (driver.Pointer, error) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if bytes <= 0 {
		return 0, fmt.Errorf("cannot allocate %d bytes", bytes)
	}
	at, ok := d.free.Take(units(bytes))
	if !ok {
		return 0, driver.ErrMemory
	}
	piece := d.memory[at*unit : (at+units(bytes))*unit]
	fill(piece, beyond)
	offset := int64(at*unit + guard)
	fill(d.memory[offset:offset+(bytes+3)/4*4], nothing)
	d.sizes[offset] = bytes
	return driver.Pointer(base + offset), nil
}

// NaNs that no computation gives: beyond stands between allocations, nothing is what nobody wrote.
const (
	beyond  = 0x7fc0dead
	nothing = 0x7fc0beef
)

// fill fills memory with a number.
func fill(memory []byte, number uint32) {
	for i := 0; i < len(memory); i += 4 {
		binary.NativeEndian.PutUint32(memory[i:], number)
	}
}

// check looks at the guards of all allocations.
func (d *Device) check() error {
	for at, bytes := range d.sizes {
		before := d.memory[at-guard : at]
		behind := d.memory[(at+bytes+3)/4*4 : at+int64(units(bytes))*unit-guard]
		for _, piece := range [][]byte{before, behind} {
			for i := 0; i+4 <= len(piece); i += 4 {
				if binary.NativeEndian.Uint32(piece[i:]) != beyond {
					return fmt.Errorf("wrote %g beyond an allocation of %d bytes",
						math.Float32frombits(binary.NativeEndian.Uint32(piece[i:])), bytes)
				}
			}
		}
	}
	return nil
}

// Free implements driver.Driver.
func (d *Device) Free(p driver.Pointer) error {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	at := int64(p) - base
	bytes, ok := d.sizes[at]
	if !ok {
		return fmt.Errorf("freed %#x, which is no allocation", uint64(p))
	}
	delete(d.sizes, at)
	fill(d.memory[at:at+(bytes+3)/4*4], beyond)
	lo := int(at-guard) / unit
	d.free.Give(lo, lo+units(bytes))
	return nil
}

// Load implements driver.Driver. The process has all kernels.
func (d *Device) Load(string) (driver.Module, error) { return module{}, nil }

type module struct{}

// Kernel implements driver.Module.
func (module) Kernel(name string, _ int) (driver.Kernel, error) { return name, nil }

// NewStream implements driver.Driver. Everything is done at once.
func (d *Device) NewStream() (driver.Stream, error) { return stream{d}, nil }

type stream struct{ device *Device }

// piece is the memory of n bytes from p on.
func (d *Device) piece(p driver.Pointer, n int) []byte { return d.memory[int64(p)-base:][:n] }

// Upload implements driver.Stream.
func (s stream) Upload(to driver.Pointer, from []byte) error {
	s.device.mutex.Lock()
	defer s.device.mutex.Unlock()
	copy(s.device.piece(to, len(from)), from)
	return s.device.check()
}

// Download implements driver.Stream.
func (s stream) Download(to []byte, from driver.Pointer) error {
	s.device.mutex.Lock()
	defer s.device.mutex.Unlock()
	copy(to, s.device.piece(from, len(to)))
	return nil
}

// ways are those in which a kernel is run, in turn, see launch.h.
const ways = 4

// Launch implements driver.Stream.
func (s stream) Launch(k driver.Kernel, l driver.Launch) error {
	d := s.device
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if d.failed != nil {
		return d.failed
	}
	d.turns++
	line := fmt.Sprintf("%s %d %d %d %d %d %d %d", k, l.Grid[0], l.Grid[1], l.Grid[2], l.Block, l.Shared, d.turns%ways, len(l.Args))
	for _, a := range l.Args {
		line += fmt.Sprintf(" %x", a)
	}
	if _, err := io.WriteString(d.in, line+"\n"); err != nil {
		d.failed = fmt.Errorf("%w: %s: %w", driver.ErrLost, k, err)
		return d.failed
	}
	answer, err := d.out.ReadString('\n')
	if err != nil {
		d.failed = fmt.Errorf("%w: %s of %v blocks ended the emulator: %w", driver.ErrLost, k, l.Grid, err)
		return d.failed
	}
	if answer = strings.TrimSpace(answer); answer != "ok" {
		return fmt.Errorf("%s: %s", k, answer)
	}
	if err := d.check(); err != nil {
		d.failed = fmt.Errorf("%w: %s: %w", driver.ErrLost, k, err)
		return d.failed
	}
	return nil
}

// Record implements driver.Stream.
func (stream) Record(driver.Event) (driver.Event, error) { return event(time.Now()), nil }

// Wait implements driver.Stream.
func (stream) Wait() error { return nil }

// Close implements driver.Stream.
func (stream) Close() error { return nil }

type event time.Time

// Done implements driver.Event.
func (event) Done() (bool, error) { return true, nil }

// Since implements driver.Event.
func (e event) Since(o driver.Event) (time.Duration, error) {
	return time.Time(e).Sub(time.Time(o.(event))), nil
}
