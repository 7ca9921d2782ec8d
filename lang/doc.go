// Package lang is the language of Occlude: text in, syntax trees out, and trees
// back to text. It knows nothing of models, files or costs; what a name or a
// number means is for the planner to say, and so is every default.
//
//	text -> scanner -> tokens of a statement -> parser -> builder -> Statement
//	                                              |
//	                                              +-- does not fit: expect -> Diagnostic
//
// # From text to tree
//
// The scanner (lex.go) cuts the text into tokens and never fails: what it
// cannot read becomes a token of its own and a diagnostic. The reader
// (parse.go) gathers the tokens up to each semicolon, so that an error spoils
// one statement only, and so that no statement is held in memory longer than
// it takes to parse it. The grammar (grammar.go) is read by participle into
// one struct for each production. It needs one token of lookahead and decides
// only what may stand where; the builder (build.go and others, goals.go, condition.go)
// turns the structs into the tree (ast.go and others, expr.go) and checks what a grammar
// cannot say: that a clause comes once, that a size is whole, that WHERE is
// given a condition and not a number.
//
// # Words
//
// Most words of the language mean something only in their place, and are names
// everywhere else. The few that are reserved (keyword.go) are those that may
// follow a name, so that a name left out is missed where it is missing. A bare
// name is the same in any case, a quoted one is kept: compare [Name.Key].
//
// # Errors
//
// A message should say what the user could have written instead. participle
// keeps no account of that, but it can print its grammar as EBNF; expect.go
// walks that EBNF along the statement and so knows, at the first token that
// does not fit, everything that would have. From this come the message, the
// did-you-mean hint, a missing semicolon being told from a wrong word, the
// lists of words ([Keywords]), and completion ([NextAt]). A new production is
// known to all of them without another line of code. complain.go puts it into
// words and knows the usual mistakes: quotes of the wrong kind, signs from other
// languages, a file without quotes.
//
// Other packages report what they find wrong with a tree by [Errorf] on the
// span of the node, and [DidYouMean]; the reader cannot tell who it was.
//
// # Text that is being written
//
// People who type want to see what they have and what may follow, though nothing
// of it parses yet. Both need the scanner alone, which never fails: [Lexemes] cuts
// a text into what is shown in one colour, [NextAt] walks the grammar up to the
// cursor.
//
// # Invariants
//
//   - A tree that [Parse] returns prints (its String) to text that parses to an
//     [Equal] tree, which prints the same.
//   - Whatever the input, parsing ends soon, in memory bounded by a multiple of
//     the input's size and without a panic: sizes, counts and nesting have
//     limits, and exceeding one is an error like any other.
//   - Every span lies in the text; lines and columns count from 1, columns in
//     code points. A terminal's columns (wide and combining characters, tabs)
//     matter only to [Diagnostic.Format].
//   - Parser and EBNF agree on every statement; the fuzz test holds them to it.
//
// # Extending it
//
// A new statement is a production in statementSyntax, a type in ast.go, a case
// in the builder and a String; a new clause is the same one level down.
// docs/language.md shows the grammar; go test ./lang -update brings it up to date.
package lang
