// Package complete finishes what a person has begun to write: words of the language,
// models, class labels, files, settings. The notebook kernel and the shell share it.
//
//	text, cursor ──lang.NextAt──▶ what may stand there ──┐
//	                              Source: models, labels ├─▶ Completion
//	                              the file system        ┘
//
// The grammar decides what may stand at the cursor, so that after USING only models
// are offered, and after FOR CLASS only that model's labels. What is offered is what
// replaces the word under the cursor, quotes and all: a file is closed with its
// quote, a folder is left open to go on.
//
// Words take the case of what was typed: occ becomes occlude, OCC becomes OCCLUDE.
package complete
