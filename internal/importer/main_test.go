package importer

import (
	"os"
	"runtime/debug"
	"testing"
)

// TestMain lets garbage lie: thousands of tiny networks each bring memory for
// their workers.
func TestMain(m *testing.M) {
	debug.SetGCPercent(800)
	os.Exit(m.Run())
}
