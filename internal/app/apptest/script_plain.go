//go:build !race

package apptest

// childMemory is what a child has: as in the program.
const childMemory = 0
