package devices

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"occlude/operators/gpu"
	"occlude/operators/gpu/driver"
)

// kind is how the name of a GPU begins.
const kind = "cuda"

// First is the name of the first GPU.
const First = kind + ":0"

// mostNumber is above the number of GPUs of any machine.
const mostNumber = 255

// Canonical is the name of a GPU as SHOW prints it: cuda:0 for CUDA and cuda:00. The error
// says what a name looks like.
func Canonical(name string) (string, error) {
	n, err := number(name)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s:%d", kind, n), nil
}

// number is that of a GPU, counted from 0.
func number(name string) (int, error) {
	head, tail, numbered := strings.Cut(name, ":")
	if strings.EqualFold(head, kind) {
		if !numbered {
			return 0, nil
		}
		if n, err := strconv.ParseUint(tail, 10, 16); err == nil && n <= mostNumber {
			return int(n), nil
		}
	}
	return 0, fmt.Errorf("%q is not the name of a GPU, such as %s", name, First)
}

// Registry opens GPUs. Any goroutine may use it.
type Registry struct {
	open func(number int) (driver.Driver, error)

	mutex  sync.Mutex
	opened map[int]opened
}

// opened is a GPU, or why there is none.
type opened struct {
	device *gpu.Device
	err    error
}

// New makes a registry of the GPUs that open gives, by their numbers.
func New(open func(number int) (driver.Driver, error)) *Registry {
	return &Registry{open: open, opened: map[int]opened{}}
}

// Open gives the GPU of a name, the same each time, or says why it cannot be used. A nil
// Registry has none.
func (r *Registry) Open(name string) (*gpu.Device, error) {
	n, err := number(name)
	if err != nil {
		return nil, err
	}
	if r == nil {
		return nil, &driver.Absent{Reason: "there is no GPU"}
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if o, known := r.opened[n]; known {
		return o.device, o.err
	}
	var o opened
	if d, err := r.open(n); err != nil {
		o.err = err
	} else {
		o.device = gpu.NewDevice(d)
	}
	if !errors.Is(o.err, driver.ErrMemory) { // which others may give back
		r.opened[n] = o
	}
	return o.device, o.err
}

// Entry is a GPU, or why it cannot be used.
type Entry struct {
	Name   string
	Device *gpu.Device // nil where there is a reason
	Reason error
}

// All are the GPUs that there are, all of which are opened. The first one has an entry even
// where there is none, with the reason.
func (r *Registry) All() []Entry {
	var all []Entry
	for n := range mostNumber + 1 {
		e := Entry{Name: fmt.Sprintf("%s:%d", kind, n)}
		e.Device, e.Reason = r.Open(e.Name)
		if absent := (*driver.Absent)(nil); n > 0 && (r == nil || errors.As(e.Reason, &absent)) {
			break
		}
		all = append(all, e)
	}
	return all
}

// Opened are the GPUs that somebody has asked for and that can be used, by their numbers.
func (r *Registry) Opened() []Entry {
	if r == nil {
		return nil
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	var all []Entry
	for _, n := range slices.Sorted(maps.Keys(r.opened)) {
		if o := r.opened[n]; o.err == nil {
			all = append(all, Entry{Name: fmt.Sprintf("%s:%d", kind, n), Device: o.device})
		}
	}
	return all
}
