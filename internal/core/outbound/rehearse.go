package outbound

import (
	"context"
	"errors"
	"strings"

	"limen/internal/call"
	"limen/internal/dbx"
	"limen/internal/wire/scim"
)

// pair is somebody and their account, as one snapshot has them.
type pair struct {
	subject
	account account
}

// rehearse does a step of a dry run: everybody by their ids, then the accounts of who is gone.
func (o *Outbound) rehearse(ctx context.Context, t *Target, _, at string) (next string, found []Finding, err error) {
	var ps []pair
	err = o.DB.Read(ctx, func(tx *dbx.Tx) error {
		c := o.Call(t.tenant)
		c.Tx, c.Now = tx, o.now()
		next, ps, err = o.gather(ctx, c, t, at)
		return err
	})
	for i := 0; err == nil && i < len(ps); i++ {
		var f Finding
		if f, err = o.foresee(ctx, t, &ps[i]); err == nil && f.Action != "" {
			found = append(found, f)
		}
	}
	return next, found, err
}

// gather reads the people of a step.
func (o *Outbound) gather(ctx context.Context, c *call.Call, t *Target, at string) (next string, ps []pair, err error) {
	if after, ok := strings.CutPrefix(at, atAccounts); ok {
		rows, err := accountsAt.All(ctx, c.Tx, t.tenant, t.App, after, runPage)
		if err != nil || len(rows) == 0 {
			return atEnd, nil, err
		}
		for _, r := range rows {
			p, err := o.pair(ctx, c, t, r.Object)
			if err != nil {
				return "", nil, err
			}
			if !p.found && p.account.Kind == KindUser && p.account.ID != "" {
				ps = append(ps, p)
			}
		}
		return atAccounts + rows[len(rows)-1].ID, ps, nil
	}
	ids, err := peopleAt.All(ctx, c.Tx, t.tenant, strings.TrimPrefix(at, atPeople), runPage)
	if err != nil || len(ids) == 0 {
		return atAccounts, nil, err
	}
	for _, id := range ids {
		p, err := o.pair(ctx, c, t, id)
		if err != nil {
			return "", nil, err
		}
		if p.want == wantActive || p.account.ID != "" {
			ps = append(ps, p)
		}
	}
	return atPeople + ids[len(ids)-1], ps, nil
}

func (o *Outbound) pair(ctx context.Context, c *call.Call, t *Target, userID string) (p pair, err error) {
	if p.account, err = t.account(ctx, c, KindUser, userID); err != nil {
		return p, err
	}
	p.subject, err = o.subject(ctx, c, t, userID)
	return p, err
}

// foresee says what would be done about somebody. The service is asked, and nothing is changed.
func (o *Outbound) foresee(ctx context.Context, t *Target, p *pair) (Finding, error) {
	a := p.account
	f := Finding{Kind: KindUser, Object: a.Object, Name: a.Name, Remote: a.Remote}
	if p.found {
		f.Name = p.Name
	}
	var resource scim.Object
	if p.want == wantActive {
		m, err := o.mapTo(ctx, o.Call(t.tenant), t, "", a.Object, p.plain, false)
		if bad := failing(err); bad != nil {
			f.Action, f.Detail = DoFail, bad.why
			return f, nil //nolint:nilerr // that it would fail is the finding
		}
		if err != nil {
			return f, err
		}
		resource = m.resource
		if a.Remote == "" {
			found, err := remote{o, t}.match(ctx, &a, resource)
			if bad, ok := errors.AsType[*failure](err); ok && bad.class == Taken {
				f.Action, f.Detail = DoConflict, bad.why
				return f, nil
			}
			if err != nil {
				return f, err
			}
			if found {
				f.Action, f.Remote = DoAdopt, a.Remote
				return f, nil
			}
		}
	}
	action, ds := a.due(p.want, resource)
	if f.Action = action; action == DoNothing {
		f.Action = ""
	}
	var paths []string
	for _, d := range ds {
		paths = append(paths, d.Op+" "+d.Path)
	}
	f.Detail = strings.Join(paths, ", ")
	return f, nil
}
