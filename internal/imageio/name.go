package imageio

import (
	"os"
	"strconv"
	"strings"
)

// SplitFrame takes the number of a frame off an image's name: 'ct.dcm#3' is the
// third frame of ct.dcm. Without a number it is the first. A file whose own name
// ends like that is itself. In patterns the number goes for all files that fit.
func SplitFrame(name string) (path string, frame int) {
	at := strings.LastIndexByte(name, '#')
	if at < 0 {
		return name, 1
	}
	n, err := strconv.ParseUint(name[at+1:], 10, 31)
	if err != nil {
		return name, 1
	}
	if _, err := os.Lstat(name); err == nil {
		return name, 1
	}
	return name[:at], int(n)
}

// Extensions are what the names of images end in, small, with the dot, for those who look
// for images: what is named is read whatever it is called.
func Extensions() []string {
	return []string{".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".npy", ".dcm", ".dicom"}
}
