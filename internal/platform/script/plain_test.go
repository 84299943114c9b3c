//go:build !race

package script

// childMemory is as in the program.
const childMemory = 0
