package imageio

import "testing"

// BenchmarkFit reduces a photograph of 12 megapixels.
func BenchmarkFit(b *testing.B) {
	img := pattern(4000, 3000, 3).image()
	spec := DefaultSpec(224, 224)
	for b.Loop() {
		if _, err := spec.Fit(b.Context(), img); err != nil {
			b.Fatal(err)
		}
	}
}
