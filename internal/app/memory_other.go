//go:build !linux

package app

func unmapStart() {}
