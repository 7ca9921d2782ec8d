package main

import (
	"github.com/mmcloughlin/avo/ir"
	"github.com/mmcloughlin/avo/pass"
)

// compile allocates registers and checks the file.
func compile(f *ir.File) error { return pass.Compile.Execute(f) }
