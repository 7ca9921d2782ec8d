// Package compensation estimates what objectives would be at a position of which
// an approximate plan leaves much out, to first order in what it leaves out.
package compensation
