// Package dicomtest writes DICOM files for tests, by the library's writer: so what
// the tests read was not written by what reads it.
package dicomtest

import (
	"bytes"
	"slices"
	"strconv"
	"testing"

	"github.com/suyashkumar/dicom"
	"github.com/suyashkumar/dicom/pkg/frame"
	"github.com/suyashkumar/dicom/pkg/tag"
	"github.com/suyashkumar/dicom/pkg/uid"
)

// Image is what to write. Bits is 8 or 16, and so is the type of the samples; each
// element of Frames has all samples of a frame. Streams, if there are any, are
// written in their place, as the fragments of compressed pixels.
type Image struct {
	Syntax                          string // the transfer syntax, "" for explicit, little endian
	Columns, Rows, Samples          int
	Photometric                     string // "" for MONOCHROME2
	Bits, Stored, High              int
	Signed                          bool
	Center, Width, Slope, Intercept string
	Function                        string
	Frames                          [][]uint16
	Streams                         [][]byte
	More                            map[tag.Tag]any // further elements, or other values for those above
}

// File returns the file.
func (m Image) File(t testing.TB) []byte {
	t.Helper()
	values := map[tag.Tag]any{
		tag.MediaStorageSOPClassUID:    []string{"1.2.840.10008.5.1.4.1.1.7"},
		tag.MediaStorageSOPInstanceUID: []string{"1.2.3"},
		tag.TransferSyntaxUID:          []string{or(m.Syntax, uid.ExplicitVRLittleEndian)},
		tag.Rows:                       []int{m.Rows},
		tag.Columns:                    []int{m.Columns},
		tag.SamplesPerPixel:            []int{max(m.Samples, 1)},
		tag.PhotometricInterpretation:  []string{or(m.Photometric, "MONOCHROME2")},
		tag.NumberOfFrames:             []string{strconv.Itoa(max(len(m.Frames), 1))},
		tag.BitsAllocated:              []int{m.Bits},
		tag.BitsStored:                 []int{m.Stored},
		tag.HighBit:                    []int{m.High},
		tag.PixelRepresentation:        []int{0},
		tag.PixelData:                  m.pixels(),
	}
	if m.Signed {
		values[tag.PixelRepresentation] = []int{1}
	}
	for t, text := range map[tag.Tag]string{
		tag.WindowCenter: m.Center, tag.WindowWidth: m.Width, tag.VOILUTFunction: m.Function,
		tag.RescaleSlope: m.Slope, tag.RescaleIntercept: m.Intercept,
	} {
		if text != "" {
			values[t] = []string{text}
		}
	}
	for t, v := range m.More {
		values[t] = v
	}
	var set dicom.Dataset
	for name, v := range values {
		e, err := dicom.NewElement(name, v)
		if err != nil {
			t.Fatal(name, err)
		}
		if name == tag.PixelData && m.Streams != nil {
			e.RawValueRepresentation, e.ValueLength = "OB", tag.VLUndefinedLength
		}
		set.Elements = append(set.Elements, e)
	}
	slices.SortFunc(set.Elements, func(a, b *dicom.Element) int { return a.Tag.Compare(b.Tag) })
	var file bytes.Buffer
	if err := dicom.Write(&file, set, dicom.SkipVRVerification()); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

func (m Image) pixels() dicom.PixelDataInfo {
	info := dicom.PixelDataInfo{IsEncapsulated: m.Streams != nil}
	for _, stream := range m.Streams {
		stream = append(bytes.Clone(stream), make([]byte, len(stream)%2)...) // all lengths are even
		info.Frames = append(info.Frames, &frame.Frame{Encapsulated: true, EncapsulatedData: frame.EncapsulatedFrame{Data: stream}})
	}
	if m.Streams != nil {
		return info
	}
	pixels, samples := m.Columns*m.Rows, max(m.Samples, 1)
	for _, values := range m.Frames {
		if m.Bits == 8 {
			native := frame.NewNativeFrame[uint8](8, m.Rows, m.Columns, pixels, samples)
			for i, v := range values {
				native.RawData[i] = uint8(v)
			}
			info.Frames = append(info.Frames, &frame.Frame{NativeData: native})
			continue
		}
		native := frame.NewNativeFrame[uint16](16, m.Rows, m.Columns, pixels, samples)
		copy(native.RawData, values)
		info.Frames = append(info.Frames, &frame.Frame{NativeData: native})
	}
	return info
}
