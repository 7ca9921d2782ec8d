package imageio

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"occlude/internal/dicomfile"
)

// Window says which measurements of a DICOM file become which gray. It is part of
// a model's preprocessing: a network has learnt what it knows through one window.
type Window struct {
	Mode          WindowMode
	Center, Width float64 // of WindowGiven
}

// WindowMode is a way to choose a window.
type WindowMode int

const (
	// WindowAuto is the file's own window. Without one, 8-bit files are taken as
	// WindowFull does and deeper ones as WindowRange does.
	WindowAuto WindowMode = iota
	// WindowFile is the file's own window; a file without one is refused.
	WindowFile
	// WindowRange goes from the frame's least to its greatest measurement.
	WindowRange
	// WindowFull goes over all that the file's bits can hold.
	WindowFull
	// WindowGiven is Center and Width, in the file's measurements (Hounsfield
	// units for a CT), by DICOM's LINEAR function.
	WindowGiven
)

var windowNames = []string{WindowAuto: "auto", WindowFile: "file", WindowRange: "range", WindowFull: "full"}

func (w Window) String() string {
	if w.Mode == WindowGiven {
		return fmt.Sprintf("[%g, %g]", w.Center, w.Width)
	}
	return nameOf(windowNames, int(w.Mode))
}

// WindowNames lists what ParseWindow knows.
func WindowNames() []string { return slices.Clone(windowNames) }

// ParseWindow knows the names of the modes but WindowGiven's.
func ParseWindow(s string) (Window, error) {
	i, err := indexOf(windowNames, s)
	return Window{Mode: WindowMode(i)}, err
}

// Validate tells what is wrong with a window.
func (w Window) Validate() error {
	if w.Mode < WindowAuto || w.Mode > WindowGiven {
		return fmt.Errorf("window is %v", w)
	}
	if w.Mode != WindowGiven {
		return nil
	}
	if _, err := voi(dicomfile.Window{Center: w.Center, Width: w.Width}); err != nil {
		return err
	}
	return nil
}

// voi makes the function of measurements to 0..255 that DICOM defines for a
// window (PS3.3 C.11.2.1.2.1 and C.11.2.1.3).
func voi(w dicomfile.Window) (func(x float64) float64, error) {
	c, width := w.Center, w.Width
	least := math.SmallestNonzeroFloat64
	var f func(x float64) float64
	switch w.Function {
	case "", "LINEAR":
		least = 1
		f = ramp(c-0.5-(width-1)/2, c-0.5+(width-1)/2)
	case "LINEAR_EXACT":
		f = ramp(c-width/2, c+width/2)
	case "SIGMOID":
		f = func(x float64) float64 { return 255 / (1 + math.Exp(-4*(x-c)/width)) }
	default:
		return nil, fmt.Errorf("the VOI LUT function %q is unknown", w.Function)
	}
	if !(width >= least) || math.IsInf(width, 0) || math.IsNaN(c) || math.IsInf(c, 0) {
		return nil, fmt.Errorf("a window of width %g around %g shows nothing", width, c)
	}
	return f, nil
}

// ramp rises from 0 at low to 255 at high. If these are the same it is a step just
// above.
func ramp(low, high float64) func(x float64) float64 {
	return func(x float64) float64 {
		switch {
		case x <= low:
			return 0
		case x > high:
			return 255
		}
		return (x - low) / (high - low) * 255
	}
}

// grays is the gray, 0 to 255, of every value that a sample of the file can have.
func (w Window) grays(file *dicomfile.File, s dicomfile.Scaling, frame []byte) ([]float32, error) {
	measured := make([]float64, 1<<file.Bits)
	for i := range measured {
		x := s.Measure(file.Value(uint16(i)))
		if math.IsInf(x, 0) || math.IsNaN(x) {
			return nil, fmt.Errorf("its slope and intercept, %g and %g, take measurements beyond all bounds", s.Slope, s.Intercept)
		}
		measured[i] = x
	}
	gray, err := w.function(file, s, measured, frame)
	if err != nil {
		return nil, err
	}
	table := make([]float32, len(measured))
	for i, x := range measured {
		table[i] = float32(gray(x))
		if file.Photometric == monochrome1 {
			table[i] = 255 - table[i]
		}
	}
	return table, nil
}

// function takes measurements to grays.
func (w Window) function(file *dicomfile.File, s dicomfile.Scaling, measured []float64, frame []byte) (func(x float64) float64, error) {
	mode := w.Mode
	if mode == WindowAuto {
		switch {
		case s.Window != nil || s.Table != nil:
			mode = WindowFile
		case file.Stored <= 8:
			mode = WindowFull
		default:
			mode = WindowRange
		}
	}
	switch {
	case mode == WindowGiven:
		return voi(dicomfile.Window{Center: w.Center, Width: w.Width})
	case mode == WindowRange:
		return ramp(occurring(file, measured, frame)), nil
	case mode == WindowFull:
		return ramp(slices.Min(measured), slices.Max(measured)), nil
	case s.Window != nil:
		f, err := voi(*s.Window)
		if err != nil {
			return nil, fmt.Errorf("the file's own window is of no use: %w; the model's option window takes another", err)
		}
		return f, nil
	case s.Table != nil:
		top := float64(int(1)<<s.Table.Bits - 1)
		return func(x float64) float64 {
			x = max(-1<<17, min(math.Round(x), 1<<17)) // beyond the ends of any table
			return min(float64(s.Table.At(int(x)))/top, 1) * 255
		}, nil
	}
	return nil, errors.New("it has no window of its own; the model's option window takes [center, width], 'range' or 'full' instead")
}

// occurring is the least and the greatest measurement in a frame; what pads it
// does not count.
func occurring(file *dicomfile.File, measured []float64, frame []byte) (low, high float64) {
	seen := make([]bool, len(measured))
	for sample := range samples(file, frame) {
		seen[sample] = true
	}
	low, high = math.Inf(1), math.Inf(-1)
	for i, x := range measured {
		v := file.Value(uint16(i))
		if p := file.Padding; seen[i] && (p == nil || v < p.Low || v > p.High) {
			low, high = min(low, x), max(high, x)
		}
	}
	return low, high
}
