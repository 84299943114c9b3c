package outbound

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"limen/internal/call"
	"limen/internal/dbx"
	"limen/internal/wire/scim"
)

const atService = "service/" // and the place of the next resource, from 1

// servicePage is how many resources are asked for at once.
const servicePage = 100

var (
	byRemote = dbx.Q[account]("outbound.by_remote", `SELECT `+accountColumns+` FROM outbound_account WHERE tenant = ? AND app = ? AND kind = 'User' AND remote = ANY(?)`)
	seenNow  = dbx.E("outbound.seen", `UPDATE outbound_account SET seen = ? WHERE tenant = ? AND app = ? AND kind = 'User' AND remote = ANY(?)`)
	unseen   = dbx.Q[account]("outbound.unseen", `SELECT `+accountColumns+` FROM outbound_account
		WHERE tenant = ? AND app = ? AND kind = 'User' AND id > ? AND remote <> '' AND seen <> ? ORDER BY id LIMIT ?`)
)

// compare does a step of a comparison: what the service has, page by page, then the accounts that it did not show.
func (o *Outbound) compare(ctx context.Context, t *Target, run, at string) (next string, found []Finding, err error) {
	if after, ok := strings.CutPrefix(at, atAccounts); ok {
		return o.unseen(ctx, t, run, after)
	}
	start, _ := strconv.Atoi(strings.TrimPrefix(at, atService)) // it is our own
	start = max(start, 1)
	r := remote{o, t}
	s, err := r.ask(ctx, http.MethodGet, "/Users?startIndex="+strconv.Itoa(start)+"&count="+strconv.Itoa(servicePage), nil, "")
	if err != nil {
		return "", nil, err
	}
	l, err := scim.ReadListing(s.Body)
	if err != nil {
		return "", nil, &failure{class: Server, why: "The service answered a query with what is no list."}
	}
	if len(l.Resources) == 0 {
		return atAccounts, nil, nil
	}
	if found, err = o.shown(ctx, t, run, l.Resources); err != nil {
		return "", nil, err
	}
	if start += len(l.Resources); start > l.Total {
		return atAccounts, found, nil
	}
	return atService + strconv.Itoa(start), found, nil
}

// shown compares a page of what the service has.
func (o *Outbound) shown(ctx context.Context, t *Target, run string, page []scim.Object) (found []Finding, err error) {
	var ids []string
	for _, res := range page {
		if id := scim.ResourceID(res); id != "" {
			ids = append(ids, id)
		}
	}
	known := map[string]account{}
	err = o.quietly(ctx, t.tenant, func(ctx context.Context, c *call.Call) error {
		rows, err := byRemote.All(ctx, c.Tx, t.tenant, t.App, ids)
		if err != nil {
			return err
		}
		for _, a := range rows {
			known[a.Remote] = a
		}
		_, err = seenNow.Do(ctx, c.Tx, run, t.tenant, t.App, ids)
		return err
	})
	for i := 0; err == nil && i < len(page); i++ {
		id := scim.ResourceID(page[i])
		if a, ok := known[id]; ok {
			found = append(found, a.drift(page[i])...)
			continue
		}
		if id != "" {
			var f Finding
			f, err = o.stranger(ctx, t, page[i], id)
			found = append(found, f)
		}
	}
	return found, err
}

// drift says what of an account is otherwise than was acknowledged.
func (a *account) drift(has scim.Object) []Finding {
	if a.Due > 0 || a.Sent == "" {
		return nil // it is about to be another one
	}
	missing := scim.Covers(a.last(), has)
	if len(missing) == 0 {
		return nil
	}
	return []Finding{{Kind: a.Kind, Object: a.Object, Name: a.Name, Remote: a.Remote, Action: Differs, Detail: strings.Join(missing, ", ")}}
}

// stranger says whose an account may be that is not known here: that of the person whose UUID is its externalId.
func (o *Outbound) stranger(ctx context.Context, t *Target, has scim.Object, id string) (Finding, error) {
	name, _ := has["userName"].(string)
	f := Finding{Kind: KindUser, Name: name, Remote: id, Action: Foreign}
	external, _ := has["externalId"].(string)
	if external == "" {
		return f, nil
	}
	err := o.DB.Read(ctx, func(tx *dbx.Tx) error {
		c := o.Call(t.tenant)
		c.Tx, c.Now = tx, o.now()
		p, err := o.look(ctx, c, external)
		if err != nil || !p.found {
			return err
		}
		in, err := t.reaches(ctx, c, p.Org)
		a, aerr := t.account(ctx, c, KindUser, p.ID)
		if err == nil && aerr == nil && in && a.Remote == "" && a.Due == 0 {
			f.Action, f.Object, f.Name = Stray, p.ID, p.Name
		}
		if err == nil {
			err = aerr
		}
		return err
	})
	return f, err
}

// unseen asks for the accounts that the service did not show: pages shift while others change what is on them.
func (o *Outbound) unseen(ctx context.Context, t *Target, run, after string) (next string, found []Finding, err error) {
	var rows []account
	err = o.DB.Read(ctx, func(tx *dbx.Tx) (err error) {
		rows, err = unseen.All(ctx, tx, t.tenant, t.App, after, run, runPage)
		return err
	})
	if err != nil || len(rows) == 0 {
		return atEnd, nil, err
	}
	r := remote{o, t}
	for _, a := range rows {
		s, err := r.ask(ctx, http.MethodGet, at(KindUser, a.Remote), nil, "")
		switch st := status(err); {
		case st == http.StatusNotFound || st == http.StatusGone:
			if a.Due == 0 {
				found = append(found, Finding{Kind: a.Kind, Object: a.Object, Name: a.Name, Remote: a.Remote, Action: Missing})
			}
		case err != nil:
			return "", nil, err
		case s.id != "":
			found = append(found, a.drift(s.object)...)
		}
	}
	return atAccounts + rows[len(rows)-1].ID, found, nil
}
