package apptest

import (
	"os"
	"testing"

	"limen/internal/app"
)

// children is the program that runs scripts: this test program, where it has Main; nobody elsewhere.
var children []string

// Main is the TestMain of packages whose tests run scripts: the test program becomes the child of its own servers.
func Main(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == app.ScriptChild {
		os.Exit(app.RunScripts(os.Args[2:], os.Stdin, os.Stdout))
	}
	children = []string{os.Args[0]}
	if exe, err := os.Executable(); err == nil {
		children[0] = exe
	}
	os.Exit(m.Run())
}
