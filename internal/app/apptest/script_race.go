//go:build race

package apptest

// childMemory is what a child has: the race detector's share comes to what scripts need.
const childMemory = 2 << 30
