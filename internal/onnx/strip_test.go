package onnx

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/gomlx/compute-onnx/support/protos"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"pgregory.net/rapid"
)

var (
	modelType  = (&protos.ModelProto{}).ProtoReflect().Descriptor()
	tensorType = (&protos.TensorProto{}).ProtoReflect().Descriptor()
)

// putBack undoes what strip did to a message.
func putBack(data []byte, m protoreflect.Message) error {
	var err error
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f == rawData:
			if len(v.Bytes()) != 16 {
				err = fmt.Errorf("a place has %d bytes", len(v.Bytes()))
				break
			}
			p := placeOf(v.Bytes())
			m.Set(f, protoreflect.ValueOfBytes(data[p.offset:p.offset+p.length]))
		case f.Kind() != protoreflect.MessageKind:
		case f.IsList():
			for i := range v.List().Len() {
				if err == nil {
					err = putBack(data, v.List().Get(i).Message())
				}
			}
		default:
			err = putBack(data, v.Message())
		}
		return err == nil
	})
	return err
}

// checkStrip compares a stripped message, its raw data put back, with what
// protobuf makes of the bytes themselves.
func checkStrip(data []byte) error {
	want, got := &protos.ModelProto{}, &protos.ModelProto{}
	unmarshal := proto.UnmarshalOptions{DiscardUnknown: true}.Unmarshal
	wantErr := unmarshal(data, want)
	stripped, err := strip(inMemory(data), modelType)
	if err == nil {
		err = unmarshal(stripped, got)
	}
	if err != nil || wantErr != nil {
		if err == nil || wantErr == nil {
			return fmt.Errorf("the error is %v, protobuf's is %v", err, wantErr)
		}
		return nil
	}
	if err := putBack(data, got.ProtoReflect()); err != nil {
		return err
	}
	// NaNs are not equal, their bytes are.
	deterministic := proto.MarshalOptions{Deterministic: true}
	a, errA := deterministic.Marshal(want)
	b, errB := deterministic.Marshal(got)
	if errA != nil || errB != nil || !bytes.Equal(a, b) {
		return fmt.Errorf("it is\n%v\nwhere protobuf has\n%v", got, want)
	}
	return nil
}

// wire draws the bytes of a message: fields of its type in any order and any
// number, of the right wire type or another, fields that it does not have,
// groups, and varints longer than they need be.
func wire(t *rapid.T, d protoreflect.MessageDescriptor, depth int) []byte {
	var out []byte
	varint := func(v uint64) {
		out = protowire.AppendVarint(out, v)
		for range rapid.SampledFrom([]int{0, 0, 0, 1, 3}).Draw(t, "padding") {
			if len(out) > 0 && v < 1<<30 {
				out[len(out)-1] |= 0x80
				out = append(out, 0)
			}
		}
	}
	for range rapid.IntRange(0, 4).Draw(t, "fields") {
		number := protowire.Number(rapid.IntRange(1, 40).Draw(t, "number"))
		kind := protowire.Type(rapid.SampledFrom([]int{0, 1, 2, 2, 2, 3, 5}).Draw(t, "wire type"))
		var field protoreflect.FieldDescriptor
		if fields := d.Fields(); rapid.IntRange(0, 9).Draw(t, "known") > 0 {
			field = fields.Get(rapid.IntRange(0, fields.Len()-1).Draw(t, "field"))
			number = field.Number()
			if k := field.Kind(); k == protoreflect.MessageKind || k == protoreflect.BytesKind {
				kind = protowire.BytesType
			}
		}
		varint(protowire.EncodeTag(number, kind))
		switch kind {
		case protowire.VarintType:
			varint(rapid.Uint64().Draw(t, "value"))
		case protowire.Fixed32Type:
			out = binary.LittleEndian.AppendUint32(out, rapid.Uint32().Draw(t, "value"))
		case protowire.Fixed64Type:
			out = binary.LittleEndian.AppendUint64(out, rapid.Uint64().Draw(t, "value"))
		case protowire.StartGroupType:
			out = append(out, wire(t, d, 0)...)
			out = protowire.AppendTag(out, number, protowire.EndGroupType)
		case protowire.BytesType:
			var content []byte
			if field != nil && field.Kind() == protoreflect.MessageKind && depth > 0 {
				content = wire(t, field.Message(), depth-1)
			} else if n := rapid.IntRange(0, 40).Draw(t, "length"); field == nil || field.Kind() != protoreflect.MessageKind {
				content = bytes.Repeat([]byte{byte(n)}, n)
			}
			varint(uint64(len(content)))
			out = append(out, content...)
		}
	}
	return out
}

func TestStripWholeMessages(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		if err := checkStrip(wire(t, modelType, 8)); err != nil {
			t.Fatal(err)
		}
	})
}

