//go:build cuda && linux

package cuda

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"
	"unsafe"

	"gorgonia.org/cu"

	"occlude/operators/gpu/driver"
)

/*
#cgo LDFLAGS: -ldl
#include <cuda.h>
#include "driver.h"
*/
import "C"

// card implements driver.Driver.
type card struct {
	context    cu.CUContext
	properties driver.Properties
}

// Open opens a GPU by its number, counted from 0.
func Open(number int) (driver.Driver, error) {
	var why *C.char
	switch code := C.occlude_open(&why); {
	case code == -1:
		return nil, &driver.Absent{Reason: "there is no NVIDIA driver: " + C.GoString(why)}
	case code != 0:
		return nil, &driver.Absent{Reason: "the NVIDIA driver does not start: " + meaning(int(code))}
	}
	count, err := cu.NumDevices()
	if err != nil {
		return nil, &driver.Absent{Reason: "the NVIDIA driver does not count GPUs: " + said(err)}
	}
	if number < 0 || number >= count {
		return nil, &driver.Absent{Reason: fmt.Sprintf("there is no GPU number %d; there are %d, counted from 0", number, count)}
	}
	d, err := cu.GetDevice(number)
	if err != nil {
		return nil, fmt.Errorf("GPU %d: %w", number, told(err))
	}
	g := &card{}
	if g.properties, err = properties(d); err != nil {
		return nil, fmt.Errorf("GPU %d: %w", number, told(err))
	}
	if c := g.properties.Capability; c[0] < 8 {
		return nil, fmt.Errorf("%s has compute capability %d.%d, and kernels are for 8.0 and later", g.properties.Name, c[0], c[1])
	}
	if g.context, err = d.RetainPrimaryCtx(); err != nil {
		return nil, fmt.Errorf("%s: %w", g.properties.Name, told(err))
	}
	return g, nil
}

func properties(d cu.Device) (p driver.Properties, err error) {
	if p.Name, err = d.Name(); err != nil {
		return p, err
	}
	for at, attribute := range map[*int]cu.DeviceAttribute{
		&p.Capability[0]: cu.ComputeCapabilityMajor, &p.Capability[1]: cu.ComputeCapabilityMinor,
		&p.Processors: cu.MultiprocessorCount, &p.SharedMemory: cu.MaxSharedMemoryPerBlock,
		&p.SharedMemoryMost: C.CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN, // for which cu has no name
	} {
		if *at, err = d.Attribute(attribute); err != nil {
			return p, err
		}
	}
	for at, attribute := range map[*int64]cu.DeviceAttribute{&p.Clock: cu.ClockRate, &p.MemoryClock: cu.MemoryClockRate} {
		if kHz, err := d.Attribute(attribute); err == nil { // newer drivers may not tell
			*at = int64(kHz) * 1000
		}
	}
	if p.MemoryBus, err = d.Attribute(cu.GlobalMemoryBusWidth); err != nil {
		p.MemoryBus = 0
	}
	p.Memory, err = d.TotalMem()
	return p, err
}

// Properties implements driver.Driver.
func (g *card) Properties() driver.Properties { return g.properties }

// Bind implements driver.Driver.
func (g *card) Bind() (func(), error) {
	runtime.LockOSThread()
	if err := cu.SetCurrentContext(g.context); err != nil {
		runtime.UnlockOSThread()
		return nil, told(err)
	}
	return runtime.UnlockOSThread, nil
}

// Memory implements driver.Driver.
func (g *card) Memory() (free, total int64, err error) {
	release, err := g.Bind()
	if err != nil {
		return 0, 0, err
	}
	defer release()
	free, total, err = cu.MemInfo()
	return free, total, told(err)
}

// Alloc implements driver.Driver.
func (g *card) Alloc(bytes int64) (driver.Pointer, error) {
	p, err := cu.MemAlloc(bytes)
	return driver.Pointer(p), told(err)
}

// Free implements driver.Driver.
func (g *card) Free(p driver.Pointer) error { return told(cu.MemFree(cu.DevicePtr(p))) }

// Load implements driver.Driver. The error has what the driver's compiler says.
func (g *card) Load(ptx string) (driver.Module, error) {
	complaints := &cu.JITErrorLogBuffer{Buffer: make([]byte, 16<<10)}
	m, err := cu.LoadDataEx(ptx, complaints)
	runtime.KeepAlive(complaints)
	err = told(err)
	if text, _, _ := strings.Cut(string(complaints.Buffer), "\x00"); err != nil && text != "" {
		err = fmt.Errorf("%w: %s", err, strings.TrimSpace(text))
	}
	return module{m}, err
}

