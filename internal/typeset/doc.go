// Package typeset is what pictures for a page have in common: type, numbers, and the
// colours of ink and paper. It knows nothing of what is drawn.
//
// Type is set in the Go fonts, which have Latin, Greek and Cyrillic letters and
// common symbols; other characters show as boxes. [Faces] are four sizes of it, at 72
// dots per inch, so that a point is a pixel. Names too long for their place lose
// their middle ([Shorten]), captions are broken into lines ([Wrap]), and what comes
// out of files is made harmless first ([Plain]).
//
// Numbers along an axis are round ([Ticks]); a power of ten that all share is taken
// out of their labels. A number by itself has three digits ([Number]). Minus signs and
// powers of ten are set as print has them.
package typeset
