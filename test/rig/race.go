//go:build race

package rig

// flags build the program as the tests themselves are built.
var flags = []string{"-race"}
