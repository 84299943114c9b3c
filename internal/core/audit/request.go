package audit

import (
	"context"
	"errors"
	"strings"

	"limen/internal/call"
	"limen/internal/dbx"
)

// byRequest needs no index of its own: the id of a request begins with its time, which is that of its events.
var byRequest = dbx.Q[Row]("audit.request", `SELECT `+columns+` FROM event WHERE tenant = ? AND at = ? AND request = ? ORDER BY id LIMIT 20`)

// Find gives the event that has an id, or that a request with this id left: the one that tells of its failure, where it left
// several. Refusals that were counted together are found by the first request's id alone. ErrNotFound when there is none.
func Find(ctx context.Context, c *call.Call, id string) (Row, error) {
	id = strings.ToLower(strings.TrimSpace(id))
	first, _, request := strings.Cut(id, ":")
	u, ok := identity(first)
	if !ok {
		return Row{}, ErrNotFound
	}
	if !request {
		r, err := get.One(ctx, c.Tx, c.Tenant.ID, id)
		if errors.Is(err, dbx.ErrNoRow) {
			err = ErrNotFound
		}
		return r, err
	}
	rows, err := byRequest.All(ctx, c.Tx, c.Tenant.ID, moment(u), id)
	if err != nil {
		return Row{}, err
	}
	for _, r := range rows {
		if r.Outcome != "success" && r.Outcome != "started" {
			return r, nil
		}
	}
	if len(rows) == 0 {
		return Row{}, ErrNotFound
	}
	return rows[0], nil
}

// About is the UUID of whom the event is about as far as rights go: who asked, else the person that it names; empty when nobody
// is known.
func (r *Row) About() string {
	if r.Actor != "" {
		return r.Actor
	}
	return r.User
}
