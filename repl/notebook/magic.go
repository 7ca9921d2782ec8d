package notebook

import _ "embed"

// Magic is a Python module with the cell magic %%occlude.
//
//go:embed occlude_magic.py
var Magic string
