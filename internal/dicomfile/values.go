package dicomfile

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/suyashkumar/dicom"
	"github.com/suyashkumar/dicom/pkg/tag"
	"github.com/suyashkumar/dicom/pkg/uid"
)

// wanted are the elements whose values are looked at, in the data set and in the
// functional groups.
var wanted = map[tag.Tag]bool{
	tag.SamplesPerPixel: true, tag.PhotometricInterpretation: true, tag.PlanarConfiguration: true,
	tag.NumberOfFrames: true, tag.Rows: true, tag.Columns: true,
	tag.BitsAllocated: true, tag.BitsStored: true, tag.HighBit: true, tag.PixelRepresentation: true,
	tag.PixelPaddingValue: true, tag.PixelPaddingRangeLimit: true,
	tag.WindowCenter: true, tag.WindowWidth: true, tag.VOILUTFunction: true,
	tag.RescaleIntercept: true, tag.RescaleSlope: true,
}

// keep adds an element to those that the library is to read.
func keep(kept []byte, e element) ([]byte, error) {
	const plain, most = "CS DS FD FL IS SL SS UL US", 1 << 12 // bytes
	if len(kept) > 1<<16 {
		return nil, fmt.Errorf("it is malformed: %s comes again and again", name(e.tag))
	}
	if e.undefined || len(e.value) > most || !strings.Contains(plain, e.vr) {
		return nil, fmt.Errorf("it is malformed: %s is not the number or word that it should be", name(e.tag))
	}
	return append(kept, e.raw...), nil
}

// values are elements with their values.
type values struct{ dicom.Dataset }

// read has the library read elements: as a file, with just the meta information
// that tells how they are written.
func read(kept []byte, e encoding) (values, error) {
	syntax := uid.ExplicitVRLittleEndian
	switch {
	case e.implicit:
		syntax = uid.ImplicitVRLittleEndian
	case e.order == binary.BigEndian:
		syntax = uid.ExplicitVRBigEndian
	}
	if len(syntax)%2 == 1 {
		syntax += "\x00"
	}
	little := binary.LittleEndian
	about := append([]byte("\x02\x00\x10\x00UI"), little.AppendUint16(nil, uint16(len(syntax)))...)
	about = append(about, syntax...)
	file := append(make([]byte, preamble), magic+"\x02\x00\x00\x00UL\x04\x00"...)
	file = little.AppendUint32(file, uint32(len(about)))
	file = append(append(file, about...), kept...)
	set, err := dicom.Parse(bytes.NewReader(file), int64(len(file)), nil)
	if err != nil {
		return values{}, fmt.Errorf("it is malformed: %w", err)
	}
	return values{set}, nil
}

// text is an element's first value as it is written, "" where there is none.
func (v values) text(t tag.Tag) string {
	e, err := v.FindElementByTag(t)
	if err != nil {
		return ""
	}
	switch list := e.Value.GetValue().(type) {
	case []string:
		if len(list) > 0 {
			return strings.TrimSpace(list[0])
		}
	case []int:
		if len(list) > 0 {
			return strconv.Itoa(list[0])
		}
	case []float64:
		if len(list) > 0 {
			return strconv.FormatFloat(list[0], 'g', -1, 64)
		}
	}
	return ""
}

func (v values) has(t tag.Tag) bool { return v.text(t) != "" }

// asking takes numbers out of values and keeps the first error.
type asking struct {
	values
	err error
}

// number is an element's first value, or another where there is none.
func (a *asking) number(t tag.Tag, otherwise float64) float64 {
	text := a.text(t)
	if text == "" {
		return otherwise
	}
	x, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
		a.fail(fmt.Errorf("it is malformed: %s is %q", name(t), text))
		return otherwise
	}
	return x
}

// whole is a number that must be whole and from least to most. What there must be
// has an otherwise that is not.
func (a *asking) whole(t tag.Tag, otherwise, least, most int) int {
	x := a.number(t, float64(otherwise))
	switch {
	case x == math.Trunc(x) && x >= float64(least) && x <= float64(most):
		return int(x)
	case !a.has(t):
		a.fail(fmt.Errorf("it is malformed: %s is missing", name(t)))
	default:
		a.fail(fmt.Errorf("%s is %s; from %d to %d is read", name(t), a.text(t), least, most))
	}
	return least
}

func (a *asking) fail(err error) {
	if a.err == nil {
		a.err = err
	}
}

// values reads what is wanted of a data set to its end.
func (w *walker) values() (values, error) {
	var kept []byte
	for !w.done() {
		e, err := w.next()
		if err != nil {
			return values{}, err
		}
		if wanted[e.tag] {
			if kept, err = keep(kept, e); err != nil {
				return values{}, err
			}
		}
		if _, err := w.content(e); err != nil {
			return values{}, err
		}
	}
	return read(kept, w.encoding)
}
