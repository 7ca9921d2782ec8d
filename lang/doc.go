// Package lang is the language of Occlude.
package lang