func TestStripDamagedMessages(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		data := wire(t, modelType, 8)
		for range rapid.IntRange(0, 3).Draw(t, "faults") {
			if len(data) > 0 {
				data[rapid.IntRange(0, len(data)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "byte")
			}
		}
		if err := checkStrip(data[:rapid.IntRange(0, len(data)).Draw(t, "cut")]); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzStrip(f *testing.F) {
	tensor := &protos.TensorProto{Name: "w", DataType: 1, Dims: []int64{2}, RawData: []byte("12345678")}
	whole, err := proto.Marshal(&protos.ModelProto{Graph: &protos.GraphProto{
		Initializer:       []*protos.TensorProto{tensor},
		Node:              []*protos.NodeProto{{Attribute: []*protos.AttributeProto{{T: tensor}}}},
		SparseInitializer: []*protos.SparseTensorProto{{Values: tensor}},
	}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(append(whole, whole...)) // protobuf merges them
	f.Add(append([]byte{0x13}, append(whole, 0x14)...))
	f.Add([]byte("\x13\xd8\xc0\xc5\xa578\x14")) // a number in a group that no message can have
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := checkStrip(data); err != nil {
			t.Error(err)
		}
	})
}

// Far parts of a file are left alone.
func TestStripDoesNotRead(t *testing.T) {
	const weights = 1 << 40
	head := protowire.AppendTag(nil, rawData.Number(), protowire.BytesType)
	head = protowire.AppendVarint(head, weights)
	tail := protowire.AppendString(protowire.AppendTag(nil, 8, protowire.BytesType), "name")
	f := sparseFile{head, tail, weights}
	got, err := strip(source{f, int64(len(head)+len(tail)) + weights}, tensorType)
	if err != nil {
		t.Fatal(err)
	}
	p := &protos.TensorProto{}
	if err := proto.Unmarshal(got, p); err != nil {
		t.Fatal(err)
	}
	if at := placeOf(p.RawData); at != (place{int64(len(head)), weights}) || p.Name != "name" {
		t.Errorf("tensor %q with raw data at %v", p.Name, at)
	}
}

// sparseFile is a head and a tail with a gap between them.
type sparseFile struct {
	head, tail []byte
	gap        int64
}

func (f sparseFile) ReadAt(b []byte, at int64) (int, error) {
	n := 0
	for i := range b {
		switch at := at + int64(i) - int64(len(f.head)); {
		case at < 0:
			b[i] = f.head[at+int64(len(f.head))]
		case at < f.gap:
			b[i] = 0xff
		case at-f.gap < int64(len(f.tail)):
			b[i] = f.tail[at-f.gap]
		default:
			return n, io.EOF
		}
		n++
	}
	return n, nil
}

func TestStripHostile(t *testing.T) {
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"length", []byte{0x3a, 0x05, 0, 0}, "byte 2: a field should have 5 bytes and 2 are left"},
		{"largest length", append([]byte{0x3a}, protowire.AppendVarint(nil, math.MaxUint64)...), "byte 11: a field should have 18446744073709551615 bytes and 0 are left"},
		{"varint", []byte{0x08, 0x80}, "byte 1: unexpected EOF"},
		{"endless varint", append([]byte{0x08}, bytes.Repeat([]byte{0xff}, 20)...), "byte 1: a number has more than 64 bits"},
		{"fixed", []byte{0x0d, 0, 0}, "byte 1: unexpected EOF"},
		{"zeros", make([]byte, 100), "byte 1: there is no field 0"},
		{"many fields", bytes.Repeat([]byte{0x08, 1}, maxFields+1), "holds more than 8388608 fields"},
		{"wire type", []byte{0x0e}, "no wire type 6"},
		{"nesting", deep(protowire.DefaultRecursionLimit + 2), "nested too deeply"},
		{"many messages", bytes.Repeat([]byte{0x3a, 0}, maxMessages), "holds more than 4194304 messages"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Decode(c.data, "")
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "damaged") {
				t.Errorf("the error is %v, want one with %q", err, c.want)
			}
		})
	}
}

// deep is a model of n messages, each inside of the one before: graphs in
// attributes of nodes of graphs.
func deep(n int) []byte {
	numbers := []protowire.Number{1, 5, 6} // graph.node, node.attribute, attribute.g
	out := []byte{}
	for i := n - 2; i >= 0; i-- {
		number := protowire.Number(7) // model.graph
		if i > 0 {
			number = numbers[(i-1)%3]
		}
		out = append(protowire.AppendVarint(protowire.AppendTag(nil, number, protowire.BytesType), uint64(len(out))), out...)
	}
	return out
}

// A file that shrinks while it is read is an error like any other.
func TestShrunkFile(t *testing.T) {
	data, err := proto.Marshal(&protos.ModelProto{
		OpsetImport: []*protos.OperatorSetIdProto{{Version: 13}},
		Graph: &protos.GraphProto{
			Initializer: []*protos.TensorProto{{Name: "w", DataType: 1, Dims: []int64{2}, RawData: make([]byte, 8)}},
			Output:      []*protos.ValueInfoProto{{Name: "w"}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	size := int64(len(data))
	if _, err := decodeModel(source{bytes.NewReader(data), size}, ""); err != nil {
		t.Fatal(err)
	}
	for n := range data {
		if _, err := decodeModel(source{bytes.NewReader(data[:n]), size}, ""); err == nil {
			t.Errorf("a file of %d bytes is read although %d are left", size, n)
		}
	}
	// Two walks over the message, then its tensor.
	late := &changing{before: data, reads: 2}
	if _, err := decodeModel(source{late, size}, ""); err == nil || !strings.Contains(err.Error(), `initializer "w": reading 2 elements: EOF`) {
		t.Errorf("the error is %v", err)
	}
}

// A file that changes between the two walks is whatever it is, but no crash.
func TestChangingFile(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before, after := wire(t, modelType, 8), wire(t, modelType, 8)
		size := int64(min(len(before), len(after)))
		f := &changing{before: before, after: after, reads: rapid.IntRange(1, 3).Draw(t, "reads")}
		decodeModel(source{f, size}, "")
	})
}

// changing is one file for a number of reads and another after them.
type changing struct {
	before, after []byte
	reads         int
}

func (c *changing) ReadAt(b []byte, at int64) (int, error) {
	if c.reads--; c.reads >= 0 {
		return bytes.NewReader(c.before).ReadAt(b, at)
	}
	return bytes.NewReader(c.after).ReadAt(b, at)
}
