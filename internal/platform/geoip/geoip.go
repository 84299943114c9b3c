// Package geoip tells in which country an address is, and where about, by a database file in MaxMind's format (GeoLite2, DB-IP and others).
package geoip

import (
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"math"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/oschwald/maxminddb-golang/v2"
)

// maxSize bounds what is read into memory: databases of cities have about 70 MB, of countries 10.
const maxSize = 256 << 20

// every is how often the file is looked at.
const every = 10 * time.Second

// Countries reads a file when it is first asked, and again when the file has changed. It is read into memory rather than
// mapped, so that whoever writes into the file brings down nothing. The fields are set before use.
type Countries struct {
	Path string
	Log  *slog.Logger
	Now  func() time.Time // time.Now when nil

	looking sync.Mutex // one look at a time
	next    atomic.Int64
	data    atomic.Pointer[maxminddb.Reader]
	was     state // as it was read, or found wanting
}

// state tells a file from another one in its place.
type state struct {
	size int64
	at   time.Time
}

// Of gives the ISO 3166-1 alpha-2 code of the country in which an address is; empty when that is not known.
func (c *Countries) Of(ip netip.Addr) string {
	c.look()
	db := c.data.Load()
	if db == nil || !ip.IsValid() {
		return ""
	}
	found := db.Lookup(ip.Unmap().WithZone(""))
	var code string
	for _, where := range []string{"country", "registered_country"} {
		if err := found.DecodePath(&code, where, "iso_code"); err == nil && len(code) == 2 {
			return strings.ToUpper(code)
		}
	}
	return ""
}

// ErrUnread says that nothing is known of addresses, although there should be.
var ErrUnread = errors.New("the database of countries has not been read")

// Position is where an address is, in degrees, and by how many kilometres that may be wrong.
type Position struct{ Latitude, Longitude, Radius float64 }

// At gives the position of an address; false where the database has none, as those of countries alone. ErrUnread while there is no database.
func (c *Countries) At(ip netip.Addr) (Position, bool, error) {
	c.look()
	db := c.data.Load()
	if db == nil {
		return Position{}, false, ErrUnread
	}
	if !ip.IsValid() {
		return Position{}, false, nil
	}
	var where struct {
		Latitude  *float64 `maxminddb:"latitude"`
		Longitude *float64 `maxminddb:"longitude"`
		Radius    uint16   `maxminddb:"accuracy_radius"`
	}
	if err := db.Lookup(ip.Unmap().WithZone("")).DecodePath(&where, "location"); err != nil || where.Latitude == nil || where.Longitude == nil {
		return Position{}, false, nil //nolint:nilerr // what it says of one address cannot be read: it says nothing
	}
	out := Position{*where.Latitude, *where.Longitude, float64(where.Radius)}
	return out, math.Abs(out.Latitude) <= 90 && math.Abs(out.Longitude) <= 180, nil
}

// look reads the file when it is due and has changed. One that cannot be read leaves what was known.
func (c *Countries) look() {
	now := time.Now()
	if c.Now != nil {
		now = c.Now()
	}
	due := c.next.Load()
	switch {
	case now.UnixNano() < due:
		return
	case due == 0: // the first ones wait until something is known
		c.looking.Lock()
	case !c.looking.TryLock():
		return
	}
	defer c.looking.Unlock()
	if c.next.Load() != due {
		return
	}
	defer c.next.Store(now.Add(every).UnixNano())
	info, err := os.Stat(c.Path)
	if err != nil {
		if c.was != (state{}) || due == 0 {
			c.Log.Warn("the database of countries cannot be read", "error", err)
		}
		c.was = state{}
		return
	}
	is := state{info.Size(), info.ModTime()}
	if is == c.was {
		return
	}
	c.was = is
	db, err := read(c.Path)
	if err != nil {
		c.Log.Warn("the database of countries cannot be read", "file", c.Path, "error", err)
		return
	}
	c.data.Store(db)
}

var errSize = errors.New("the file is too large")

func read(path string) (*maxminddb.Reader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fs.ErrInvalid
	}
	b, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxSize {
		return nil, errSize
	}
	return maxminddb.OpenBytes(b)
}
