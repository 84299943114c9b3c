package domain

import (
	"context"

	"golang.org/x/net/idna"

	"limen/internal/call"
	"limen/internal/core/user"
	"limen/internal/fold"
)

// Verified are the names of the domains that an organization has proved.
func (d *Domains) Verified(ctx context.Context, c *call.Call, org string) (map[string]bool, error) {
	all, err := d.List(ctx, c, org)
	out := map[string]bool{}
	for _, one := range all {
		if one.State == Verified {
			out[one.Name] = true
		}
	}
	return out, err
}

// Holder is the organization that has proved the domain of a mail address; empty when none has.
func (d *Domains) Holder(ctx context.Context, c *call.Call, mail string) (string, error) {
	name := Of(mail)
	if name == "" {
		return "", nil
	}
	rows, err := holder.All(ctx, c.Tx, c.Tenant.ID, name)
	if err != nil || len(rows) == 0 {
		return "", err
	}
	return rows[0], nil
}

// Claimed fails with ErrTaken when another organization has proved the domain of a mail address, and is not above this one.
func (d *Domains) Claimed(ctx context.Context, c *call.Call, org, mail string) error {
	by, err := d.Holder(ctx, c, mail)
	if err != nil || by == "" || by == org {
		return err
	}
	in, err := below.All(ctx, c.Tx, c.Tenant.ID, by, org)
	if err == nil && len(in) == 0 {
		err = ErrTaken.At("email")
	}
	return err
}

// Manages says whether a member of an organization is managed by it: the mail address is theirs and in a domain that the
// organization has proved, and they belong to that organization, to one below it, or to none. Somebody who belongs to another
// organization stays that one's, whatever their address, and programs are managed by nobody. verified is as Verified gives it.
//
// That somebody is a member is for the caller to know, and so is whether who asks may change them: role.Roles.Guard still keeps
// the accounts of system administrators, and of people who hold what the caller does not hold.
func (d *Domains) Manages(ctx context.Context, c *call.Call, org string, verified map[string]bool, u user.User) (bool, error) {
	if u.Service || u.OAuthClient || u.MailUnproved || !verified[Of(u.Mail)] {
		return false, nil
	}
	if u.Org == "" || u.Org == org {
		return true, nil
	}
	in, err := below.All(ctx, c.Tx, c.Tenant.ID, org, u.Org)
	return len(in) > 0, err
}

// People counts the members of a domain's organization whom it manages by the domain. Somebody who belongs to the organization counts
// whether they may enter or not.
func (d *Domains) People(ctx context.Context, c *call.Call, of Domain) (int64, error) {
	if of.State != Verified {
		return 0, nil
	}
	shown, err := idna.Display.ToUnicode(of.Name)
	if err != nil {
		shown = of.Name
	}
	plain, folded := "%@"+of.Name, "%@"+fold.Key(shown)
	own, err := peopleOwn.One(ctx, c.Tx, c.Tenant.ID, of.Org, plain, folded)
	if err != nil {
		return 0, err
	}
	joined, err := peopleJoined.One(ctx, c.Tx, c.Tenant.ID, of.Org, plain, folded)
	return own + joined, err
}
