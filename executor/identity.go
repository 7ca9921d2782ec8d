package executor

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"occlude/internal/cause"
	"occlude/planner"
)

// identity is the hash of everything about a query that decides what its heat maps
// say, but for the image: what was asked, of which model, with the contents of
// files rather than their names. Threads, batches and what is written where are no
// part of it, nor is the choice among plans that are as good, which is the
// planner's.
func identity(p *planner.Occlude) (string, error) {
	fill := ""
	if p.Fill.Kind == planner.FillImage {
		var err error
		if fill, err = hashFile(p.Fill.Image); err != nil {
			return "", fmt.Errorf("fill %q: %w", p.Fill.Image, err)
		}
	}
	h := sha256.New()
	err := json.NewEncoder(h).Encode(struct {
		Version                  int // of this list
		Model, File, Input, Fill string
		FillImage                string
		Labels                   []string
		Target                   planner.Target
		Grid                     planner.Grid // with the positions that masks left
		Goals                    planner.Goals
		Hints                    string
		Seed                     int
	}{1, p.Model.Name, p.Model.Hash, p.CurveKey("").Input, p.Fill.Text, fill, p.Model.Labels, p.Target, p.Grid, p.Goals, p.Hints, p.Seed})
	return hex.EncodeToString(h.Sum(nil)), err
}

// hashBytes is the hash of a file's content.
func hashBytes(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// hashFile is that of a file which is not read otherwise.
func hashFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", cause.Of(err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
