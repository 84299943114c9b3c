package intake

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/grant"
	"limen/internal/core/role"
	"limen/internal/core/user"
	"limen/internal/fault"
)

const whyExists = "exists already, and is left unchanged"

// batch is a transaction that creates people.
type batch struct {
	*work
	c     *call.Call
	g     grant.Grant
	tally Tally
	roles map[string]found
	orgs  map[string]found
	join  map[string][]role.Member // id of a role -> whom it gets
}

// found is a role or an organization that was looked up; no says why it cannot be used.
type found struct{ id, no string }

// make creates the people of a batch and gives the tally behind it. Whoever cannot be created is noted there; whoever can be
// is created wholly, with password, roles and invitation.
func (w *work) make(ctx context.Context, c *call.Call, people []Person, hashes []hashed) (Tally, error) {
	c.Tenant = w.at
	if w.Shell {
		c.Caller = shell(c.Now)
	}
	b := batch{work: w, c: c, g: extent(c), tally: w.tally, roles: map[string]found{}, orgs: map[string]found{}, join: map[string][]role.Member{}}
	if b.g.Nothing() {
		return Tally{}, ErrNoRights
	}
	b.tally.Remarks = slices.Clone(w.tally.Remarks)
	if err := b.all(ctx, people, hashes); err != nil {
		return Tally{}, err
	}
	b.tally.Done += len(people)
	return b.tally, b.members(ctx)
}

// all creates the people, or notes why not. Everything that could refuse somebody is asked before anything of them is written.
func (b *batch) all(ctx context.Context, people []Person, hashes []hashed) error {
	nos, roles := make([]string, len(people)), make([][]string, len(people))
	var news []user.New
	for k := range people {
		org, in, no, err := b.allowed(ctx, &people[k])
		if err != nil {
			return err
		}
		if nos[k], roles[k] = cmp.Or(no, hashes[k].no), in; nos[k] == "" {
			n := people[k].New
			n.Org = org
			news = append(news, n)
		}
	}
	us, errs, err := b.i.People.Insert(ctx, b.c, news)
	if err != nil {
		return err
	}
	at := 0
	for k := range people {
		if nos[k] != "" {
			b.fail(&people[k], nos[k])
			continue
		}
		if errs[at] != nil {
			err = b.refused(&people[k], errs[at])
		} else {
			err = b.person(ctx, &people[k], news[at], us[at], &hashes[k], roles[k])
		}
		if err != nil {
			return err
		}
		at++
	}
	return nil
}

// person does what belongs to somebody whose row is written.
func (b *batch) person(ctx context.Context, p *Person, n user.New, u user.User, h *hashed, roles []string) error {
	c := b.c
	c.Event = c.Record(audit.UserCreate)
	err := b.i.People.Settle(ctx, c, n, u)
	c.Event = nil
	if err != nil {
		return err
	}
	for _, id := range roles {
		b.join[id] = append(b.join[id], role.Member{Kind: role.User, ID: u.ID})
	}
	b.tally.Made++
	if p.Password != "" {
		if err := b.i.Passwords.Put(ctx, c, u.ID, h.New, p.New.ForceChange); err != nil {
			return err
		}
	}
	byMail, bySMS := b.Mail && u.Mail != "", b.SMS && u.Mobile != ""
	if b.SMS && !bySMS {
		b.tally.remark(p.remark("has no mobile number for the invitation"))
	}
	if b.i.Invite == nil || !byMail && !bySMS {
		return nil
	}
	return b.i.Invite(ctx, c, u, byMail, bySMS)
}

// allowed finds organization and roles, and says what keeps the caller from creating somebody so.
func (b *batch) allowed(ctx context.Context, p *Person) (org string, roles []string, no string, err error) {
	if p.New.System && !system(b.c) {
		return "", nil, "can be made a system administrator by one only", nil
	}
	o, known := b.orgs[p.Org]
	if !known {
		if o.id, o.no, err = b.i.place(ctx, b.c, b.g, p.Org); err != nil {
			return "", nil, "", err
		}
		b.orgs[p.Org] = o
	}
	if o.no != "" {
		return "", nil, "its organization " + o.no, nil
	}
	for _, name := range p.Roles {
		f, known := b.roles[name]
		if !known {
			if f.id, f.no, err = b.i.role(ctx, b.c, name); err != nil {
				return "", nil, "", err
			}
			b.roles[name] = f
		}
		if f.no != "" {
			return "", nil, f.no, nil
		}
		if f.id != "" && !slices.Contains(roles, f.id) {
			roles = append(roles, f.id)
		}
	}
	return o.id, roles, "", nil
}

// refused notes what the directory refuses; other errors end the batch.
func (b *batch) refused(p *Person, err error) error {
	switch f := fault.Of(err); f.Kind {
	case fault.Exists:
		b.tally.Known++
		b.tally.remark(p.remark(whyExists))
	case fault.Invalid, fault.NotFound:
		b.fail(p, why(err))
	default:
		return err
	}
	return nil
}

func (b *batch) fail(p *Person, no string) {
	b.tally.Failed++
	b.tally.remark(p.remark(no))
}

// members puts the people into their roles, each role once.
func (b *batch) members(ctx context.Context) error {
	for _, id := range slices.Sorted(maps.Keys(b.join)) {
		b.c.Event = b.c.Record(audit.RoleMembers)
		err := b.i.Roles.Add(ctx, b.c, id, b.join[id]...)
		b.c.Event = nil
		if err != nil { // the people are not to be had without it, and allowed has asked
			return err
		}
	}
	return nil
}
