package provision

import (
	"context"

	"limen/internal/call"
	"limen/internal/core/password"
	"limen/internal/core/user"
	"limen/internal/wire/scim"
)

// Draft is what a user is to be, with the hash of a new password if there is one.
type Draft struct {
	object scim.Object
	hash   password.New
	hashed bool
	own    bool // by the person
}

// PrepareNew reads a user to be made and hashes the password. It runs outside transactions.
func (d *Directory) PrepareNew(ctx context.Context, c *call.Call, body []byte) (out Draft, err error) {
	err = c.Snapshot(ctx, func() error {
		t, err := d.User(ctx, c)
		if err == nil {
			out.object, err = t.Read(body)
		}
		return Fault(err)
	})
	if err != nil {
		return out, err
	}
	u := user.User{}
	fill(&u, out.object)
	n := user.New{Name: u.Name, Mail: u.Mail, Display: u.Display, Mobile: u.Mobile, Home: u.Home, Office: u.Office, Culture: u.Culture}
	if err := n.Offer(); err != nil {
		return out, err
	}
	return d.hash(ctx, c, out, user.User{Name: u.Name, Display: u.Display, Mail: u.Mail})
}

// PrepareReplacement is PrepareNew of a user who is there.
func (d *Directory) PrepareReplacement(ctx context.Context, c *call.Call, u user.User, body []byte) (out Draft, err error) {
	err = c.Snapshot(ctx, func() error {
		t, err := d.User(ctx, c)
		if err != nil {
			return err
		}
		if out.object, err = t.Read(body); err != nil {
			return Fault(err)
		}
		return d.mayHash(ctx, c, out.object, u)
	})
	if err != nil {
		return out, err
	}
	return d.hash(ctx, c, out, u)
}

// PreparePatch says what a user would be after a PATCH. What the user is then is found out again within the transaction.
func (d *Directory) PreparePatch(ctx context.Context, c *call.Call, u user.User, body []byte) (out Draft, err error) {
	err = c.Snapshot(ctx, func() error {
		t, err := d.User(ctx, c)
		if err != nil {
			return err
		}
		ops, err := t.Patch(body)
		if err != nil {
			return Fault(err)
		}
		r, err := d.Users(ctx, c, t, scim.Selection{}, u)
		if err != nil {
			return err
		}
		if out.object, err = t.Apply(r[0].Object, ops); err != nil {
			return Fault(err)
		}
		return d.mayHash(ctx, c, out.object, u)
	})
	if err != nil {
		return out, err
	}
	return d.hash(ctx, c, out, u)
}

// mayHash refuses, before any work is done for it, a password of somebody whose account the caller may not take over.
func (d *Directory) mayHash(ctx context.Context, c *call.Call, o scim.Object, u user.User) error {
	if plain, _ := o["password"].(string); plain == "" {
		return nil
	}
	if u.ID == c.User() {
		return ErrSelf.Say("You cannot set your own password here.")
	}
	return d.Roles.Guard(ctx, c, u.ID, ErrSystem, user.ErrStronger)
}

func (d *Directory) hash(ctx context.Context, c *call.Call, out Draft, u user.User) (Draft, error) {
	plain, _ := out.object["password"].(string)
	delete(out.object, "password")
	if plain == "" {
		return out, nil
	}
	var err error
	out.hash, err = d.Passwords.Prepare(ctx, c, password.Change{
		User: u.ID, Names: password.Names{Login: u.Name, Display: u.Display, Mail: u.Mail}, Plain: plain, Reset: true,
	})
	out.hashed = true
	return out, err
}
