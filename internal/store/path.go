package store

import (
	"os"
	"path/filepath"
)

// fileName is the database's name in its folder.
const fileName = "occlude.db"

// DefaultPath returns where a user's database is, whether it exists or not:
// occlude.db in the folder that the environment variable OCCLUDE_DATA names,
// else in the folder of the XDG base directory specification for the data of
// programs. It is empty where there is neither that nor a home folder.
func DefaultPath() string {
	if dir := os.Getenv("OCCLUDE_DATA"); dir != "" {
		return filepath.Join(dir, fileName)
	}
	// The specification says to ignore a relative path.
	if dir := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "occlude", fileName)
	}
	home, err := os.UserHomeDir()
	if err != nil || home == "" {
		return ""
	}
	return filepath.Join(home, ".local", "share", "occlude", fileName)
}
