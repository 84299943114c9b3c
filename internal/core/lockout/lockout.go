// Package lockout keeps administrators from changes after which nobody could undo them: those that rule how people sign in,
// from where, and with what.
package lockout

import (
	"context"
	"errors"
	"strings"

	"limen/internal/call"
	"limen/internal/core/role"
	"limen/internal/core/user"
	"limen/internal/fault"
)

// The sentences of a warning: who is shut out, and what became of the change.
const (
	you    = "With this change you could not sign in any more from where you are."
	nobody = "With this change no system administrator could sign in any more from where you are."
	undone = " Nothing was changed. Send Confirm true to make it all the same."
	done   = " It was made all the same. Undo it while your session lives."
)

// Warning makes the warning of a kind of change. It is soft: the client may override it.
func Warning(code string) *fault.Error {
	f := fault.New(fault.Conflict, code, you+undone)
	f.Soft = true
	return f
}

// Kept is a warning for whoever made the change all the same.
func Kept(warning *fault.Error) *fault.Error {
	return warning.Say("%s", strings.TrimSuffix(warning.Public, undone)+done)
}

// Guard looks at what a change has done, in the transaction that made it. Its fields are set before use.
type Guard struct {
	Roles  *role.Roles
	People *user.Directory
	// Admits says whether a person could sign in now, from where the call comes, with what they have enrolled.
	Admits func(ctx context.Context, c *call.Call, u user.User) (bool, error)
}

// Check gives the warning when the caller could not sign in any more, and says so in it when no other system administrator
// could either. All are judged from where the caller is; what the others' devices stand in for is not known and counts for
// nothing. A program that calls is no way in for people, so that for it any system administrator is enough; the server's
// own command line is not asked at all.
//
// Whoever wants the change all the same keeps the transaction, and whoever does not rolls it back.
func (g Guard) Check(ctx context.Context, c *call.Call, warning *fault.Error) error {
	if c.Caller == nil || c.Caller.User == "" {
		return nil
	}
	own, program, err := g.admits(ctx, c, c.Caller.User)
	if err != nil || own && !program {
		return err
	}
	others, err := g.Roles.Administrators(ctx, c)
	if err != nil {
		return err
	}
	people := 0
	for _, id := range others {
		if id == c.Caller.User {
			continue
		}
		in, program, err := g.admits(ctx, c, id)
		switch {
		case err != nil:
			return err
		case program:
		case in && own:
			return nil
		case in:
			return warning
		default:
			people++
		}
	}
	if own && people == 0 { // only programs administer this tenant
		return nil
	}
	return warning.Say(nobody + undone)
}

// ErrLastWay refuses what would leave no system administrator who could sign in.
var ErrLastWay = fault.New(fault.Conflict, "lockout.last_way", "With this change no system administrator could sign in any more. Set up another way to sign in first.")

// Keep makes a change to what somebody signs in with: a factor, a password, where codes reach them. ErrLastWay when they are the
// last system administrator who can sign in, and could not any more. Where nobody could before, there is nothing to lose. As with
// Check, people are judged from where the caller is, and programs are no way in.
func (g Guard) Keep(ctx context.Context, c *call.Call, userID string, change func() error) error {
	is, err := g.Roles.IsSystem(ctx, c, userID)
	if err != nil {
		return err
	}
	if !is || c.Caller == nil || c.Caller.Means == call.ByShell {
		return change()
	}
	was, program, err := g.admits(ctx, c, userID)
	if err != nil {
		return err
	}
	if err := change(); err != nil || !was || program {
		return err
	}
	all, err := g.Roles.Administrators(ctx, c)
	if err != nil {
		return err
	}
	for _, id := range append([]string{userID}, all...) {
		if in, program, err := g.admits(ctx, c, id); err != nil || in && !program {
			return err
		}
	}
	return ErrLastWay
}

// admits says whether a person could sign in, and whether they are a program: service users and OAuth clients are.
func (g Guard) admits(ctx context.Context, c *call.Call, id string) (in, program bool, err error) {
	u, err := g.People.ByID(ctx, c, id)
	if errors.Is(err, user.ErrNotFound) {
		return false, false, nil
	}
	if err != nil {
		return false, false, err
	}
	in, err = g.Admits(ctx, c, u)
	return in, u.Service || u.OAuthClient, err
}
