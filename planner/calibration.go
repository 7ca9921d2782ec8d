package planner

import (
	"fmt"
	"io"
	"os"

	"occlude/internal/cause"
	"occlude/lang"
	"occlude/planner/cost"
)

// The plans about what was measured of machines and models.
type (
	// ShowCalibration lists it.
	ShowCalibration struct {
		text
		Default *cost.Profile // for those of which nothing was
	}
	// ExportCalibration writes it to a file.
	ExportCalibration struct {
		text
		Path string
	}
	// ImportCalibration keeps what a file holds.
	ImportCalibration struct {
		text
		Path string
		Book *cost.Book
	}
)

func (b *binder) exportCalibration(s *lang.ExportCalibration) (Plan, error) {
	err := checkOutputs([]lang.String{s.File}, []Output{{Path: s.File.Value, Format: WriteJSON}}, nil, false)
	return &ExportCalibration{b.text, s.File.Value}, err
}

// maxCalibration bounds the size of a calibration file in bytes; a machine's takes some
// kilobytes.
const maxCalibration = 16 << 20

func readCalibration(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, cause.Of(err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxCalibration+1))
	if err == nil && len(data) > maxCalibration {
		err = fmt.Errorf("more than %d bytes are too many for a calibration", maxCalibration)
	}
	return data, err
}

// importCalibration reads the file: what is wrong with it is wrong with the statement.
func (b *binder) importCalibration(s *lang.ImportCalibration) (Plan, error) {
	if err := checkFile(s.File, "calibration"); err != nil {
		return nil, err
	}
	data, err := readCalibration(s.File.Value)
	if err != nil {
		return nil, lang.Errorf(s.File.Span(), "calibration %q: %w", s.File.Value, err)
	}
	book, err := cost.ParseBook(data)
	if err != nil {
		return nil, lang.Errorf(s.File.Span(), "%w", fmt.Errorf("calibration %q: %w", s.File.Value, err)).
			WithHint("EXPORT CALIBRATION TO 'file.json' writes such files")
	}
	return &ImportCalibration{b.text, s.File.Value, book}, nil
}
