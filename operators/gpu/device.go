package gpu

import (
	"fmt"
	"sync"

	"occlude/operators/gpu/driver"
	"occlude/operators/gpu/kernels"
)

// Device is a driver with what programs on it share: memory that is given back when
// nobody refers to it, and kernels, which the driver compiles when the first program is
// made. A process needs one for each GPU.
type Device struct {
	driver driver.Driver
	heap   *heap

	loading sync.Mutex               // guards ready
	ready   map[string]driver.Kernel // by name, nil until they are loaded
}

// NewDevice makes a device of a driver.
func NewDevice(d driver.Driver) *Device { return &Device{driver: d, heap: &heap{driver: d}} }

// Properties describe the device.
func (d *Device) Properties() driver.Properties { return d.driver.Properties() }

// Memory is how many bytes are free, when what nobody refers to has been given back, and how
// many there are.
func (d *Device) Memory() (free, total int64, err error) {
	if err := d.sweep(); err != nil {
		return 0, 0, err
	}
	return d.driver.Memory()
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
	return d.heap.sweep()
}

// bind ties the calling goroutine to the device.
func (d *Device) bind() (func(), error) {
	release, err := d.driver.Bind()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.Properties().Name, err)
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
		return nil, fmt.Errorf("loading kernels on the %s: %w", d.Properties().Name, err)
	}
	ready := map[string]driver.Kernel{}
	for _, a := range kernels.All() {
		name := a.Kernel()
		if ready[name], err = module.Kernel(name); err != nil {
			return nil, fmt.Errorf("loading kernel %q on the %s: %w", name, d.Properties().Name, err)
		}
	}
	d.ready = ready
	return ready, nil
}
