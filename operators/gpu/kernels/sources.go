package kernels

import "embed"

// Sources are the files that the module is compiled from.
//
//go:embed *.cu *.h
var Sources embed.FS
