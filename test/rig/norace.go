//go:build !race

package rig

// flags build the program as operators get it.
var flags = []string{"-trimpath"}
