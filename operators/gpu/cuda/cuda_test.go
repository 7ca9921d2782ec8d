package cuda

import (
	"strings"
	"testing"
)

// TestOpen checks that a program without a GPU runs, and learns why there is none. With
// one it checks that there are not a thousand.
func TestOpen(t *testing.T) {
	d, err := Open(1000)
	if err == nil {
		t.Fatalf("opened %+v", d.Properties())
	}
	for _, reason := range []string{"built without CUDA", "no NVIDIA driver", "does not start", "no GPU number 1000"} {
		if strings.Contains(err.Error(), reason) {
			return
		}
	}
	t.Errorf("the reason is %q", err)
}
