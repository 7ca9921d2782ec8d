package dicomfile

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/suyashkumar/dicom/pkg/tag"
)

// maxElements bounds the time that looking through a file takes. The largest
// files that are made, with thousands of frames, have about a million.
const maxElements = 4_000_000

// encoding is how the elements of a data set are written.
type encoding struct {
	order    binary.ByteOrder
	implicit bool // representations are not written, a dictionary knows them
}

// element is one element of a data set.
type element struct {
	tag tag.Tag
	vr  string // its representation, "" where it is implicit
	// value is the value without its header; of a value of undefined length it is
	// empty, and what belongs to it follows as elements.
	value     []byte
	undefined bool
	raw       []byte // header and value
}

// walker goes over the elements of a data set, each once.
type walker struct {
	encoding
	data []byte
	at   int
	left *int // how many elements may still come, shared by all walkers of a file
}

func (w *walker) done() bool { return w.at >= len(w.data) }

// next reads an element's header and steps over its value, or, if that has no
// defined length, to its beginning.
func (w *walker) next() (element, error) {
	if *w.left--; *w.left < 0 {
		return element{}, fmt.Errorf("it has more than %d elements", maxElements)
	}
	start := w.at
	head := w.data[start:]
	if len(head) < 8 {
		return element{}, fmt.Errorf("the file is cut short: %d bytes are left at byte %d where an element should be", len(head), start)
	}
	e := element{tag: tag.Tag{Group: w.order.Uint16(head), Element: w.order.Uint16(head[2:])}}
	const delimiters = 0xfffe // items and ends of lists have no representation
	size, length := 8, uint32(0)
	switch {
	case w.implicit || e.tag.Group == delimiters:
		length = w.order.Uint32(head[4:])
	default:
		e.vr = string(head[4:6])
		if !isRepresentation(e.vr) {
			return element{}, fmt.Errorf("it is malformed: at byte %d, element %s has no value representation", start, name(e.tag))
		}
		if !strings.Contains(longRepresentations, e.vr) {
			length = uint32(w.order.Uint16(head[6:]))
			break
		}
		if size = 12; len(head) < size {
			return element{}, fmt.Errorf("the file is cut short in the header of %s", name(e.tag))
		}
		length = w.order.Uint32(head[8:])
	}
	w.at += size
	if length == tag.VLUndefinedLength {
		e.undefined = true
		e.raw = w.data[start:w.at]
		return e, nil
	}
	if rest := len(w.data) - w.at; uint64(length) > uint64(rest) {
		return element{}, fmt.Errorf("the file is cut short or damaged: %s should have %d bytes, %d are left", name(e.tag), length, rest)
	}
	e.value = w.data[w.at : w.at+int(length)]
	w.at += int(length)
	e.raw = w.data[start:w.at]
	return e, nil
}

// longRepresentations have lengths of four bytes (PS3.5 7.1.2).
const longRepresentations = "OB OD OF OL OV OW SQ SV UC UN UR UT UV"

func isRepresentation(vr string) bool {
	return vr[0] >= 'A' && vr[0] <= 'Z' && vr[1] >= 'A' && vr[1] <= 'Z'
}

// content is a walker over what a value that was just read consists of. If the
// value has no defined length, w steps over it; a walker over it may see the
// delimiter at its end.
func (w *walker) content(e element) (walker, error) {
	inner := walker{encoding: w.encoding, data: e.value, left: w.left}
	if e.vr == "UN" { // a list whose kind got lost on its way is written so (PS3.5 6.2.2)
		inner.encoding = encoding{binary.LittleEndian, true}
	}
	if !e.undefined {
		return inner, nil
	}
	start := w.at
	outside := w.encoding
	w.encoding = inner.encoding
	defer func() { w.encoding = outside }()
	// Lists in lists need no recursion and no stack, only their number, but for
	// the depth at which an unknown one changed the encoding.
	changed := 0
	for depth := 1; depth > 0; {
		e, err := w.next()
		if err != nil {
			return walker{}, err
		}
		switch {
		case e.tag == tag.ItemDelimitationItem || e.tag == tag.SequenceDelimitationItem:
			if depth--; depth < changed {
				w.encoding, changed = inner.encoding, 0
			}
		case e.undefined:
			depth++
			if e.vr == "UN" && !w.implicit {
				w.encoding, changed = encoding{binary.LittleEndian, true}, depth
			}
		}
	}
	inner.data = w.data[start:w.at]
	return inner, nil
}

// find looks for an element and returns a walker over its content.
func (w *walker) find(t tag.Tag) (inner walker, found bool, err error) {
	for !w.done() {
		e, err := w.next()
		if err != nil {
			return walker{}, false, err
		}
		if inner, err = w.content(e); err != nil || e.tag == t {
			return inner, err == nil, err
		}
	}
	return walker{}, false, nil
}

// item returns a walker over the n-th item, from 0, of the list that w goes
// over.
func (w *walker) item(n int) (inner walker, found bool, err error) {
	for !w.done() {
		e, err := w.next()
		if err != nil || e.tag != tag.Item {
			return walker{}, false, err
		}
		if inner, err = w.content(e); err != nil || n == 0 {
			return inner, err == nil, err
		}
		n--
	}
	return walker{}, false, nil
}

// name is a tag with the name that the standard gives it.
func name(t tag.Tag) string {
	number := fmt.Sprintf("(%04x,%04x)", t.Group, t.Element)
	if info, err := tag.Find(t); err == nil && info.Keyword != "" {
		return info.Keyword + " " + number
	}
	return number
}
