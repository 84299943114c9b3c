// Package watched reads files that somebody else replaces while the program runs.
package watched

import (
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Every is how often a file is looked at.
const Every = 10 * time.Second

var errSize = errors.New("the file is too large")

// File reads a file when it is first asked for, and again when it has changed. It is read into memory rather than mapped, so that whoever writes into
// it brings down nothing. The fields are set before use.
type File[T any] struct {
	Path string
	What string // it is, for the log
	Most int64  // bytes
	Log  *slog.Logger
	Now  func() time.Time // time.Now when nil
	Read func([]byte) (*T, error)

	looking sync.Mutex // one look at a time
	next    atomic.Int64
	data    atomic.Pointer[T]
	was     state // as it was read, or found wanting
}

// state tells a file from another one in its place.
type state struct {
	size int64
	at   time.Time
}

// Get gives what the file says; nil while that is not known. A file that cannot be read any more leaves what was known.
func (f *File[T]) Get() *T {
	f.look()
	return f.data.Load()
}

// look reads the file when it is due and has changed.
func (f *File[T]) look() {
	now := time.Now()
	if f.Now != nil {
		now = f.Now()
	}
	due := f.next.Load()
	switch {
	case now.UnixNano() < due:
		return
	case due == 0: // the first ones wait until something is known
		f.looking.Lock()
	case !f.looking.TryLock():
		return
	}
	defer f.looking.Unlock()
	if f.next.Load() != due {
		return
	}
	defer f.next.Store(now.Add(Every).UnixNano())
	info, err := os.Stat(f.Path)
	if err != nil {
		if f.was != (state{}) || due == 0 {
			f.Log.Warn(f.What+" cannot be read", "error", err)
		}
		f.was = state{}
		return
	}
	is := state{info.Size(), info.ModTime()}
	if is == f.was {
		return
	}
	f.was = is
	read, err := f.read()
	if err != nil {
		f.Log.Warn(f.What+" cannot be read", "file", f.Path, "error", err)
		return
	}
	f.data.Store(read)
}

func (f *File[T]) read() (*T, error) {
	file, err := os.Open(f.Path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fs.ErrInvalid
	}
	b, err := io.ReadAll(io.LimitReader(file, f.Most+1))
	if err != nil {
		return nil, err
	}
	if int64(len(b)) > f.Most {
		return nil, errSize
	}
	return f.Read(b)
}
