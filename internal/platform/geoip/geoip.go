// Package geoip tells in which country an address is, and where about, by a database file in MaxMind's format (GeoLite2, DB-IP and others).
package geoip

import (
	"errors"
	"log/slog"
	"math"
	"net/netip"
	"strings"
	"time"

	"github.com/oschwald/maxminddb-golang/v2"

	"limen/internal/platform/watched"
)

// maxSize bounds what is read into memory: databases of cities have about 70 MB, of countries 10.
const maxSize = 256 << 20

// Countries are those of a file, which is read anew when it has changed.
type Countries struct {
	file watched.File[maxminddb.Reader]
}

// New names the file; now is time.Now when nil.
func New(path string, log *slog.Logger, now func() time.Time) *Countries {
	return &Countries{watched.File[maxminddb.Reader]{
		Path: path, What: "the database of countries", Most: maxSize, Log: log, Now: now,
		Read: func(b []byte) (*maxminddb.Reader, error) { return maxminddb.OpenBytes(b) },
	}}
}

// Of gives the ISO 3166-1 alpha-2 code of the country in which an address is; empty when that is not known.
func (c *Countries) Of(ip netip.Addr) string {
	db := c.file.Get()
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
	db := c.file.Get()
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
