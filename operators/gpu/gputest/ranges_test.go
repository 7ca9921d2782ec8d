package gputest

import (
	"testing"

	"occlude/operators/gpu"
	"occlude/operators/gpu/driver"
	"occlude/operators/gpu/soft"
)

func checkRanges(t *testing.T, d driver.Driver) {
	far, err := Ranges(t.Context(), gpu.NewDevice(d))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("at most %.2g of what is allowed", far)
	if !(far <= RangeTolerance) {
		t.Errorf("%.2g times what is allowed", far)
	}
}

// checkErrors checks that no rounding error is larger than the planner is told, and that
// the largest ones are not much smaller.
func checkErrors(t *testing.T, d driver.Driver) {
	device := gpu.NewDevice(d)
	largest := map[string]float64{}
	for _, channels := range []int{64, 512} {
		errors, err := Errors(t.Context(), device, channels)
		if err != nil {
			t.Fatal(err)
		}
		for a, e := range errors {
			largest[string(a)] = max(largest[string(a)], e/gpu.Error(a))
			t.Logf("%s of %d products rounds %.2g", a, 9*channels, e)
		}
	}
	for a, share := range largest {
		if share > 1 || share < 1./4 {
			t.Errorf("%s rounds %.2g of what it is said to", a, share)
		}
	}
}

func TestRangesOfTwins(t *testing.T) { checkRanges(t, &soft.Device{}) }
func TestErrorsOfTwins(t *testing.T) { checkErrors(t, &soft.Device{}) }
