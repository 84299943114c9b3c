package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"limen/bench/load"
	"limen/internal/dbx"
)

// scim provisions in the large directory: single people, searches, and the first and the last page of all.
func scim(ctx context.Context, b *bench, w *world) ([]row, error) {
	d, err := w.big(ctx)
	if err != nil {
		return nil, err
	}
	someone := func() string { return d.personID(rand.IntN(d.People)) }
	// next goes through the people, so that no two callers change one at the same time, which is refused.
	var turn atomic.Int64
	next := func() string { return d.personID(int(turn.Add(1) % int64(d.People))) }
	filter := func(text string) string { return "/scim/Users?count=100&filter=" + url.QueryEscape(text) }
	page := func(start int) string { return fmt.Sprintf("/scim/Users?count=100&startIndex=%d", start) }
	var out []row
	for _, m := range []struct {
		what string
		aim  float64
		ask  func() []byte
	}{
		{"get", 0.001, func() []byte { return d.scim(http.MethodGet, "/scim/Users/"+someone(), "") }},
		{"userName eq", 0.001, func() []byte {
			return d.scim(http.MethodGet, filter(`userName eq "`+d.name(rand.IntN(d.People))+`"`), "")
		}},
		{"externalId eq, nobody's", 0.001, func() []byte {
			return d.scim(http.MethodGet, filter(fmt.Sprintf(`externalId eq "%d"`, rand.Int())), "")
		}},
		{"emails.value eq, nobody's", 0.001, func() []byte {
			return d.scim(http.MethodGet, filter(fmt.Sprintf(`emails.value eq "%d@example.com"`, rand.Int())), "")
		}},
		{"userName sw, 100 of 1,000", 0.060, func() []byte {
			name := d.name(rand.IntN(d.People))
			return d.scim(http.MethodGet, filter(`userName sw "`+name[:max(1, len(name)-len(d.suffix)-4)]+`"`), "")
		}},
		{"first page of 100", 0.060, func() []byte { return d.scim(http.MethodGet, page(1), "") }},
		{"last page of 100", 0.060, func() []byte { return d.scim(http.MethodGet, page(d.People-100), "") }},
	} {
		rows, err := d.compared(ctx, b, "SCIM "+m.what, m.aim, d.answers(ctx, 1, m.ask))
		if out = append(out, rows...); err != nil {
			return out, fmt.Errorf("%s: %w", m.what, err)
		}
	}
	for _, m := range []struct {
		what string
		ask  func() []byte
	}{
		{"create", func() []byte {
			return d.scim(http.MethodPost, "/scim/Users", fmt.Sprintf(`{"userName":"bench-%s@%s","name":{"givenName":"Ann","familyName":"Berg"},"emails":[{"value":"a@example.com","primary":true}]}`, newID(), d.suffix))
		}},
		{"PATCH", func() []byte {
			return d.scim(http.MethodPatch, "/scim/Users/"+next(), fmt.Sprintf(`{"Operations":[{"op":"replace","path":"title","value":"T%d"}]}`, rand.IntN(1_000_000)))
		}},
	} {
		l, o, err := b.versus(d.world, d.commits(ctx, 16), d.answers(ctx, 16, m.ask))
		if err != nil {
			return out, fmt.Errorf("%s: %w", m.what, err)
		}
		out = append(out, rate("SCIM "+m.what+", 16 callers", "one row in the store", l, o))
	}
	return out, d.unscim(ctx)
}

// unscim removes those who were created, and what was written raw.
func (d *directory) unscim(ctx context.Context) error {
	c, err := load.Dial(ctx, d.addr)
	if err != nil {
		return err
	}
	defer c.Close()
	for {
		body, err := c.OK(d.scim(http.MethodGet, "/scim/Users?count=500&attributes=id&filter="+url.QueryEscape(`userName sw "bench-"`), ""))
		if err != nil {
			return err
		}
		var list struct{ Resources []struct{ ID string } }
		if err := json.Unmarshal(body, &list); err != nil {
			return err
		}
		if len(list.Resources) == 0 {
			return d.empty(ctx, 0)
		}
		for _, r := range list.Resources {
			if status, body, err := c.Do(d.scim(http.MethodDelete, "/scim/Users/"+r.ID, "")); err != nil || status != http.StatusNoContent {
				return errors.Join(err, fmt.Errorf("status %d: %.300s", status, body))
			}
		}
	}
}

// scim makes a request.
func (d *directory) scim(method, path, body string) []byte {
	return fmt.Appendf(nil, "%s %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/scim+json\r\n%s\r\nContent-Length: %d\r\n\r\n%s", method, path, d.host, d.bearer, len(body), body)
}

// answers makes a turn of callers who want a status that tells of success.
func (d *directory) answers(ctx context.Context, callers int, next func() []byte) turn {
	return func(t time.Duration) (load.Sample, error) {
		return load.Ask(ctx, d.addr, callers, t, func(_ int, c *load.Conn) error {
			status, body, err := c.Do(next())
			if err == nil && status/100 != 2 {
				err = fmt.Errorf("status %d: %.300s", status, body)
			}
			return err
		})
	}
}

// commits makes a turn of callers who write one row each, in a transaction of its own: what the engine commits at most.
func (d *directory) commits(ctx context.Context, callers int) turn {
	return func(t time.Duration) (load.Sample, error) {
		return load.Calls(callers, t, func(int) error {
			return d.app.DB.Write(ctx, func(tx *dbx.Tx) error {
				_, err := rawJoin.Do(ctx, tx, d.Tenant, newID(), "key")
				return err
			})
		})
	}
}
