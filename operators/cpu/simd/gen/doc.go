// Command gen writes the assembly of package simd with avo: one file for each
// kind of loop, each for every instruction set.
//
//	go run . -out .. product     writes ../product_amd64.s
//	go run . -out ..             writes all of them
//
// It is a module of its own so that nobody who builds occlude needs avo.
package main
