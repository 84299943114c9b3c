package dbx_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"limen/internal/dbx"
)

// Opening a connection reads the schema, which is the most of a start: one of them reads then, and others come when they are needed.
func TestReadersOpenWhenNeeded(t *testing.T) {
	db := lite(t, dbx.Options{Readers: 3, Patience: 200 * time.Millisecond})
	if n := dbx.Unopened(db); n != 2 {
		t.Errorf("%d readers are not opened before anybody read, want 2", n)
	}
	count(t, db, 0)
	if n := dbx.Unopened(db); n != 2 {
		t.Errorf("%d readers are not opened after reads one by one, want 2", n)
	}
	var nest func(deep int) error
	nest = func(deep int) error {
		return db.Read(t.Context(), func(*dbx.Tx) error {
			if deep == 1 {
				return nil
			}
			return nest(deep - 1)
		})
	}
	if err := nest(3); err != nil {
		t.Error(err)
	}
	if n := dbx.Unopened(db); n != 0 {
		t.Errorf("%d readers are not opened after three reads at once", n)
	}
	if err := nest(4); !errors.Is(err, dbx.ErrBusy) {
		t.Errorf("four at once with three readers: %v", err)
	}
}

// A reader that could not be opened is tried again by the next who needs it.
func TestReaderThatCannotOpenIsTriedAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	db, err := dbx.Open(t.Context(), "sqlite:"+path, dbx.Options{Readers: 2, Patience: 200 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	two := func() error {
		return db.Read(t.Context(), func(*dbx.Tx) error {
			return db.Read(t.Context(), func(*dbx.Tx) error { return nil })
		})
	}
	if err := os.Rename(path, path+".away"); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := two(); err == nil {
		t.Error("a second reader opened a directory")
	}
	if err := errors.Join(os.Remove(path), os.Rename(path+".away", path)); err != nil {
		t.Fatal(err)
	}
	if err := two(); err != nil {
		t.Error(err)
	}
}
