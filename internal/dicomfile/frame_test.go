package dicomfile_test

import (
	"strings"
	"testing"

	"github.com/suyashkumar/dicom/pkg/tag"

	"occlude/internal/dicomfile"
	"occlude/internal/dicomfile/dicomtest"
)

// More bytes than an int64 can count are too few all the same.
func TestHugeFrames(t *testing.T) {
	file, err := dicomfile.Parse(dicomtest.Image{
		Columns: 1, Rows: 1, Bits: 16, Stored: 16, High: 15, Frames: [][]uint16{{1}},
		More: map[tag.Tag]any{
			tag.Rows: []int{65535}, tag.Columns: []int{65535}, tag.SamplesPerPixel: []int{3}, tag.NumberOfFrames: []string{"500000000"},
		},
	}.File(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.Frame(1); err == nil || !strings.Contains(err.Error(), "cut short or damaged: 500000000 frames of 65535 x 65535 pixels take 128845") {
		t.Error(err)
	}
}
