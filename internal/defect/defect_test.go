package defect_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"occlude/internal/defect"
)

// A fault of ours becomes an error that tells where it happened.
func TestRecover(t *testing.T) {
	fault := func() (err error) {
		defer defect.Recover(&err)
		none := []int{}
		return fmt.Errorf("%d", none[len(none)])
	}
	err := fault()
	var d *defect.Defect
	if !errors.As(err, &d) || !strings.Contains(err.Error(), "index out of range") || !strings.Contains(err.Error(), "defect_test.go") {
		t.Errorf("%v", err)
	}
}
