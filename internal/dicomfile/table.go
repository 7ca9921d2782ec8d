package dicomfile

import (
	"errors"
	"fmt"

	"github.com/suyashkumar/dicom/pkg/tag"
)

// Table looks values up (PS3.3 C.11.1.1.1, C.11.2.1.1, C.7.6.3.1.5).
type Table struct {
	First   int // the value of the first entry
	Bits    int // of an entry
	Entries []uint16
}

// At is the entry of a value; those before the first have the first, those behind
// the last the last.
func (t *Table) At(value int) uint16 {
	return t.Entries[max(0, min(value-t.First, len(t.Entries)-1))]
}

// table reads a table from its descriptor and its data.
func (f *File) table(descriptor, data element) (*Table, error) {
	d := descriptor.value
	if len(d) < 6 || descriptor.undefined || data.undefined {
		return nil, fmt.Errorf("it is malformed: %s is not three numbers", name(descriptor.tag))
	}
	t := &Table{First: int(f.Order.Uint16(d[2:])), Bits: int(f.Order.Uint16(d[4:]))}
	if descriptor.vr == "SS" || descriptor.vr == "" && f.Signed {
		t.First = int(int16(t.First))
	}
	count := int(f.Order.Uint16(d))
	if count == 0 { // which has no room for 65536
		count = 1 << 16
	}
	if t.Bits < 8 || t.Bits > 16 {
		return nil, fmt.Errorf("it is malformed: %s speaks of entries of %d bits", name(descriptor.tag), t.Bits)
	}
	t.Entries = make([]uint16, count)
	switch {
	case len(data.value) >= 2*count:
		for i := range t.Entries {
			t.Entries[i] = f.Order.Uint16(data.value[2*i:])
		}
	case len(data.value) >= count && t.Bits == 8:
		for i := range t.Entries {
			t.Entries[i] = uint16(data.value[i])
		}
	default:
		return nil, fmt.Errorf("it is malformed: %s has %d bytes for %d entries", name(data.tag), len(data.value), count)
	}
	return t, nil
}

// listed is the table in the first item of a list, nil if there is none.
func (f *File) listed(list walker) (*Table, error) {
	item, found, err := list.item(0)
	if err != nil || !found {
		return nil, err
	}
	var descriptor, data element
	for !item.done() {
		e, err := item.next()
		if err != nil {
			return nil, err
		}
		switch e.tag {
		case tag.LUTDescriptor:
			descriptor = e
		case tag.LUTData:
			data = e
		}
		if _, err := item.content(e); err != nil {
			return nil, err
		}
	}
	return f.table(descriptor, data)
}

// Palette is the tables for red, green and blue of a picture that has such.
func (f *File) Palette() (colours [3]*Table, err error) {
	for i, tags := range [3][2]tag.Tag{
		{tag.RedPaletteColorLookupTableDescriptor, tag.RedPaletteColorLookupTableData},
		{tag.GreenPaletteColorLookupTableDescriptor, tag.GreenPaletteColorLookupTableData},
		{tag.BluePaletteColorLookupTableDescriptor, tag.BluePaletteColorLookupTableData},
	} {
		descriptor, data := f.palette[tags[0]], f.palette[tags[1]]
		if descriptor.value == nil || data.value == nil {
			return colours, errors.New("its palette is missing, or of segments, which are not read")
		}
		if colours[i], err = f.table(descriptor, data); err != nil {
			return colours, err
		}
	}
	return colours, nil
}
