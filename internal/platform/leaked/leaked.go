// Package leaked knows passwords that have become known, by a file of their hashes that the administrator keeps: SHA-1 in hexadecimal digits, one a
// line in ascending order, a colon and how often behind it, as the downloader of Have I Been Pwned's list writes it. The file may be as large as it likes:
// it is searched where it lies.
package leaked

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // the list has no other hashes, and nothing is kept
	"encoding/hex"
	"errors"
	"io"
	"os"
	"strings"
)

// Passwords are those of a file.
type Passwords struct{ Path string }

// ErrForm says that the file is no such list.
var ErrForm = errors.New("the list of leaked passwords is not one of SHA-1 hashes in ascending order")

// width is how many digits a hash has, and longest the longest line.
const (
	width   = 2 * sha1.Size
	longest = 128
)

// Has says whether the list has a password. It reads some forty pieces of the file.
func (p Passwords) Has(plain string) (bool, error) {
	f, err := os.Open(p.Path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return false, err
	}
	sum := sha1.Sum([]byte(plain)) //nolint:gosec // see above
	return search(f, info.Size(), strings.ToUpper(hex.EncodeToString(sum[:])))
}

// search looks for a hash between from, where a line begins, and to.
func search(f io.ReaderAt, size int64, hash string) (bool, error) {
	if size == 0 {
		return false, ErrForm
	}
	for from, to := int64(0), size; from < to; {
		at, line, end, err := lineIn(f, from, from+(to-from)/2, size)
		if err != nil {
			return false, err
		}
		if at >= to { // the middle lies in the last line: what is left is looked at from its beginning
			if at, line, end, err = lineAt(f, from, size); err != nil {
				return false, err
			}
		}
		switch {
		case line == hash:
			return true, nil
		case line < hash:
			from = end
		case at == from:
			return false, nil
		default:
			to = at
		}
	}
	return false, nil
}

// lineIn is the first line that begins at or behind a place, which is at least from.
func lineIn(f io.ReaderAt, from, place, size int64) (at int64, line string, end int64, err error) {
	if place <= from {
		return lineAt(f, from, size)
	}
	buf := make([]byte, longest)
	n, err := f.ReadAt(buf, place-1)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, "", 0, err
	}
	skip := bytes.IndexByte(buf[:n], '\n')
	switch {
	case skip >= 0:
	case place-1+int64(n) >= size:
		return size, "", size, nil
	default:
		return 0, "", 0, ErrForm
	}
	if at = place + int64(skip); at >= size {
		return size, "", size, nil
	}
	return lineAt(f, at, size)
}

// lineAt is the hash in the line at a place, and where the next one begins.
func lineAt(f io.ReaderAt, place, size int64) (at int64, hash string, end int64, err error) {
	buf := make([]byte, longest)
	n, err := f.ReadAt(buf, place)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, "", 0, err
	}
	line, _, whole := bytes.Cut(buf[:n], []byte("\n"))
	if !whole && place+int64(n) < size || len(line) < width || !digits(line[:width]) || len(line) > width && line[width] != ':' && line[width] != '\r' {
		return 0, "", 0, ErrForm
	}
	end = place + int64(len(line))
	if whole {
		end++
	}
	return place, strings.ToUpper(string(line[:width])), end, nil
}

func digits(b []byte) bool {
	_, err := hex.Decode(make([]byte, len(b)/2), b)
	return err == nil
}
