package gpu

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"occlude/operators/gpu/driver"
	"occlude/operators/gpu/kernels"
)

// Device is a driver with what programs on it share: memory that is given back when
// nobody refers to it, and kernels, which the driver compiles when the first program is
// made. A process needs one for each GPU.
type Device struct {
	driver driver.Driver
	heap   *heap

	lost atomic.Pointer[error] // nil for as long as it computes, or may

	loading sync.Mutex               // guards ready
	ready   map[string]driver.Kernel // by name, nil until they are loaded
}

// NewDevice makes a device of a driver.
func NewDevice(d driver.Driver) *Device {
	return &Device{driver: d, heap: &heap{driver: d, taken: map[driver.Pointer]allocation{}}}
}

// Properties describe the device.
func (d *Device) Properties() driver.Properties { return d.driver.Properties() }

// Memory is how many bytes are free, when what nobody refers to has been given back, and how
// many there are.
func (d *Device) Memory() (free, total int64, err error) {
	if err := d.sweep(); err != nil {
		return 0, 0, err
	}
	free, total, err = d.driver.Memory()
	return free, total, d.heard(err)
}

// Lost is why the device computes nothing any more, nil for as long as it does.
func (d *Device) Lost() error {
	if err := d.lost.Load(); err != nil {
		return *err
	}
	return nil
}

// heard remembers an error after which the device is of no use, and returns it.
func (d *Device) heard(err error) error {
	if errors.Is(err, driver.ErrLost) || errors.Is(err, driver.ErrKernels) {
		d.lost.CompareAndSwap(nil, &err)
	}
	return err
}

// Held is how many bytes all programs, their workers and views hold.
func (d *Device) Held() int64 {
	d.heap.mutex.Lock()
	defer d.heap.mutex.Unlock()
	return d.heap.held
}

// sweep gives back what nobody refers to.
func (d *Device) sweep() error {
	release, err := d.bind()
	if err != nil {
		return err
	}
	defer release()
	return d.heard(d.heap.sweep())
}

// Collect gives back everything that nobody refers to any more, which takes a garbage
// collection to find.
func (d *Device) Collect() error {
	runtime.GC()
	return d.sweep()
}

// bind ties the calling goroutine to the device.
func (d *Device) bind() (func(), error) {
	if err := d.Lost(); err != nil {
		return nil, err
	}
	release, err := d.driver.Bind()
	if err != nil {
		return nil, d.heard(err)
	}
	return release, nil
}

// load gives all kernels, ready to be launched. The caller is bound to the device.
func (d *Device) load() (map[string]driver.Kernel, error) {
	d.loading.Lock()
	defer d.loading.Unlock()
	if d.ready != nil {
		return d.ready, nil
	}
	module, err := d.driver.Load(kernels.PTX)
	if err != nil {
		return nil, d.unready(err)
	}
	ready := map[string]driver.Kernel{}
	for _, a := range kernels.All() {
		name := a.Kernel()
		if ready[name], err = module.Kernel(name, kernels.TileOf(name).Shared); err != nil {
			return nil, d.unready(fmt.Errorf("%q: %w", name, err))
		}
	}
	d.ready = ready
	return ready, nil
}

// unready is an error of loading kernels, which is final unless others may give back what is
// missing.
func (d *Device) unready(err error) error {
	if errors.Is(err, driver.ErrMemory) || errors.Is(err, driver.ErrLost) {
		return d.heard(fmt.Errorf("loading kernels: %w", err))
	}
	return d.heard(fmt.Errorf("%w: %w", driver.ErrKernels, err))
}
