package dicomfile

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/suyashkumar/dicom/pkg/tag"
	"github.com/suyashkumar/dicom/pkg/uid"
)

// maxInflated bounds the memory and the time that a deflated file takes.
const maxInflated = 64 << 20 // bytes

// HeadSize is how much of a file Match needs to see.
const HeadSize = preamble + len(magic)

const (
	preamble = 128
	magic    = "DICM"

	// Transfer syntaxes that package uid has names, but no constants for.
	jpegBaseline = "1.2.840.10008.1.2.4.50"
	jpegExtended = "1.2.840.10008.1.2.4.51"
	rleLossless  = "1.2.840.10008.1.2.5"
)

// Match tells whether a file is DICOM by its first bytes. Files with neither the
// preamble nor meta information are recognised by their first element, which is
// one of a few of group 0008.
func Match(head []byte) bool {
	if len(head) >= HeadSize && string(head[preamble:HeadSize]) == magic {
		return true
	}
	if len(head) < 8 {
		return false
	}
	group, number := binary.LittleEndian.Uint16(head), binary.LittleEndian.Uint16(head[2:])
	switch {
	case group == 0x0002 && number <= 0x0010:
		return isRepresentation(string(head[4:6]))
	case group == 0x0008 && number <= 0x0018:
		length := binary.LittleEndian.Uint32(head[4:])
		return isRepresentation(string(head[4:6])) || length < 1<<10 && length%2 == 0
	}
	return false
}

// File is a DICOM file with a picture in it.
type File struct {
	Picture
	// JPEG tells that a frame is a JPEG stream rather than samples.
	JPEG bool
	// Order is the order of the bytes of a sample.
	Order binary.ByteOrder

	runs     bool // frames are compressed by runs
	encoding encoding
	own      values
	// shared and perFrame are the functional groups, empty in files without.
	shared, perFrame walker
	// modality and voi are lists of tables, empty in files without.
	modality, voi walker
	palette       map[tag.Tag]element
	// pixels is the element; content is what it consists of if that is fragments.
	pixels  element
	content walker
}

// Parse looks through a file up to its pixels. The file shares the memory of
// data, which must not change.
func Parse(data []byte) (*File, error) {
	left := maxElements
	set, syntax, err := meta(data, &left)
	if err != nil {
		return nil, err
	}
	f := &File{
		JPEG: syntax == jpegBaseline || syntax == jpegExtended, runs: syntax == rleLossless,
		Order: set.order, encoding: set.encoding, palette: map[tag.Tag]element{},
	}
	var kept []byte
	for f.pixels.raw == nil {
		if set.done() {
			return nil, errors.New("it has no picture")
		}
		e, err := set.next()
		if err != nil {
			return nil, err
		}
		if wanted[e.tag] {
			if kept, err = keep(kept, e); err != nil {
				return nil, err
			}
		}
		inner, err := set.content(e)
		if err != nil {
			return nil, err
		}
		if err := f.note(e, inner); err != nil {
			return nil, err
		}
	}
	if f.pixels.undefined != (f.JPEG || f.runs) {
		return nil, fmt.Errorf("it is malformed: its transfer syntax is %s, but its pixels are not stored like that", syntaxName(syntax))
	}
	if f.own, err = read(kept, f.encoding); err != nil {
		return nil, err
	}
	if f.Picture, err = f.own.picture(); err != nil {
		return nil, err
	}
	if f.runs { // which unpack puts together by pixel
		f.Planar = false
	}
	return f, nil
}

// note remembers where those elements are that are looked into later.
func (f *File) note(e element, inner walker) error {
	switch e.tag {
	case tag.SharedFunctionalGroupsSequence:
		f.shared = inner
	case tag.PerFrameFunctionalGroupsSequence:
		f.perFrame = inner
	case tag.ModalityLUTSequence:
		f.modality = inner
	case tag.VOILUTSequence:
		f.voi = inner
	case tag.RedPaletteColorLookupTableDescriptor, tag.RedPaletteColorLookupTableData,
		tag.GreenPaletteColorLookupTableDescriptor, tag.GreenPaletteColorLookupTableData,
		tag.BluePaletteColorLookupTableDescriptor, tag.BluePaletteColorLookupTableData:
		f.palette[e.tag] = e
	case tag.PixelData:
		f.pixels, f.content = e, inner
	case tag.FloatPixelData, tag.DoubleFloatPixelData:
		return fmt.Errorf("its pixels are floating-point numbers (%s), which are not read", name(e.tag))
	}
	return nil
}

// meta reads what stands before the data set and tells how that is written.
func meta(data []byte, left *int) (set walker, syntax string, err error) {
	if len(data) >= HeadSize && string(data[preamble:HeadSize]) == magic {
		data = data[HeadSize:]
	}
	explicit := encoding{order: binary.LittleEndian}
	head := walker{encoding: explicit, data: data, left: left}
	for {
		rest := head.data[head.at:]
		if len(rest) < 8 || binary.LittleEndian.Uint16(rest) != tag.MetadataGroup {
			set = walker{encoding: explicit, data: rest, left: left}
			break
		}
		e, err := head.next()
		if err != nil {
			return walker{}, "", err
		}
		if e.tag == tag.TransferSyntaxUID {
			syntax = strings.TrimRight(string(e.value), " \x00")
		}
	}
	// Some files are implicit whatever they say.
	set.implicit = len(set.data) >= 8 && !isRepresentation(string(set.data[4:6]))
	switch syntax {
	case "": // not said, so it must be one of the plain ones
		syntax = uid.ExplicitVRLittleEndian
	case uid.ImplicitVRLittleEndian:
		set.implicit = true
	case uid.ExplicitVRBigEndian:
		set.order = binary.BigEndian
	case uid.DeflatedExplicitVRLittleEndian:
		set.implicit = false
		set.data, err = inflate(set.data)
	case uid.ExplicitVRLittleEndian, jpegBaseline, jpegExtended, rleLossless:
	default:
		err = fmt.Errorf("its transfer syntax is %s, which is not read; programs such as dcmdjpeg and gdcmconv --raw store it uncompressed", syntaxName(syntax))
	}
	return set, syntax, err
}

// syntaxName is a transfer syntax with the name that the standard gives it.
func syntaxName(syntax string) string {
	if info, err := uid.Lookup(syntax); err == nil && info.Type == uid.TypeTransferSyntax {
		return fmt.Sprintf("%s (%s)", info.Name, syntax)
	}
	return fmt.Sprintf("unknown (%q)", syntax)
}

func inflate(data []byte) ([]byte, error) {
	var plain bytes.Buffer
	if _, err := io.Copy(&plain, io.LimitReader(flate.NewReader(bytes.NewReader(data)), maxInflated+1)); err != nil {
		return nil, fmt.Errorf("the deflated file is cut short or damaged: %w", err)
	}
	if plain.Len() > maxInflated {
		return nil, fmt.Errorf("inflated it has more than %d bytes", maxInflated)
	}
	return plain.Bytes(), nil
}
