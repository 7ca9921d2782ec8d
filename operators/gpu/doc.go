// Package gpu runs networks on a GPU. Nothing of it has run on one yet.
package gpu
