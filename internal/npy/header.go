package npy

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

const (
	magic = "\x93NUMPY"

	// maxHeader bounds the header's text. A numeric array needs about a
	// hundred bytes; version 1.0 can say at most 65,535.
	maxHeader = 1<<16 - 1
	// maxRank is NumPy's own limit (32 before NumPy 2).
	maxRank = 64
)

// DType is an element type in NumPy's letters without its byte order: "b1"
// (bool), "u1" to "u8", "i1" to "i8", "f2", "f4" or "f8".
type DType string

// Size is the number of bytes of one element in a file.
func (d DType) Size() int { return int(d[1] - '0') }

// Header is what a file says about its array.
type Header struct {
	DType     DType
	BigEndian bool
	Fortran   bool  // elements stand in column-major order
	Shape     []int // every dimension is at least 1; empty for a scalar
}

// Len is the number of elements; ReadHeader has checked that neither it nor
// the number of bytes overflows.
func (h Header) Len() int {
	n := 1
	for _, d := range h.Shape {
		n *= d
	}
	return n
}

// ReadHeader reads up to the first element, and no further.
func ReadHeader(r io.Reader) (Header, error) {
	var start [8]byte
	if _, err := io.ReadFull(r, start[:]); err != nil {
		return Header{}, fmt.Errorf("npy: no header: %w", noEOF(err))
	}
	if string(start[:6]) != magic {
		return Header{}, errors.New("npy: not a NumPy file")
	}
	length, err := headerLength(r, start[6])
	if err != nil {
		return Header{}, err
	}
	if length > maxHeader {
		return Header{}, fmt.Errorf("npy: a header of %d bytes, more than %d", length, maxHeader)
	}
	text := make([]byte, length)
	if _, err := io.ReadFull(r, text); err != nil {
		return Header{}, fmt.Errorf("npy: header cut short: %w", noEOF(err))
	}
	h, err := parseHeader(string(text))
	if err != nil {
		return Header{}, fmt.Errorf("npy: header: %w", err)
	}
	return h, nil
}

func headerLength(r io.Reader, version byte) (int64, error) {
	var err error
	var length int64
	switch version {
	case 1:
		var n uint16
		err = binary.Read(r, binary.LittleEndian, &n)
		length = int64(n)
	case 2, 3: // 3 differs only in allowing UTF-8 field names
		var n uint32
		err = binary.Read(r, binary.LittleEndian, &n)
		length = int64(n)
	default:
		return 0, fmt.Errorf("npy: format version %d is not known, 1 to 3 are", version)
	}
	if err != nil {
		return 0, fmt.Errorf("npy: header cut short: %w", noEOF(err))
	}
	return length, nil
}

// noEOF names the end of a file for what it is where more was due.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// parseHeader understands the part of Python's dictionary syntax that NumPy
// writes: string keys, and a string, a boolean or a tuple of integers as value.
func parseHeader(text string) (Header, error) {
	var h Header
	s := scanner{rest: text}
	seen := map[string]bool{}
	s.expect("{")
	for s.err == nil && !s.accept("}") {
		key := s.quoted()
		s.expect(":")
		if s.err == nil && seen[key] {
			s.fail("key %q stands twice", key)
		}
		seen[key] = true
		switch key {
		case "descr":
			h.setDescr(&s)
		case "fortran_order":
			h.Fortran = s.boolean()
		case "shape":
			h.Shape = s.tuple()
		default:
			s.fail("key %q is not known", key)
		}
		if !s.accept(",") {
			s.expect("}")
			break
		}
	}
	if s.err == nil && strings.TrimSpace(s.rest) != "" {
		s.fail("unexpected %.20q at the end", s.rest)
	}
	if s.err != nil {
		return Header{}, s.err
	}
	for _, key := range []string{"descr", "fortran_order", "shape"} {
		if !seen[key] {
			return Header{}, fmt.Errorf("key %q is missing", key)
		}
	}
	return h, h.checkShape()
}

func (h *Header) setDescr(s *scanner) {
	if s.peek("[") {
		s.fail("records are not read, only plain numbers")
		return
	}
	descr := s.quoted()
	if s.err != nil {
		return
	}
	if descr != "" && strings.Contains("<>|=", descr[:1]) {
		h.BigEndian = descr[0] == '>'
		descr = descr[1:]
	}
	switch d := DType(descr); d {
	case "b1", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8":
		h.DType = d
	default:
		s.fail("element type %.20q is not read, only bool, integers and floats", descr)
	}
}

// checkShape refuses what cannot be in memory or in a Dense.
func (h Header) checkShape() error {
	if len(h.Shape) > maxRank {
		return fmt.Errorf("%d dimensions, more than %d", len(h.Shape), maxRank)
	}
	size := max(h.DType.Size(), 4) // elements become float32
	bytes := size
	for _, d := range h.Shape {
		if d == 0 {
			return fmt.Errorf("shape %v has no elements", h.Shape)
		}
		if d < 0 || bytes > math.MaxInt/d {
			return fmt.Errorf("shape %v is impossible", h.Shape)
		}
		bytes *= d
	}
	return nil
}

// scanner walks over header text; after its first error it stands still.
type scanner struct {
	rest string
	err  error
}

func (s *scanner) fail(format string, args ...any) {
	if s.err == nil {
		s.err = fmt.Errorf(format, args...)
	}
}

func (s *scanner) peek(token string) bool {
	s.rest = strings.TrimLeft(s.rest, " \t\r\n")
	return s.err == nil && strings.HasPrefix(s.rest, token)
}

func (s *scanner) accept(token string) bool {
	if !s.peek(token) {
		return false
	}
	s.rest = s.rest[len(token):]
	return true
}

func (s *scanner) expect(token string) {
	if !s.accept(token) {
		s.fail("%q expected before %.20q", token, s.rest)
	}
}

func (s *scanner) quoted() string {
	for _, quote := range []string{"'", `"`} {
		if s.accept(quote) {
			text, rest, ok := strings.Cut(s.rest, quote)
			if !ok {
				s.fail("a string without end")
				return ""
			}
			s.rest = rest
			return text
		}
	}
	s.fail("a string expected before %.20q", s.rest)
	return ""
}

func (s *scanner) boolean() bool {
	if s.accept("True") {
		return true
	}
	s.expect("False")
	return false
}

func (s *scanner) tuple() []int {
	var dims []int
	s.expect("(")
	for s.err == nil && !s.accept(")") {
		end := strings.IndexFunc(s.rest, func(r rune) bool { return r < '0' || r > '9' })
		if end <= 0 {
			s.fail("a dimension expected before %.20q", s.rest)
			return nil
		}
		n, err := strconv.Atoi(s.rest[:end])
		if err != nil {
			s.fail("dimension %.30s is impossible", s.rest[:end])
			return nil
		}
		dims = append(dims, n)
		s.rest = strings.TrimPrefix(s.rest[end:], "L") // Python 2 wrote its long integers so
		if !s.accept(",") {
			s.expect(")")
			break
		}
	}
	return dims
}