// Pin implements driver.Pinner. Go does not move what is on its heap, and unpin, which refers to
// the memory, keeps it.
func (g *card) Pin(memory []byte) (unpin func() error, err error) {
	at := unsafe.Pointer(&memory[0])
	if code := C.cuMemHostRegister(at, C.size_t(len(memory)), 0); code != C.CUDA_SUCCESS {
		return nil, fmt.Errorf("pinning %d bytes: %s", len(memory), meaning(int(code)))
	}
	return func() error {
		if code := C.cuMemHostUnregister(at); code != C.CUDA_SUCCESS {
			return fmt.Errorf("unpinning %d bytes: %s", len(memory), meaning(int(code)))
		}
		return nil
	}, nil
}

type module struct{ cu.Module }

// Kernel implements driver.Module.
func (m module) Kernel(name string, shared int) (driver.Kernel, error) {
	f, err := m.Function(name)
	if err != nil || shared == 0 {
		return f, told(err)
	}
	// cu has no call for it, and keeps to itself what a Function holds: the driver's handle
	// alone.
	handle := *(*unsafe.Pointer)(unsafe.Pointer(&f))
	if code := C.occlude_allow_shared(handle, C.int(shared)); code != 0 {
		return nil, fmt.Errorf("%d bytes of shared memory: %s", shared, meaning(int(code)))
	}
	return f, nil
}

// A Function is as large as a handle, or this does not compile.
var _ [unsafe.Sizeof(uintptr(0))]byte = [unsafe.Sizeof(cu.Function{})]byte{}

// NewStream implements driver.Driver.
func (g *card) NewStream() (driver.Stream, error) {
	s, err := cu.MakeStream(cu.NonBlocking)
	return &stream{s: s}, told(err)
}

type stream struct {
	s      cu.Stream
	events []*event
	args   []unsafe.Pointer // of one launch
}

// Upload implements driver.Stream. The driver has read memory that is not pinned when
// the call returns.
func (s *stream) Upload(to driver.Pointer, from []byte) error {
	if len(from) == 0 {
		return nil
	}
	return told(cu.MemcpyHtoDAsync(cu.DevicePtr(to), unsafe.Pointer(&from[0]), int64(len(from)), s.s))
}

// Download implements driver.Stream.
func (s *stream) Download(to []byte, from driver.Pointer) error {
	if len(to) == 0 {
		return nil
	}
	if err := cu.MemcpyDtoHAsync(unsafe.Pointer(&to[0]), cu.DevicePtr(from), int64(len(to)), s.s); err != nil {
		return told(err)
	}
	return told(s.s.Synchronize())
}

// Launch implements driver.Stream.
func (s *stream) Launch(k driver.Kernel, l driver.Launch) error {
	f, ok := k.(cu.Function)
	if !ok {
		return errors.New("a kernel of another device")
	}
	s.args = s.args[:0]
	for i := range l.Args {
		s.args = append(s.args, unsafe.Pointer(&l.Args[i]))
	}
	return told(f.Launch(l.Grid[0], l.Grid[1], l.Grid[2], l.Block, 1, 1, l.Shared, s.s, s.args))
}

// Record implements driver.Stream.
func (s *stream) Record(old driver.Event) (driver.Event, error) {
	e, ok := old.(*event)
	if !ok {
		made, err := cu.MakeEvent(cu.DefaultEvent)
		if err != nil {
			return nil, told(err)
		}
		e = &event{made}
		s.events = append(s.events, e)
	}
	return e, told(e.e.Record(s.s))
}

// Wait implements driver.Stream.
func (s *stream) Wait() error { return told(s.s.Synchronize()) }

// Close implements driver.Stream.
func (s *stream) Close() error {
	err := s.s.Synchronize()
	for _, e := range s.events {
		err = errors.Join(err, cu.DestroyEvent(&e.e))
	}
	s.events = nil
	return errors.Join(err, s.s.Destroy())
}

type event struct{ e cu.Event }

// Done implements driver.Event.
func (e *event) Done() (bool, error) {
	switch err := e.e.Query(); {
	case err == nil:
		return true, nil
	case errors.Is(err, cu.NotReady):
		return false, nil
	default:
		return false, told(err)
	}
}

// Since implements driver.Event.
func (e *event) Since(o driver.Event) (time.Duration, error) {
	before, ok := o.(*event)
	if !ok {
		return 0, errors.New("an event of another device")
	}
	ms, err := before.e.Elapsed(e.e)
	return time.Duration(ms * float64(time.Millisecond)), told(err)
}
