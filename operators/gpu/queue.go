package gpu

import (
	"context"
	"fmt"
	"time"

	"occlude/operators"
	"occlude/operators/gpu/driver"
)

// queue is a worker's stream, and how far the host may run ahead of the device: by two
// launches of the most work at most, so that little is left to wait for when the context
// ends. Marks between the layers tell how far the device has come, and afterwards how
// long each layer took.
type queue struct {
	stream driver.Stream
	ctx    context.Context // of the present batch
	limit  int64

	marks []mark
	count int // of them in use
	done  int // of them that the device has come past
	ahead int64
	since int64 // work since the last mark

	counts operators.DeviceStats // of all batches, without Peak
}

// mark is an event behind some work of a layer.
type mark struct {
	event driver.Event
	layer int
	work  int64 // since the mark before
}

// patience is how long the host sleeps between two looks at a mark, after so many
// without sleep.
const (
	patience = 50 * time.Microsecond
	looks    = 100
)

// open makes the queue ready for a batch.
func (q *queue) open(ctx context.Context, p *Program) (err error) {
	q.ctx, q.limit, q.count, q.done, q.ahead, q.since = ctx, p.limit, 0, 0, 0, 0
	if q.stream == nil {
		if q.stream, err = p.device.driver.NewStream(); err != nil {
			return fmt.Errorf("making a stream: %w", err)
		}
	}
	return nil
}

// close lets go of the stream.
func (q *queue) close(d *Device) {
	if q.stream == nil {
		return
	}
	if release, err := d.bind(); err == nil {
		_ = q.stream.Close() // nothing is queued that anybody waits for
		release()
	}
	*q = queue{}
}

// launch queues a kernel, unless the context has ended.
func (q *queue) launch(k driver.Kernel, l driver.Launch) error {
	if q.ctx.Err() != nil {
		return context.Cause(q.ctx)
	}
	q.counts.Launches++
	return q.stream.Launch(k, l)
}

// upload queues a copy to the device.
func (q *queue) upload(to driver.Pointer, from []byte) error {
	q.counts.Up += int64(len(from))
	return q.stream.Upload(to, from)
}

// download waits for a copy from the device.
func (q *queue) download(to []byte, from driver.Pointer) error {
	q.counts.Down += int64(len(to))
	return q.stream.Download(to, from)
}

// did says how much work was just queued, and waits while the device is too far behind.
func (q *queue) did(work int64) error {
	q.since += work
	if q.since < q.limit {
		return nil
	}
	if err := q.mark(-1); err != nil {
		return err
	}
	for q.ahead > 2*q.limit && q.done < q.count {
		if err := q.pass(); err != nil {
			return err
		}
	}
	return nil
}

// mark sets a mark behind a layer; -1 is within one.
func (q *queue) mark(layer int) (err error) {
	if q.count == len(q.marks) {
		q.marks = append(q.marks, mark{})
	}
	m := &q.marks[q.count]
	if m.event, err = q.stream.Record(m.event); err != nil {
		return err
	}
	m.layer, m.work = layer, q.since
	q.ahead, q.since = q.ahead+q.since, 0
	q.count++
	return nil
}

// pass waits until the device has come past one mark more.
func (q *queue) pass() error {
	m := q.marks[q.done]
	for look := 0; ; look++ {
		passed, err := m.event.Done()
		if err != nil {
			return err
		}
		if passed {
			q.ahead -= m.work
			q.done++
			return nil
		}
		if q.ctx.Err() != nil {
			return context.Cause(q.ctx)
		}
		if look >= looks {
			time.Sleep(patience)
		}
	}
}

// finish waits for all marks, and for what follows the last.
func (q *queue) finish() error {
	if err := q.mark(-1); err != nil {
		return err
	}
	for q.done < q.count {
		if err := q.pass(); err != nil {
			return err
		}
	}
	return nil
}

// times tells how long each layer of the batch took on the device. The device has come
// past all marks.
func (q *queue) times(spent func(layer int, d time.Duration)) error {
	last := 0
	for i := 1; i < q.count; i++ {
		if q.marks[i].layer < 0 {
			continue
		}
		d, err := q.marks[i].event.Since(q.marks[last].event)
		if err != nil {
			return err
		}
		spent(q.marks[i].layer, d)
		last = i
	}
	return nil
}
