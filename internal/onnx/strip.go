package onnx

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/gomlx/compute-onnx/support/protos"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// A model file is weights with a little around them. Unmarshalling all of it
// would hold the weights three times: as the file's bytes, as the message's and
// as Go values. So the message is stripped of them on the way in: instead of
// the bytes of a tensor's raw_data it has the place where they lie, and they
// are read from there into the slice that they are to fill.

// place is where in its file a tensor's raw data lies.
type place struct{ offset, length int64 }

// placeOf reads what stands in raw_data of a stripped message.
func placeOf(rawData []byte) place {
	return place{int64(binary.LittleEndian.Uint64(rawData)), int64(binary.LittleEndian.Uint64(rawData[8:]))}
}

func (p place) bytes() []byte {
	b := binary.LittleEndian.AppendUint64(make([]byte, 0, 16), uint64(p.offset))
	return binary.LittleEndian.AppendUint64(b, uint64(p.length))
}

// rawData is the field that stripping takes the bytes of.
var rawData = (&protos.TensorProto{}).ProtoReflect().Descriptor().Fields().ByName("raw_data")

// maxMessages bounds the messages inside of a file: two bytes suffice for an
// empty one, which takes hundreds in memory.
const maxMessages = 16 * maxNodes

// maxFields bounds the fields of all messages: weights are one, but a file of a
// gigabyte that is none of ours may look like half a billion.
const maxFields = 2 * maxMessages

// strip copies the message of type d that a file holds, with a place in every
// raw_data that is not empty. It looks no closer than it must to find them:
// what else may be wrong with the message is wrong with the copy, too. The file
// is walked twice, first to see how long the copy will be.
func strip(f source, d protoreflect.MessageDescriptor) ([]byte, error) {
	file := io.NewSectionReader(f, 0, f.size)
	length := &stripper{file: file, in: bufio.NewReader(file)}
	if err := length.message(d, f.size, 0); err != nil {
		return nil, err
	}
	if length.size > maxFile {
		return nil, errors.New("it holds too many small tensors")
	}
	file.Seek(0, io.SeekStart)
	s := &stripper{file: file, in: bufio.NewReader(file), out: make([]byte, 0, length.size)}
	err := s.message(d, f.size, 0)
	return s.out, err
}

type stripper struct {
	file     *io.SectionReader
	in       *bufio.Reader // over file
	at       int64         // place in the file of what in reads next
	out      []byte        // the copy, nil when only its size is wanted
	size     int64         // of the copy so far
	messages int
	fields   int
}

// message strips a message that ends at the given place in the file.
func (s *stripper) message(d protoreflect.MessageDescriptor, end int64, depth int) error {
	if s.messages++; s.messages > maxMessages {
		return fmt.Errorf("it holds more than %d messages", maxMessages)
	}
	if depth > protowire.DefaultRecursionLimit {
		return errors.New("its messages are nested too deeply")
	}
	groups := 0 // open ones; ONNX has none, so d says nothing of what is inside
	for s.at < end {
		tag, err := s.varint(end)
		if err != nil {
			return err
		}
		s.putVarint(tag)
		number, kind := protowire.DecodeTag(tag)
		// protobuf reads over what is in groups, and takes any number there.
		if !number.IsValid() && (groups == 0 || number < protowire.MinValidNumber) {
			return s.damage(fmt.Errorf("there is no field %d", number))
		}
		if s.fields++; s.fields > maxFields {
			return fmt.Errorf("it holds more than %d fields", maxFields)
		}
		switch kind {
		case protowire.VarintType:
			var v uint64
			v, err = s.varint(end)
			s.putVarint(v)
		case protowire.Fixed32Type:
			err = s.copy(4, end)
		case protowire.Fixed64Type:
			err = s.copy(8, end)
		case protowire.StartGroupType:
			groups++
		case protowire.EndGroupType:
			groups--
		case protowire.BytesType:
			var field protoreflect.FieldDescriptor
			if groups == 0 {
				field = d.Fields().ByNumber(number)
			}
			err = s.bytes(field, end, depth)
		default:
			err = s.damage(fmt.Errorf("there is no wire type %d", kind))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// bytes strips a field that has a length; field is nil if it is unknown.
func (s *stripper) bytes(field protoreflect.FieldDescriptor, end int64, depth int) error {
	length, err := s.varint(end)
	if err != nil {
		return err
	}
	if length > uint64(end-s.at) {
		return s.damage(fmt.Errorf("a field should have %d bytes and %d are left", length, end-s.at))
	}
	n := int64(length)
	switch {
	case field != nil && field.Kind() == protoreflect.MessageKind:
		// How long the stripped message is will be known when it is done: leave
		// room for any length, as a varint that is longer than it need be.
		s.put(0x80, 0x80, 0x80, 0x80, 0)
		start := s.size
		err := s.message(field.Message(), s.at+n, depth+1)
		if s.out != nil {
			for i, rest := start-5, s.size-start; rest > 0; i, rest = i+1, rest>>7 {
				s.out[i] |= byte(rest & 0x7f)
			}
		}
		return err
	case field == rawData && n > 0:
		p := place{s.at, n}.bytes()
		s.putVarint(uint64(len(p)))
		s.put(p...)
		return s.skip(n)
	}
	s.putVarint(length)
	return s.copy(n, end)
}

func (s *stripper) varint(end int64) (uint64, error) {
	b, err := s.in.Peek(int(min(end-s.at, binary.MaxVarintLen64)))
	if err != nil {
		return 0, err
	}
	v, n := protowire.ConsumeVarint(b)
	switch {
	case n < 0 && len(b) < binary.MaxVarintLen64:
		return 0, s.damage(io.ErrUnexpectedEOF)
	case n < 0:
		return 0, s.damage(errors.New("a number has more than 64 bits"))
	}
	return v, s.skip(int64(n))
}

// skip passes over n bytes without reading those that are far.
func (s *stripper) skip(n int64) error {
	s.at += n
	if n <= int64(s.in.Buffered()) {
		_, err := s.in.Discard(int(n))
		return err
	}
	_, err := s.file.Seek(s.at, io.SeekStart)
	s.in.Reset(s.file)
	return err
}

// copy takes n bytes over as they are.
func (s *stripper) copy(n, end int64) error {
	if n > end-s.at {
		return s.damage(io.ErrUnexpectedEOF)
	}
	s.size += n
	if s.out == nil {
		return s.skip(n)
	}
	s.at += n
	s.out = append(s.out, make([]byte, n)...)
	_, err := io.ReadFull(s.in, s.out[s.size-n:])
	return err
}

func (s *stripper) put(b ...byte) {
	s.size += int64(len(b))
	if s.out != nil {
		s.out = append(s.out, b...)
	}
}

func (s *stripper) putVarint(v uint64) {
	var b [binary.MaxVarintLen64]byte
	s.put(protowire.AppendVarint(b[:0], v)...)
}

// damage says where in the file something is wrong.
func (s *stripper) damage(err error) error { return fmt.Errorf("byte %d: %w", s.at, err) }
