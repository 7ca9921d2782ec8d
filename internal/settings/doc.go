// Package settings holds what SET changes: one table of named values with
// their meaning, their default and the check that a new value must pass.
//
// Settings decide how a query runs, never what it means: the heat map is the
// same for any of them. They belong to a session. A value is kept as the text
// that SHOW prints; typed accessors (Threads, MemoryLimit) read it for the
// planner and the executor.
//
// Switches are settings too: enable_... for everything that the planner chooses from and
// for every rewrite rule, on unless ruled out (switches.go).
//
// To add a setting, add a row to the table and an accessor.
package settings
