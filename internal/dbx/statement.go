package dbx

import (
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
)

// Statement describes a declared statement, for the tests of the repository.
type Statement struct {
	Name    string // as declared, unique in the program
	Text    string // as declared
	Package string // import path of the declaring package
	Writes  bool   // INSERT, UPDATE or DELETE
	List    bool   // clauses are added when it runs
}

// statement is a declared statement, or one that a List made of its base and clauses.
type statement struct {
	id     int // index in registry, -1 for one made at run time
	name   string
	text   [2]string // per Engine
	params int
	writes bool
	locks  bool
	anew   bool         // PostgreSQL plans it each time for its values
	row    reflect.Type // nil for an Exec
	plan   atomic.Pointer[plan]
	facts  Statement
}

var registry struct {
	sync.Mutex
	all   []*statement
	named map[string]*statement
}

// declare registers a statement; it panics on one that cannot be right, since that is a mistake in the program and
// shows when the program starts. skip counts the callers between here and the declaring package.
func declare(skip int, name, text string, row reflect.Type, check func(shape) error) *statement {
	sh, err := shapeOf(text)
	if err == nil {
		err = check(sh)
	}
	if err == nil && row != nil {
		_, err = fieldsOf(row)
	}
	if err != nil {
		panic(fmt.Sprintf("dbx: statement %q: %v", name, err))
	}
	s := &statement{name: name, params: sh.params, writes: sh.writes, locks: sh.locks, row: row}
	s.text[SQLite], s.text[Postgres] = sh.lite, sh.pg
	s.facts = Statement{Name: name, Text: text, Package: packageOf(skip + 2), Writes: sh.writes}
	registry.Lock()
	defer registry.Unlock()
	if o := registry.named[name]; o != nil {
		panic(fmt.Sprintf("dbx: statement %q is declared in %s and in %s", name, o.facts.Package, s.facts.Package))
	}
	if registry.named == nil {
		registry.named = map[string]*statement{}
	}
	registry.named[name] = s
	s.id = len(registry.all)
	registry.all = append(registry.all, s)
	return s
}

// Statements lists everything declared so far, in order of declaration.
func Statements() []Statement {
	registry.Lock()
	defer registry.Unlock()
	out := make([]Statement, len(registry.all))
	for i, s := range registry.all {
		out[i] = s.facts
	}
	return out
}

// packageOf names the package of a caller: "limen/internal/core/user.init.0" becomes "limen/internal/core/user".
func packageOf(skip int) string {
	pc, _, _, ok := runtime.Caller(skip)
	if !ok {
		return ""
	}
	name := runtime.FuncForPC(pc).Name()
	slash := strings.LastIndexByte(name, '/') + 1
	if dot := strings.IndexByte(name[slash:], '.'); dot >= 0 {
		name = name[:slash+dot]
	}
	return name
}
