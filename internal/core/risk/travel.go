package risk

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"time"

	"limen/internal/call"
	"limen/internal/dbx"
)

// Place is where an address is, in degrees, and by how many kilometres that may be wrong.
type Place struct{ Latitude, Longitude, Radius float64 }

// leastWay is what is never far, in kilometres: databases err by so much, and so do providers who move addresses.
const leastWay = 300

// travel compares where the person is with where they last signed in.
func (l *look) travel(ctx context.Context) (string, error) {
	if l.Place == nil {
		return "", nil
	}
	last, err := lastRow.One(ctx, l.c.Tx, l.c.Tenant.ID, l.of.User)
	if errors.Is(err, dbx.ErrNoRow) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	ip := l.c.Client.IP.Unmap().WithZone("")
	was, err := netip.ParseAddr(last.IP)
	if err != nil || was == ip {
		return "", nil //nolint:nilerr // it was not known where they were
	}
	var at [2]Place
	for i, one := range []netip.Addr{was, ip} {
		place, known, err := l.Place(one)
		if err != nil || !known {
			return "", err
		}
		at[i] = place
	}
	way := distance(at[0], at[1]) - at[0].Radius - at[1].Radius
	took := max(l.c.Now.Sub(time.UnixMilli(last.At)), time.Second)
	if way < leastWay || way/took.Hours() < float64(l.v.Speed) {
		return "", nil
	}
	return fmt.Sprintf("the last sign-in was %s ago, %d km away", took.Round(time.Second), int(way/10)*10), nil
}

// distance is the way between two places on a globe, in kilometres (haversine formula).
func distance(a, b Place) float64 {
	const earth = 6371
	rad := func(deg float64) float64 { return deg * math.Pi / 180 }
	half := func(from, to float64) float64 { s := math.Sin(rad(to-from) / 2); return s * s }
	h := half(a.Latitude, b.Latitude) + math.Cos(rad(a.Latitude))*math.Cos(rad(b.Latitude))*half(a.Longitude, b.Longitude)
	return 2 * earth * math.Asin(math.Sqrt(min(h, 1)))
}

// last is where and when somebody signed in completely.
type last struct {
	At int64  `db:"at"` // ms UTC
	IP string `db:"ip"`
}

var (
	lastRow = dbx.Q[last]("risk.last", `SELECT at, ip FROM user_risk WHERE tenant = ? AND user_id = ?`)
	noteRow = dbx.E("risk.note", `INSERT INTO user_risk (tenant, user_id, level, score, at, ip) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (tenant, user_id) DO UPDATE SET level = excluded.level, score = excluded.score, at = excluded.at, ip = excluded.ip`)
	dropRow = dbx.E("risk.drop", `DELETE FROM user_risk WHERE tenant = ? AND user_id = ?`)
)

// Note keeps what was thought of a complete sign-in, and from where it came.
func (r *Risks) Note(ctx context.Context, c *call.Call, userID, ip string, rated Rating) error {
	return noteRow.Later(ctx, c.Tx, c.Tenant.ID, userID, string(rated.Level), rated.Score, c.Now.UnixMilli(), ip)
}

// Drop forgets a person.
func (r *Risks) Drop(ctx context.Context, c *call.Call, userID string) error {
	_, err := dropRow.Do(ctx, c.Tx, c.Tenant.ID, userID)
	return err
}
