// Package enginetest runs what package redrock emits on real engines: SQLite always, PostgreSQL when LIMEN_TEST_POSTGRES holds its
// address. It is apart from redrock so that fuzzing the parser does not build the engines.
package enginetest
