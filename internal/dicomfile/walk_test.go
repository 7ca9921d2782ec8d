package dicomfile

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/suyashkumar/dicom"
	"github.com/suyashkumar/dicom/pkg/tag"
	"github.com/suyashkumar/dicom/pkg/uid"
	"pgregory.net/rapid"
)

// randomSet draws a data set, with lists of data sets in it down to a depth.
func randomSet(t *rapid.T, depth int) []*dicom.Element {
	var set []*dicom.Element
	add := func(name tag.Tag, v any) {
		if !rapid.Bool().Draw(t, "there") {
			return
		}
		e, err := dicom.NewElement(name, v)
		if err != nil {
			t.Fatal(err)
		}
		set = append(set, e)
	}
	add(tag.PatientName, []string{rapid.StringMatching(`[A-Z]{0,9}`).Draw(t, "name")})
	if depth > 0 {
		var items [][]*dicom.Element
		for range rapid.IntRange(1, 3).Draw(t, "items") {
			items = append(items, randomSet(t, depth-1))
		}
		add(tag.RequestAttributesSequence, items)
	}
	add(tag.Rows, []int{rapid.IntRange(0, 65535).Draw(t, "rows")})
	add(tag.WindowCenter, []string{"40", "-600"})
	if depth > 0 {
		add(tag.SharedFunctionalGroupsSequence, [][]*dicom.Element{randomSet(t, depth-1)})
	}
	return set
}

// tags lists the tags of a data set as the library reads it, those of lists
// followed by those in them.
func tags(set []*dicom.Element) (list []tag.Tag) {
	for _, e := range set {
		list = append(list, e.Tag)
		if items, ok := e.Value.GetValue().([]*dicom.SequenceItemValue); ok {
			for _, item := range items {
				list = append(list, tags(item.GetValue().([]*dicom.Element))...)
			}
		}
	}
	return list
}

// walked is tags by the walker.
func walked(t *rapid.T, w walker) (list []tag.Tag) {
	for !w.done() {
		e, err := w.next()
		if err != nil {
			t.Fatal(err)
		}
		if e.tag == tag.ItemDelimitationItem || e.tag == tag.SequenceDelimitationItem {
			break
		}
		list = append(list, e.tag)
		inner, err := w.content(e)
		if err != nil {
			t.Fatal(err)
		}
		if e.tag != tag.RequestAttributesSequence && e.tag != tag.SharedFunctionalGroupsSequence {
			continue
		}
		for i := 0; ; i++ {
			again := inner
			item, found, err := again.item(i)
			if err != nil {
				t.Fatal(err)
			}
			if !found {
				break
			}
			list = append(list, walked(t, item)...)
		}
	}
	return list
}

// TestWalkSeesWhatTheLibrarySees: in any data set that the library writes.
func TestWalkSeesWhatTheLibrarySees(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		syntax := rapid.SampledFrom([]string{uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian, uid.ExplicitVRBigEndian}).Draw(t, "syntax")
		set := dicom.Dataset{Elements: randomSet(t, 3)}
		for name, v := range map[tag.Tag]string{
			tag.MediaStorageSOPClassUID: "1.2.840.10008.5.1.4.1.1.7", tag.MediaStorageSOPInstanceUID: "1.2.3", tag.TransferSyntaxUID: syntax,
		} {
			e, err := dicom.NewElement(name, []string{v})
			if err != nil {
				t.Fatal(err)
			}
			set.Elements = append([]*dicom.Element{e}, set.Elements...)
		}
		var file bytes.Buffer
		if err := dicom.Write(&file, set); err != nil {
			t.Fatal(err)
		}
		read, err := dicom.Parse(bytes.NewReader(file.Bytes()), int64(file.Len()), nil)
		if err != nil {
			t.Fatal(err)
		}
		want := slices.DeleteFunc(tags(read.Elements), func(t tag.Tag) bool { return t.Group == tag.MetadataGroup })
		left := maxElements
		w, got, err := meta(file.Bytes(), &left)
		if err != nil || got != syntax {
			t.Fatal(got, err)
		}
		if found := walked(t, w); !slices.Equal(found, want) {
			t.Fatalf("%v, the library has %v", found, want)
		}
	})
}

// TestUnknownLists: a list that is written as of unknown kind is implicit and
// little endian inside, and what follows is as before.
func TestUnknownLists(t *testing.T) {
	const begin, end = "\xfe\xff\x00\xe0\xff\xff\xff\xff", "\xfe\xff\x0d\xe0\x00\x00\x00\x00\xfe\xff\xdd\xe0\x00\x00\x00\x00"
	for _, outside := range []string{"%", "\x08\x00\x40\x11SQ\x00\x00\xff\xff\xff\xff" + begin + "%" + end} {
		unknown := "\x09\x00\x10\x00UN\x00\x00\xff\xff\xff\xff" + begin + "\x28\x00\x10\x00\x02\x00\x00\x00ab" +
			"\x28\x00\x11\x00\xff\xff\xff\xff" + begin + end + end
		data := strings.Replace(outside, "%", unknown, 1) + "\x28\x00\x10\x00US\x02\x00\x07\x00"
		left := 100
		w := walker{encoding: encoding{order: binary.LittleEndian}, data: []byte(data), left: &left}
		inner, found, err := w.find(tag.Rows)
		if err != nil || !found || string(inner.data) != "\x07\x00" || !w.done() {
			t.Errorf("%q: %q, %v, %v", outside, inner.data, found, err)
		}
	}
}

// TestElementsAreCounted in lists too, by whoever walks.
func TestElementsAreCounted(t *testing.T) {
	left := 5
	w := walker{encoding: encoding{order: binary.LittleEndian}, data: bytes.Repeat([]byte("\x08\x00\x40\x11LO\x00\x00"), 9), left: &left}
	if _, found, err := w.find(tag.Rows); found || err == nil || !strings.Contains(err.Error(), "elements") {
		t.Error(found, err)
	}
}

func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("../imageio/testdata/dicom/*.dcm")
	if err != nil || len(files) < 15 {
		f.Fatal(len(files), err)
	}
	for _, path := range files {
		file, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(file)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Parse(data)
		if err != nil {
			if file != nil {
				t.Fatal("a file beside the error")
			}
			return
		}
		p := file.Picture
		if p.Rows < 1 || p.Columns < 1 || p.Frames < 1 || p.Bits != 8 && p.Bits != 16 || p.Stored < 1 || p.Stored > p.Bits || p.High < p.Stored-1 || p.High >= p.Bits {
			t.Fatalf("%+v", p)
		}
		for _, n := range []int{0, 1, p.Frames, p.Frames + 1} {
			frame, err := file.Frame(n)
			there := n >= 1 && n <= p.Frames
			if err == nil && (!there || !file.JPEG && len(frame) != p.Rows*p.Columns*p.Samples*p.Bits/8) {
				t.Fatalf("frame %d of %d has %d bytes", n, p.Frames, len(frame))
			}
			if there {
				if s, err := file.Scaling(n); err == nil && s.Slope == 0 {
					t.Fatal("no slope")
				}
			}
		}
		if _, err := file.Palette(); err == nil && len(file.palette) < 6 {
			t.Fatal("a palette of nothing")
		}
	})
}
