package gputest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"occlude/operators/gpu/driver"
	"occlude/operators/gpu/kernels"
)

// launches are how many are timed together.
const launches = 1000

// overheads are what a launch takes that computes next to nothing: the host's time to queue it,
// and the device's until it is done.
func overheads() []Measurement {
	queue := func(ctx context.Context, on Card, seconds func(s driver.Stream, queue func() error) (float64, error)) (r Rate, err error) {
		place := (&kernels.Place{}).Kernel()
		err = on.bound(func() error {
			return launching(on.Driver, place, rowBytes(1), func(s driver.Stream, k driver.Kernel, at driver.Pointer) error {
				a, err := row(s, at, 1)
				if err != nil {
					return err
				}
				args := kernels.Words(a)
				r.Seconds, err = median(func() (float64, error) {
					return seconds(s, func() error {
						for range launches {
							if ctx.Err() != nil {
								return context.Cause(ctx)
							}
							if err := s.Launch(k, driver.Launch{Grid: [3]int{1, 1, 1}, Block: kernels.Threads, Args: args}); err != nil {
								return err
							}
						}
						return nil
					})
				})
				r.Seconds /= launches
				return err
			})
		})
		return r, err
	}
	return []Measurement{
		{"queue a launch, host", func(ctx context.Context, on Card) (Rate, error) {
			return queue(ctx, on, func(s driver.Stream, queue func() error) (float64, error) {
				start := time.Now()
				err := queue()
				spent := time.Since(start).Seconds()
				return spent, errors.Join(err, s.Wait())
			})
		}},
		{"a launch in a queue", func(ctx context.Context, on Card) (Rate, error) {
			var begin, end driver.Event
			return queue(ctx, on, func(s driver.Stream, queue func() error) (_ float64, err error) {
				if begin, err = s.Record(begin); err != nil {
					return 0, err
				}
				if err := queue(); err != nil {
					return 0, err
				}
				if end, err = s.Record(end); err != nil {
					return 0, err
				}
				if err := s.Wait(); err != nil {
					return 0, err
				}
				d, err := end.Since(begin)
				return d.Seconds(), err
			})
		}},
	}
}

// copies are those between host and device, by the host's clock, of memory that is pinned and of
// such as Go has; and of a few bytes, which tell what a copy takes in any case.
func copies() []Measurement {
	var all []Measurement
	for _, bytes := range []int{256, 1 << 20, 64 << 20} {
		for _, pinned := range []bool{false, true} {
			for _, up := range []bool{true, false} {
				name := fmt.Sprintf("%s %d bytes", map[bool]string{true: "upload", false: "download"}[up], bytes)
				if pinned {
					name += ", pinned"
				}
				all = append(all, Measurement{name, func(_ context.Context, on Card) (r Rate, err error) {
					r.Bytes = float64(bytes)
					err = on.bound(func() error {
						r.Seconds, err = on.copies(bytes, pinned, up)
						return err
					})
					return r, err
				}})
			}
		}
	}
	return all
}

// copies times a copy. The caller is bound to the device.
func (on Card) copies(bytes int, pinned, up bool) (seconds float64, err error) {
	pages := driver.Pages(bytes)
	memory := pages[:bytes]
	for i := range memory {
		memory[i] = byte(i) // the system has brought the page
	}
	if pinned {
		p, ok := on.Driver.(driver.Pinner)
		if !ok {
			return 0, errors.New("the driver pins no memory")
		}
		unpin, failed := p.Pin(pages)
		if failed != nil {
			return 0, failed
		}
		defer func() { err = errors.Join(err, unpin()) }()
	}
	err = launching(on.Driver, (&kernels.Place{}).Kernel(), int64(bytes), func(s driver.Stream, _ driver.Kernel, at driver.Pointer) error {
		seconds, err = median(func() (float64, error) {
			start := time.Now()
			if up {
				err = errors.Join(s.Upload(at, memory), s.Wait())
			} else {
				err = s.Download(memory, at)
			}
			return time.Since(start).Seconds(), err
		})
		return err
	})
	return seconds, err
}

// bound does something between Bind and the function that it gives.
func (on Card) bound(do func() error) error {
	release, err := on.Driver.Bind()
	if err != nil {
		return err
	}
	defer release()
	return do()
}
