package dicomfile

import (
	"fmt"
	"math"

	"github.com/suyashkumar/dicom/pkg/tag"
)

// Picture is what a file says about all of its frames.
type Picture struct {
	Columns, Rows, Frames int
	Samples               int // per pixel
	// Photometric is the photometric interpretation, such as MONOCHROME2 or RGB.
	Photometric string
	Planar      bool // all samples of a kind stand together, not those of a pixel
	// Bits are allocated for a sample, 8 or 16. Stored of them are used, of which
	// High is the highest, counted from 0. Signed samples are two's complements.
	Bits, Stored, High int
	Signed             bool
	// Padding is the range of stored values that stand for no measurement; nil if
	// there is none.
	Padding *Range
}

// Range is the values from Low to High.
type Range struct{ Low, High int }

// Value is the number that an allocated sample stands for: its stored bits,
// with their sign.
func (p Picture) Value(sample uint16) int {
	top := sample << (15 - p.High) // what stands above the stored bits is cut off
	if p.Signed {
		return int(int16(top) >> (16 - p.Stored))
	}
	return int(top >> (16 - p.Stored))
}

func (v values) picture() (Picture, error) {
	a := asking{values: v}
	p := Picture{
		Photometric: v.text(tag.PhotometricInterpretation),
		Samples:     a.whole(tag.SamplesPerPixel, 1, 1, 3),
		Frames:      a.whole(tag.NumberOfFrames, 1, 1, math.MaxInt32),
		Rows:        a.whole(tag.Rows, 0, 1, math.MaxUint16),
		Columns:     a.whole(tag.Columns, 0, 1, math.MaxUint16),
		Planar:      a.whole(tag.PlanarConfiguration, 0, 0, 1) == 1,
		Signed:      a.whole(tag.PixelRepresentation, 0, 0, 1) == 1,
		Bits:        a.whole(tag.BitsAllocated, 0, 8, 16),
	}
	p.Stored = a.whole(tag.BitsStored, p.Bits, 1, p.Bits)
	p.High = a.whole(tag.HighBit, p.Stored-1, p.Stored-1, p.Bits-1)
	if a.err == nil && p.Bits != 8 && p.Bits != 16 {
		a.err = fmt.Errorf("%s is %d; 8 and 16 are read", name(tag.BitsAllocated), p.Bits)
	}
	if a.err == nil && v.has(tag.PixelPaddingValue) {
		from := a.whole(tag.PixelPaddingValue, 0, math.MinInt16, math.MaxUint16)
		to := a.whole(tag.PixelPaddingRangeLimit, from, math.MinInt16, math.MaxUint16)
		low, high := p.Value(uint16(from)), p.Value(uint16(to))
		p.Padding = &Range{min(low, high), max(low, high)}
	}
	return p, a.err
}

// Scaling is what makes measurements of stored values, and how the file wants
// them to be seen.
type Scaling struct {
	Slope, Intercept float64
	Modality         *Table // in place of slope and intercept, nil for none
	// Window is the first that the file has, nil if it has none.
	Window *Window
	// Table takes measurements to 0..2^Bits-1 in a window's place; nil if there is
	// none, or a window too, which then goes before it.
	Table *Table
}

// Measure is the measurement that a stored value stands for.
func (s Scaling) Measure(stored int) float64 {
	if s.Modality != nil {
		return float64(s.Modality.At(stored))
	}
	return float64(s.Slope*float64(stored)) + s.Intercept
}

// Window is a range of measurements to look at (PS3.3 C.11.2.1.2).
type Window struct {
	Center, Width float64
	Function      string // the VOI LUT function, "" for LINEAR
}

// Scaling is that of a frame, counted from 1.
func (f *File) Scaling(frame int) (Scaling, error) {
	rescale, err := f.group(frame, tag.PixelValueTransformationSequence, tag.RescaleSlope)
	if err != nil {
		return Scaling{}, err
	}
	voi, err := f.group(frame, tag.FrameVOILUTSequence, tag.WindowCenter)
	if err != nil {
		return Scaling{}, err
	}
	a := asking{values: rescale}
	s := Scaling{Slope: a.number(tag.RescaleSlope, 1), Intercept: a.number(tag.RescaleIntercept, 0)}
	if a.values = voi; a.has(tag.WindowCenter) && a.has(tag.WindowWidth) {
		s.Window = &Window{a.number(tag.WindowCenter, 0), a.number(tag.WindowWidth, 0), voi.text(tag.VOILUTFunction)}
	} else if s.Table, err = f.listed(f.voi); err != nil {
		return Scaling{}, err
	}
	if s.Slope == 0 {
		a.fail(fmt.Errorf("it is malformed: %s is 0", name(tag.RescaleSlope)))
	}
	if s.Modality, err = f.listed(f.modality); err != nil {
		return Scaling{}, err
	}
	return s, a.err
}

// group is the data set that speaks of a frame: the macro in the frame's own
// functional groups, else in the shared ones, else the file's data set. It is
// the first that has the element t.
func (f *File) group(frame int, macro, t tag.Tag) (values, error) {
	v, err := groupIn(f.perFrame, frame-1, macro)
	if err != nil || v.has(t) {
		return v, err
	}
	v, err = groupIn(f.shared, 0, macro)
	if err != nil || v.has(t) {
		return v, err
	}
	return f.own, nil
}

// groupIn is the first item of a macro in the n-th item, from 0, of a sequence of
// functional groups; empty if there is none. The walker is a copy, so that each
// search begins at the beginning.
func groupIn(groups walker, n int, macro tag.Tag) (values, error) {
	item, found, err := groups.item(n)
	if err != nil || !found {
		return values{}, err
	}
	list, found, err := item.find(macro)
	if err != nil || !found {
		return values{}, err
	}
	if item, found, err = list.item(0); err != nil || !found {
		return values{}, err
	}
	return item.values()
}
