//go:build race

package script

// childMemory leaves room for the race detector's share.
const childMemory = 2 << 30
